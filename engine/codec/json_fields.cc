#include "engine/codec/json_fields.h"

#include <fmt/format.h>

#include "common/time_point.h"

namespace millrace::engine {

Json json_of_payload(std::string_view text) {
  if (text.empty()) return nullptr;
  Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded()) return std::string(text);
  return j;
}

std::string json_of(Duration d) {
  const auto us = d.count();
  std::string s = fmt::format("{}{}.{:06}", us < 0 ? "-" : "", std::abs(us) / 1'000'000, std::abs(us) % 1'000'000);
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s + "s";
}

Json json_of(const RetryPolicy& p) {
  Json j = Json::object();
  j["initialInterval"] = json_of(p.initial_interval);
  j["backoffCoefficient"] = p.backoff_coefficient;
  if (p.maximum_interval.count() != 0) j["maximumInterval"] = json_of(p.maximum_interval);
  j["maximumAttempts"] = p.maximum_attempts;
  if (p.maximum_attempts_without_progress != 0)
    j["maximumAttemptsWithoutProgress"] = p.maximum_attempts_without_progress;
  if (!p.non_retryable_types.empty()) j["nonRetryableErrorTypes"] = p.non_retryable_types;
  return j;
}

void FieldJson::operator()(const char*, const StepTimeouts& v) {
  (*this)("scheduleToCloseTimeout", v.schedule_to_close);
  (*this)("scheduleToStartTimeout", v.schedule_to_start);
  (*this)("startToCloseTimeout", v.start_to_close);
  (*this)("heartbeatTimeout", v.heartbeat);
}

}  // namespace millrace::engine
