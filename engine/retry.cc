#include "engine/retry.h"

#include <algorithm>
#include <cmath>

namespace millrace::engine {

std::string_view to_string(RetryState state) {
  switch (state) {
    case RetryState::unspecified:
      return {};
    case RetryState::in_progress:
      return "IN_PROGRESS";
    case RetryState::non_retryable_failure:
      return "NON_RETRYABLE_FAILURE";
    case RetryState::timeout:
      return "TIMEOUT";
    case RetryState::maximum_attempts_reached:
      return "MAXIMUM_ATTEMPTS_REACHED";
    case RetryState::retry_policy_not_set:
      return "RETRY_POLICY_NOT_SET";
    case RetryState::internal_server_error:
      return "INTERNAL_SERVER_ERROR";
    case RetryState::cancel_requested:
      return "CANCEL_REQUESTED";
  }
  return {};
}

Duration backoff(const RetryPolicy& policy, std::uint32_t failures) {
  const Duration cap = policy.maximum_interval.count() > 0 ? policy.maximum_interval : policy.initial_interval * 100;
  const double coefficient = std::max(1.0, policy.backoff_coefficient);
  const double us = static_cast<double>(policy.initial_interval.count()) *
                    std::pow(coefficient, static_cast<double>(std::max(1U, failures) - 1));
  if (!(us < static_cast<double>(cap.count()))) return cap;  // also an overflow to infinity
  return Duration(static_cast<std::int64_t>(us));
}

Duration with_jitter(Duration delay, std::uint64_t seed) {
  // -1000 to 1000 ten-thousandths.
  const auto shift = static_cast<std::int64_t>(seed % 2001) - 1000;
  return delay + Duration(delay.count() / 10'000 * shift + delay.count() % 10'000 * shift / 10'000);
}

std::uint64_t jitter_seed(std::string_view run_id, std::uint64_t event_id, std::uint32_t attempt) {
  std::uint64_t h = 0xcbf29ce484222325ULL;  // FNV-1a, then a finalizer that spreads the last bytes
  const auto mix = [&](std::uint8_t b) { h = (h ^ b) * 0x100000001b3ULL; };
  for (const char c : run_id) mix(static_cast<std::uint8_t>(c));
  for (int i = 0; i < 8; ++i) mix(static_cast<std::uint8_t>(event_id >> (8 * i)));
  for (int i = 0; i < 4; ++i) mix(static_cast<std::uint8_t>(attempt >> (8 * i)));
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  return h;
}

RetryDecision decide_retry(const RetryQuestion& q) {
  const auto stop = [](RetryState s) {
    RetryDecision d;
    d.state = s;
    return d;
  };
  const Failure& f = *q.failure;
  if (q.cancel_requested) return stop(RetryState::cancel_requested);
  if (f.type == kTimeoutScheduleToStart || f.type == kTimeoutScheduleToClose) return stop(RetryState::timeout);
  if (!f.retryable || f.type == kCancelledType || f.type == kTerminatedType)
    return stop(RetryState::non_retryable_failure);
  const auto& listed = q.policy->non_retryable_types;
  // A time-out may be listed as Temporal's SDKs spell it: TemporalTimeout:StartToClose.
  const std::string temporal = f.type.starts_with("Timeout") ? "TemporalTimeout:" + f.type.substr(7) : std::string();
  if (std::any_of(listed.begin(), listed.end(),
                  [&](const auto& t) { return t == f.type || (!temporal.empty() && t == temporal); }))
    return stop(RetryState::non_retryable_failure);
  if (q.policy->maximum_attempts != 0 && q.attempts >= q.policy->maximum_attempts)
    return stop(RetryState::maximum_attempts_reached);
  if (q.policy->maximum_attempts_without_progress != 0 &&
      q.failures_without_progress >= q.policy->maximum_attempts_without_progress)
    return stop(RetryState::maximum_attempts_reached);
  RetryDecision d;
  d.state = RetryState::in_progress;
  if (f.next_retry_delay)
    d.delay = std::max(Duration(0), *f.next_retry_delay);
  else
    d.delay = with_jitter(backoff(*q.policy, q.failures_without_progress), q.jitter_seed);
  if (q.deadline && q.now + d.delay >= *q.deadline) return stop(RetryState::timeout);
  return d;
}

}  // namespace millrace::engine
