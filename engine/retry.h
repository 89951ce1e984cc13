// The arithmetic of retries: whether another attempt follows a failed one, and when. Pure: no clock, no randomness.
//
// After the n-th failure (since the step last made progress; without checkpoints that is every failed attempt) the
// delay is initial x coefficient^(n-1), an overflow counting as the cap, capped at the maximum interval, then moved by
// up to 10 % either way by a number drawn from (run, step, attempt), so that a crowd of steps spreads and a replay of
// the schedule is exact. A `next_retry_delay` of the failure replaces all of that. (Temporal, temporal/api/common/v1
// RetryPolicy; the jitter is ours.)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/failure.h"
#include "engine/options.h"

namespace millrace::engine {

// Why no further attempt follows; stored in events, numbers are Temporal's RetryState.
enum class RetryState : std::uint8_t {
  unspecified = 0,
  in_progress = 1,
  non_retryable_failure = 2,
  timeout = 3,
  maximum_attempts_reached = 4,
  retry_policy_not_set = 5,
  internal_server_error = 6,
  cancel_requested = 7,
};
std::string_view to_string(RetryState state);

struct RetryQuestion {
  const RetryPolicy* policy = nullptr;
  const Failure* failure = nullptr;
  std::uint32_t attempts = 0;                   // counted attempts so far, this one included
  std::uint32_t failures_without_progress = 0;  // this one included
  WallTime now;
  std::optional<WallTime> deadline;  // schedule-to-close
  bool cancel_requested = false;
  std::uint64_t jitter_seed = 0;
};
struct RetryDecision {
  RetryState state = RetryState::unspecified;  // in_progress: another attempt follows
  Duration delay{0};
};
RetryDecision decide_retry(const RetryQuestion& question);

// The delay after the `failures`-th failure, without jitter.
Duration backoff(const RetryPolicy& policy, std::uint32_t failures);
// `delay` moved by up to 10 % either way.
Duration with_jitter(Duration delay, std::uint64_t seed);
// The same for the same arguments, on every machine and build.
std::uint64_t jitter_seed(std::string_view run_id, std::uint64_t event_id, std::uint32_t attempt);

// Failure types of the engine's own kinds.
inline constexpr std::string_view kTimeoutScheduleToStart = "TimeoutScheduleToStart";
inline constexpr std::string_view kTimeoutStartToClose = "TimeoutStartToClose";
inline constexpr std::string_view kTimeoutScheduleToClose = "TimeoutScheduleToClose";
inline constexpr std::string_view kTimeoutHeartbeat = "TimeoutHeartbeat";
inline constexpr std::string_view kCancelledType = "Cancelled";
inline constexpr std::string_view kTerminatedType = "Terminated";
inline constexpr std::string_view kUnknownOutcome = "UnknownOutcome";
inline constexpr std::string_view kSuspendedType = "Suspended";

}  // namespace millrace::engine
