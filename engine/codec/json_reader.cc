#include "engine/codec/json_reader.h"

#include <charconv>
#include <cmath>

#include "common/errors.h"
#include "common/time_point.h"

namespace millrace::engine {

Duration duration_from_json(const Json& j) {
  const std::string text = j.is_string() ? j.get<std::string>() : std::string();
  const auto bad = [&]() -> Error { return Error("history.invalid", "'" + j.dump() + "' is no duration"); };
  if (text.size() < 2 || text.back() != 's') throw bad();
  const char* at = text.data();
  const char* const end = text.data() + text.size() - 1;
  const bool negative = *at == '-';
  if (negative) ++at;
  std::int64_t seconds = 0;
  auto [stop, error] = std::from_chars(at, end, seconds);
  if (error != std::errc() || seconds > 4'000'000'000'000) throw bad();
  std::int64_t micros = 0;
  if (stop != end) {
    if (*stop != '.' || end - stop > 7 || end - stop < 2) throw bad();
    std::string digits(stop + 1, end);
    digits.resize(6, '0');
    const auto [rest, wrong] = std::from_chars(digits.data(), digits.data() + 6, micros);
    if (wrong != std::errc() || rest != digits.data() + 6) throw bad();
  }
  const std::int64_t all = seconds * 1'000'000 + micros;
  return Duration(negative ? -all : all);
}

RetryPolicy retry_policy_from_json(const Json& j) {
  RetryPolicy p;
  if (!j.is_object()) throw Error("history.invalid", "a retry policy is no object");
  FieldFromJson fields(j);
  fields("initialInterval", p.initial_interval);
  fields("backoffCoefficient", p.backoff_coefficient);
  fields("maximumInterval", p.maximum_interval);
  fields("maximumAttempts", p.maximum_attempts);
  fields("maximumAttemptsWithoutProgress", p.maximum_attempts_without_progress);
  fields("nonRetryableErrorTypes", p.non_retryable_types);
  return p;
}

void FieldFromJson::operator()(const char*, StepTimeouts& v) {
  (*this)("scheduleToCloseTimeout", v.schedule_to_close);
  (*this)("scheduleToStartTimeout", v.schedule_to_start);
  (*this)("startToCloseTimeout", v.start_to_close);
  (*this)("heartbeatTimeout", v.heartbeat);
}

void FieldFromJson::wrong(const char* name) {
  throw Error("history.invalid", "the field " + std::string(name) + " holds a value of another kind");
}

bool FieldFromJson::read(const Json& j, bool& v) {
  if (!j.is_boolean()) return false;
  v = j.get<bool>();
  return true;
}
bool FieldFromJson::read(const Json& j, std::uint64_t& v) {
  if (!j.is_number_unsigned()) return false;
  v = j.get<std::uint64_t>();
  return true;
}
bool FieldFromJson::read(const Json& j, std::uint32_t& v) {
  std::uint64_t n = 0;
  if (!read(j, n) || n > UINT32_MAX) return false;
  v = static_cast<std::uint32_t>(n);
  return true;
}
bool FieldFromJson::read(const Json& j, double& v) {
  if (!j.is_number()) return false;
  v = j.get<double>();
  return true;
}
bool FieldFromJson::read(const Json& j, std::string& v) {
  if (!j.is_string()) return false;
  v = j.get<std::string>();
  return true;
}
bool FieldFromJson::read(const Json& j, WallTime& v) {
  const auto time = j.is_string() ? parse_time(j.get<std::string>()) : std::nullopt;
  if (!time) return false;
  v = *time;
  return true;
}
bool FieldFromJson::read(const Json& j, Duration& v) {
  v = duration_from_json(j);
  return true;
}
bool FieldFromJson::read(const Json& j, StoredPayload& v) {
  v = StoredPayload(j.dump(-1, ' ', false, Json::error_handler_t::replace));
  return true;
}
bool FieldFromJson::read(const Json& j, Failure& v) {
  if (!j.is_object()) return false;
  v = failure_from_json(j.dump());
  if (const auto it = j.find("nextRetryDelay"); it != j.end()) v.next_retry_delay = duration_from_json(*it);
  return true;
}
bool FieldFromJson::read(const Json& j, RetryPolicy& v) {
  v = retry_policy_from_json(j);
  return true;
}
bool FieldFromJson::read(const Json& j, std::vector<std::string>& v) {
  if (!j.is_array()) return false;
  for (const Json& x : j) {
    if (!x.is_string()) return false;
    v.push_back(x.get<std::string>());
  }
  return true;
}
bool FieldFromJson::read(const Json& j, std::map<std::string, std::string>& v) {
  if (!j.is_object()) return false;
  for (const auto& [key, x] : j.items()) {
    if (!x.is_string()) return false;
    v[key] = x.get<std::string>();
  }
  return true;
}

}  // namespace millrace::engine
