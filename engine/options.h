// Options of steps, as workflow code writes them and histories keep them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/time_point.h"
#include "engine/queues/limits.h"

namespace millrace::engine {

struct RetryPolicy {
  RetryPolicy() = default;
  Duration initial_interval = std::chrono::seconds(1);
  double backoff_coefficient = 2.0;    // >= 1
  Duration maximum_interval{0};        // 0: 100 times the initial interval
  std::uint32_t maximum_attempts = 0;  // 0: no bound; 1: never retried. Counts every attempt, also those whose
                                       // process died (unknown outcome)
  std::uint32_t maximum_attempts_without_progress = 0;  // 0: no bound. Counts failures since the last checkpoint() of
                                                        // the step; deaths of the process don't count
  std::vector<std::string> non_retryable_types;
};

struct StepTimeouts {
  StepTimeouts() = default;
  std::optional<Duration> schedule_to_start;
  std::optional<Duration> start_to_close;
  std::optional<Duration> schedule_to_close;
  std::optional<Duration> heartbeat;
};

// What a step's future does when the step is cancelled.
enum class CancelMode {
  wait,        // ends with what the step answers (default)
  try_cancel,  // tells the step and fails with "Cancelled" at once
  abandon,     // fails with "Cancelled" at once; the step is not told
};

// What becomes of a child that is open when its parent closes. Stored numbers; never changed.
enum class ParentClosePolicy : std::uint8_t { terminate = 1, abandon = 2, request_cancel = 3 };
inline std::string_view to_string(ParentClosePolicy policy) {
  switch (policy) {
    case ParentClosePolicy::terminate:
      return "TERMINATE";
    case ParentClosePolicy::abandon:
      return "ABANDON";
    case ParentClosePolicy::request_cancel:
      return "REQUEST_CANCEL";
  }
  return {};
}

// What a child's future does when the child is cancelled from its parent's code.
enum class ChildCancelMode {
  wait_completed,  // asks the child to end and waits how it does (default)
  wait_requested,  // fails with "Cancelled" once the child has the request
  try_cancel,      // asks it, and fails with "Cancelled" at once
  abandon,         // fails with "Cancelled" at once; the child is not asked
};

struct ChildOptions {
  ChildOptions() = default;
  std::string workflow_id;  // empty: "<parent's>-c<n>", n counting its children
  ParentClosePolicy parent_close_policy = ParentClosePolicy::terminate;
  ChildCancelMode cancel_mode = ChildCancelMode::wait_completed;
  std::optional<Duration> run_timeout;  // none: no bound
};

// A local step: runs beside the turn, with no event before its end and no slot; a crash runs it again from attempt 1.
// For work without effect, or that may be done twice.
struct LocalStepOptions {
  LocalStepOptions() = default;
  std::string activity_id;  // empty: "<type>-local-<n>"
  RetryPolicy retry;        // delays are kept in memory only
  std::optional<Duration> start_to_close;
};

// The queue from which this process takes nothing: a step on it waits for its schedule-to-start time-out.
inline constexpr const char* kNobodysQueue = "nobody";

struct StepOptions {
  StepOptions() = default;
  std::string activity_id;  // shown and used in tokens; empty: "<type>-<n>", n counting that type in the run
  std::string queue = kDefaultQueue;
  std::uint32_t priority = kDefaultPriority;  // 1 (first) to 5
  std::string fairness_key;             // keys share a queue by their weights, whatever the lengths of their lines
  double fairness_weight = 1;           // 0.001 to 1000
  std::vector<std::string> limit_keys;  // what the server's limits count, such as "source:db.internal"
  RetryPolicy retry;
  StepTimeouts timeouts;  // none given: no time-out but the run's
  CancelMode cancel_mode = CancelMode::wait;
};

}  // namespace millrace::engine
