// What step code sees: the attempt it is, its input, and the ways to report.
//
// A step does the real work. It runs at least once: an attempt may die anywhere, so a step must look for what an
// earlier attempt has already done. Its start is durable before it runs, and what an older attempt reports is dropped
// at the door.
//
// A step is told to end by Asio's cancellation (its awaits throw, see is_cancelled); cancel_reason() says why. When the
// server drains, draining() becomes true first: a step that can stop at a good place does so and throws Suspended.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/awaitable.h"
#include "common/log.h"
#include "common/runtime.h"
#include "engine/failure.h"

namespace millrace::engine {

enum class CancelReason { none, cancel_requested, timed_out, shut_down };

// Identifies one attempt; what a stale one sends is refused. Order: a later attempt of the same step has a greater
// `attempt`. text() is stable and unique over all runs: destinations use it as their fence.
struct StepToken {
  std::string run_id;
  std::uint64_t scheduled_event_id = 0;
  std::uint32_t attempt = 0;
  std::string text() const;
};

class StepContext {
 public:
  virtual ~StepContext() = default;

  virtual const std::string& workflow_id() const = 0;
  virtual const std::string& activity_id() const = 0;
  virtual const std::string& activity_type() const = 0;
  virtual const StepToken& token() const = 0;
  // No retry will follow a retryable failure of this attempt (by either bound of the policy).
  virtual bool is_last_attempt() const = 0;
  virtual Runtime runtime() const = 0;

  // Says that the step lives, and where it is. Visible at once; durable at most a second later or with the next write
  // of the run. The next attempt finds the latest in last_heartbeat(). Thread-safe, cheap.
  virtual void heartbeat(Payload details) = 0;
  virtual std::optional<Payload> last_heartbeat() const = 0;

  // Makes `state` durable under `scope` for this step and all its later attempts; returns after the sync. One value a
  // scope; scopes don't contend. Counts as progress for the retry policy. Throws Cancelled if this attempt is stale.
  virtual asio::awaitable<void> checkpoint(std::string scope, Payload state) = 0;
  // What checkpoint() kept in earlier attempts.
  virtual const std::map<std::string, Payload>& checkpoints() const = 0;

  // A line of the job's log: durable within a second or at the step's end. Never a secret. Thread-safe.
  virtual void log(LogLevel level, std::string text) = 0;

  virtual CancelReason cancel_reason() const = 0;
  virtual bool draining() const = 0;
};

// Thrown by a step that stopped because draining() was true: the attempt ends without an outcome and without counting,
// and the step is started again by the next server.
class Suspended : public std::exception {
 public:
  const char* what() const noexcept override { return "suspended"; }
};

// Result: the step's output. Failure: any exception (see failure_from_exception); FailureError for a value of its own.
using StepFunction = std::function<asio::awaitable<Payload>(StepContext&, Payload input)>;

}  // namespace millrace::engine
