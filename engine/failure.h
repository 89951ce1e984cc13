// Failures are values: what an attempt, a step or a workflow ended with. They are stored in histories and shown as they
// are, so they hold no secret.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "common/time_point.h"

namespace millrace::engine {

// JSON text, UTF-8. Empty means "no value" (null at the API). Above 64 KiB it is stored as a blob by its hash.
using Payload = std::string;

struct Failure {
  std::string type;  // stable: an error code ("postgres.auth_failed"), or Temporal's word for the engine's own kinds:
                     // "TimeoutStartToClose", "TimeoutHeartbeat", "Cancelled", "Terminated", "UnknownOutcome"
  std::string message;  // for people
  Payload details;      // what a program may want: {title, detail, remedy, kind}, or the step's own
  bool retryable = true;
  std::optional<Duration> next_retry_delay;  // replaces the policy's delay once
  std::shared_ptr<const Failure> cause;
};

// The JSON form of the API and the history: {type, message, details, retryable, cause}.
std::string to_json(const Failure& failure);
Failure failure_from_json(const std::string& json);
// An Error becomes its code, text and retryability; any other exception is "internal" and retryable.
Failure failure_from_exception(const std::exception_ptr& error);

// Thrown into workflow code where it awaits a step that failed for good; thrown out of workflow code it fails the
// execution with `failure` as cause. Also what a step throws to fail with a value of its own choice.
class FailureError : public std::exception {
 public:
  explicit FailureError(Failure f) : failure_(std::move(f)) {}
  const Failure& failure() const { return failure_; }
  const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
};

}  // namespace millrace::engine
