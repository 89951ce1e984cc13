// The input of a test workflow or of one of its steps: a JSON object of known fields.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/engine.h"

namespace millrace::testkit {

using Json = nlohmann::json;
using engine::Payload;

// Throws FailureError of type workflow.input_invalid, not retryable, where a field is not what it should be.
class Input {
 public:
  explicit Input(const Payload& text);
  std::int64_t integer(const char* name, std::int64_t otherwise) const;
  std::string text(const char* name, const std::string& otherwise = {}) const;
  bool flag(const char* name, bool otherwise) const;
  bool has(const char* name) const;
  Duration millis(const char* name, Duration otherwise = Duration(0)) const;
  const Json& json() const { return json_; }

  // {initialMs, coefficient, maximumMs, maximumAttempts, nonRetryableTypes}
  engine::RetryPolicy retry_policy() const;
  // {scheduleToStartMs, startToCloseMs, scheduleToCloseMs, heartbeatMs}
  engine::StepTimeouts timeouts() const;

 private:
  Json json_;
};

// Throws Error workflow.input_invalid for text that is no JSON object or has a field that is not in `known`.
void check_fields(const Payload& text, const std::vector<std::string>& known);

[[noreturn]] void refuse(const std::string& why);

}  // namespace millrace::testkit
