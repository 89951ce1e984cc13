// The arithmetic of retries.
#include <catch2/catch.hpp>

#include "engine/retry.h"

namespace millrace::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RetryDecision ask(const RetryPolicy& policy, const Failure& failure, std::uint32_t attempts) {
  RetryQuestion q;
  q.policy = &policy;
  q.failure = &failure;
  q.attempts = attempts;
  q.failures_without_progress = attempts;
  q.now = from_micros(1'000'000'000);
  q.jitter_seed = 1000;  // no shift
  return decide_retry(q);
}

}  // namespace

TEST_CASE("the delay grows by the coefficient up to the maximum interval") {
  RetryPolicy p;
  p.initial_interval = seconds(1);
  p.backoff_coefficient = 3;
  p.maximum_interval = seconds(20);
  CHECK(backoff(p, 1) == seconds(1));
  CHECK(backoff(p, 2) == seconds(3));
  CHECK(backoff(p, 3) == seconds(9));
  CHECK(backoff(p, 4) == seconds(20));
}

TEST_CASE("without a maximum interval the delay ends at 100 times the initial one, also where it overflows") {
  RetryPolicy p;
  CHECK(backoff(p, 7) == seconds(64));
  CHECK(backoff(p, 8) == seconds(100));
  CHECK(backoff(p, 4'000'000'000U) == seconds(100));
}

TEST_CASE("jitter moves a delay by at most 10 % either way, the same for the same attempt") {
  Duration least = seconds(100), greatest{0};
  for (std::uint32_t n = 1; n < 5'000; ++n) {
    const Duration d = with_jitter(seconds(10), jitter_seed("run", 3, n));
    CHECK(d == with_jitter(seconds(10), jitter_seed("run", 3, n)));
    least = std::min(least, d);
    greatest = std::max(greatest, d);
  }
  CHECK(least >= seconds(9));
  CHECK(least < milliseconds(9'010));
  CHECK(greatest <= seconds(11));
  CHECK(greatest > milliseconds(10'990));
  CHECK(jitter_seed("run", 3, 1) == 0x84621e8a40d0f144ULL);  // a stored schedule relies on it
}

TEST_CASE("a step is not retried after its last attempt, nor without progress, nor past its deadline") {
  RetryPolicy p;
  Failure f;
  f.type = "flaky";
  CHECK(ask(p, f, 1).state == RetryState::in_progress);
  p.maximum_attempts = 3;
  CHECK(ask(p, f, 2).state == RetryState::in_progress);
  CHECK(ask(p, f, 3).state == RetryState::maximum_attempts_reached);
  p.maximum_attempts = 0;
  p.maximum_attempts_without_progress = 2;
  CHECK(ask(p, f, 2).state == RetryState::maximum_attempts_reached);
  p.maximum_attempts_without_progress = 0;
  RetryQuestion q;
  q.policy = &p;
  q.failure = &f;
  q.attempts = q.failures_without_progress = 1;
  q.now = from_micros(0);
  q.deadline = from_micros(900'000);
  q.jitter_seed = 1000;
  CHECK(decide_retry(q).state == RetryState::timeout);
  q.deadline = from_micros(1'100'000);
  CHECK(decide_retry(q).state == RetryState::in_progress);
  q.cancel_requested = true;
  CHECK(decide_retry(q).state == RetryState::cancel_requested);
}

TEST_CASE("failures that say so, listed types and the schedule time-outs are not retried") {
  RetryPolicy p;
  p.non_retryable_types = {"bad_input", "TemporalTimeout:StartToClose"};
  const auto state = [&](const char* type, bool retryable = true) {
    Failure f;
    f.type = type;
    f.message = "bad_input";  // types are compared, not messages
    f.retryable = retryable;
    return ask(p, f, 1).state;
  };
  CHECK(state("other") == RetryState::in_progress);
  CHECK(state("bad_input") == RetryState::non_retryable_failure);
  CHECK(state("other", false) == RetryState::non_retryable_failure);
  CHECK(state("TimeoutStartToClose") == RetryState::non_retryable_failure);
  CHECK(state("TimeoutHeartbeat") == RetryState::in_progress);
  CHECK(state("TimeoutScheduleToClose") == RetryState::timeout);
  CHECK(state("TimeoutScheduleToStart") == RetryState::timeout);
  CHECK(state("Cancelled") == RetryState::non_retryable_failure);
  CHECK(state("UnknownOutcome") == RetryState::in_progress);
}

TEST_CASE("a failure's own delay replaces the policy's, cap and jitter included") {
  RetryPolicy p;
  p.maximum_interval = seconds(2);
  Failure f;
  f.type = "busy";
  f.next_retry_delay = seconds(500);
  CHECK(ask(p, f, 4).delay == seconds(500));
}

}  // namespace millrace::engine
