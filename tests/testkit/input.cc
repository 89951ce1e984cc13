#include "tests/testkit/input.h"

#include <algorithm>

#include "common/errors.h"

namespace millrace::testkit {

void refuse(const std::string& why) {
  engine::Failure f;
  f.type = "workflow.input_invalid";
  f.message = why;
  f.retryable = false;
  throw engine::FailureError(f);
}

Input::Input(const Payload& text) : json_(text.empty() ? Json::object() : Json::parse(text, nullptr, false)) {
  if (!json_.is_object()) refuse("the input is not a JSON object");
}

bool Input::has(const char* name) const {
  const auto it = json_.find(name);
  return it != json_.end() && !it->is_null();
}

std::int64_t Input::integer(const char* name, std::int64_t otherwise) const {
  if (!has(name)) return otherwise;
  if (!json_[name].is_number_integer()) refuse(std::string(name) + " is not an integer");
  return json_[name].get<std::int64_t>();
}
std::string Input::text(const char* name, const std::string& otherwise) const {
  if (!has(name)) return otherwise;
  if (!json_[name].is_string()) refuse(std::string(name) + " is not a string");
  return json_[name].get<std::string>();
}
bool Input::flag(const char* name, bool otherwise) const {
  if (!has(name)) return otherwise;
  if (!json_[name].is_boolean()) refuse(std::string(name) + " is not true or false");
  return json_[name].get<bool>();
}
Duration Input::millis(const char* name, Duration otherwise) const {
  return has(name) ? std::chrono::milliseconds(integer(name, 0)) : otherwise;
}

engine::RetryPolicy Input::retry_policy() const {
  engine::RetryPolicy policy;
  if (!has("retryPolicy")) return policy;
  check_fields(json_["retryPolicy"].dump(),
               {"initialMs", "coefficient", "maximumMs", "maximumAttempts", "nonRetryableTypes"});
  const Input in(json_["retryPolicy"].dump());
  policy.initial_interval = in.millis("initialMs", policy.initial_interval);
  if (in.has("coefficient")) {
    if (!in.json()["coefficient"].is_number()) refuse("coefficient is not a number");
    policy.backoff_coefficient = in.json()["coefficient"].get<double>();
  }
  policy.maximum_interval = in.millis("maximumMs");
  policy.maximum_attempts = static_cast<std::uint32_t>(in.integer("maximumAttempts", 0));
  if (in.has("nonRetryableTypes"))
    for (const Json& type : in.json()["nonRetryableTypes"])
      policy.non_retryable_types.push_back(type.is_string() ? type.get<std::string>() : type.dump());
  return policy;
}

engine::StepTimeouts Input::timeouts() const {
  engine::StepTimeouts t;
  if (!has("timeouts")) return t;
  check_fields(json_["timeouts"].dump(), {"scheduleToStartMs", "startToCloseMs", "scheduleToCloseMs", "heartbeatMs"});
  const Input in(json_["timeouts"].dump());
  if (in.has("scheduleToStartMs")) t.schedule_to_start = in.millis("scheduleToStartMs");
  if (in.has("startToCloseMs")) t.start_to_close = in.millis("startToCloseMs");
  if (in.has("scheduleToCloseMs")) t.schedule_to_close = in.millis("scheduleToCloseMs");
  if (in.has("heartbeatMs")) t.heartbeat = in.millis("heartbeatMs");
  return t;
}

void check_fields(const Payload& text, const std::vector<std::string>& known) {
  const Json json = text.empty() ? Json::object() : Json::parse(text, nullptr, false);
  if (!json.is_object()) throw Error("workflow.input_invalid", "the input is not a JSON object");
  for (const auto& [name, _] : json.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Error("workflow.input_invalid", "unknown field " + name);
}

}  // namespace millrace::testkit
