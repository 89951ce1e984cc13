// features/activity and features/local_activity.
#include "tests/engine/mirror_fixture.h"

namespace millrace::engine {
namespace {

Workflow<Payload> cancelled_step(Context& ctx, CancelMode mode, Payload answer) {
  StepOptions options;
  options.cancel_mode = mode;
  co_return co_await ctx.step("endless", answer, options);
}

}  // namespace

TEST_CASE("activity/basic_no_workflow_timeout: a step ends without any time-out of the workflow") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    StepOptions options;
    options.timeouts.start_to_close = std::chrono::minutes(1);
    const Payload first = co_await ctx.step("echo", input, options);
    StepOptions whole;
    whole.timeouts.schedule_to_close = std::chrono::minutes(1);
    co_return co_await ctx.step("echo", first, whole);
  });
  m.boot();
  CHECK(m.runs("w", "\"echo\"").result == "\"echo\"");
}

TEST_CASE("activity/cancel_abandon: the code goes on at once, the step is not told") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) { return cancelled_step(ctx, CancelMode::abandon, "cancelled"); });
  m.boot();
  m.start("w", "w");
  m.settle();
  m.cancel("w");
  CHECK(m.ends("w", std::chrono::seconds(1)).status == ExecutionStatus::canceled);
  CHECK(m.count("w", "ACTIVITY_TASK_CANCEL_REQUESTED") == 0);
}

TEST_CASE("activity/cancel_try_cancel: the code goes on at once, the step is told") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    std::string seen;
    StepOptions options;
    options.cancel_mode = CancelMode::try_cancel;
    try {
      co_await ctx.step("endless", "completed", options);
    } catch (const FailureError& e) {
      seen = e.failure().type;
    }
    Context shielded = ctx.shield();
    co_await shielded.timer(std::chrono::seconds(5));
    co_return "\"" + seen + "\"";
  });
  m.boot();
  m.start("w", "w");
  m.settle();
  m.cancel("w");
  CHECK(m.ends("w").result == "\"Cancelled\"");
  CHECK(m.told == CancelReason::cancel_requested);
  CHECK(m.count("w", "ACTIVITY_TASK_CANCEL_REQUESTED") == 1);
}

TEST_CASE("activity/cancel_wait_cancellation_completed: the code gets what the step answers to the cancel") {
  for (const auto& [answer, status] : {std::pair<Payload, ExecutionStatus>{"cancelled", ExecutionStatus::canceled},
                                       {"completed", ExecutionStatus::completed},
                                       {"failed", ExecutionStatus::failed}}) {
    Mirror m;
    m.add("w", [answer = answer](Context& ctx, Payload) { return cancelled_step(ctx, CancelMode::wait, answer); });
    m.boot();
    m.start("w", "w");
    m.settle();
    m.cancel("w");
    INFO(answer);
    CHECK(m.ends("w").status == status);
    CHECK(m.calls == 1);  // no retry once cancel was requested
  }
}

TEST_CASE("activity/retry_on_error: attempts by the policy, all of them kept") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions options;
    options.retry.initial_interval = std::chrono::milliseconds(1);
    options.retry.maximum_attempts = 5;
    co_return co_await ctx.step("fails", "Always", options);
  });
  m.boot();
  const Execution e = m.runs("w");
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(e.failure->type == "Always");
  CHECK(m.describe("w").steps[0].attempts.size() == 5);
  CHECK(m.count("w", "ACTIVITY_TASK_STARTED") == 1);  // retries cost no history
}

TEST_CASE("activity/shutdown: a step that runs at a shutdown goes on in the next life, its attempt not burnt") {
  Mirror m;
  m.registry.add_step("sleeps", [&m](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    ++m.calls;
    co_await ctx.runtime().sleep_for(std::chrono::seconds(m.calls == 1 ? 1'000 : 1));
    co_return Payload("1");
  });
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions options;
    options.retry.maximum_attempts = 1;
    co_return co_await ctx.step("sleeps", "", options);
  });
  m.boot();
  m.start("w", "w");
  m.settle();
  m.stop();
  m.boot();
  CHECK(m.ends("w").result == "1");
  CHECK(m.calls == 2);
}

TEST_CASE("activity/concurrency: no more steps run than there are slots") {
  Mirror m;
  m.options.queues.otherwise = Limits(3);
  int now = 0, most = 0;
  m.registry.add_step("busy", [&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    most = std::max(most, ++now);
    co_await ctx.runtime().sleep_for(std::chrono::seconds(1));
    --now;
    co_return Payload("1");
  });
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    std::vector<Future> ten;
    for (int i = 0; i < 10; ++i) ten.push_back(ctx.start_step("busy", "", options));
    const std::vector<Payload> values = co_await all(std::move(ten));
    co_return std::to_string(values.size());
  });
  m.boot();
  CHECK(m.runs("w").result == "10");
  CHECK(most == 3);
}

TEST_CASE("local_activity/serial and concurrent") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    std::string out;
    for (const char* n : {"1", "2"}) out += co_await ctx.local_step("echo", n, options);
    std::vector<Future> both = {ctx.local_step("echo", "3", options), ctx.local_step("echo", "4", options)};
    for (Future& one : both) out += co_await one;
    co_return out;
  });
  m.boot();
  CHECK(m.runs("w").result == "1234");
  CHECK(m.count("w", "MARKER_RECORDED") == 4);
  CHECK(m.count("w", "ACTIVITY_TASK_SCHEDULED") == 0);
}

TEST_CASE("local_activity/one_success_one_fail") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    LocalStepOptions options;
    options.retry.maximum_attempts = 1;
    Future bad = ctx.local_step("fails", "Oops", options);
    Future good = ctx.local_step("echo", "1", options);
    std::string seen;
    try {
      co_await bad;
    } catch (const FailureError& e) {
      seen = e.failure().type;
    }
    const Payload value = co_await good;
    co_return "\"" + seen + value + "\"";
  });
  m.boot();
  CHECK(m.runs("w").result == "\"Oops1\"");
}

TEST_CASE("local_activity/retry, non_retryable_by_error, non_retryable_by_option") {
  Mirror m;
  m.registry.add_step("final", [&m](StepContext&, Payload) -> asio::awaitable<Payload> {
    ++m.calls;
    throw FailureError(mirror_failure("Final", false));
    co_return Payload();
  });
  m.add("retry", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    co_return co_await ctx.local_step("third", "", options);
  });
  m.add("by-error", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    co_return co_await ctx.local_step("final", "", options);
  });
  m.add("by-option", [](Context& ctx, Payload) -> Workflow<Payload> {
    LocalStepOptions options;
    options.retry.non_retryable_types = {"Early"};
    co_return co_await ctx.local_step("third", "", options);
  });
  m.boot();
  CHECK(m.runs("retry").result == "3");
  CHECK(m.runs("by-error").failure->type == "Final");
  CHECK(m.runs("by-option").failure->type == "Early");
  CHECK(m.calls == 3 + 1 + 1);
}

TEST_CASE("local_activity/completion_after_shutdown: what had not ended runs again, what had ended does not") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    const Payload first = co_await ctx.local_step("third", "", options);
    const Payload second = co_await ctx.local_step("endless", "completed", options);
    co_return "[" + first + "," + second + "]";
  });
  m.boot();
  m.start("w", "w");
  m.settle(std::chrono::seconds(30));
  CHECK(m.calls == 4);
  m.stop();
  m.boot();
  m.settle();
  CHECK(m.calls == 5);
  m.cancel("w");
  CHECK(m.ends("w").status == ExecutionStatus::canceled);
}

TEST_CASE("local_activity/cancel: told, and the code goes on at once; before it was begun it leaves no trace") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    Context never = ctx.scope();
    Future unborn = never.local_step("endless", "", options);
    never.cancel();
    std::string seen = unborn.has_failed() ? "at once," : "";
    try {
      co_await ctx.local_step("endless", "", options);
    } catch (const FailureError& e) {
      seen += e.failure().type;
    }
    co_return "\"" + seen + "\"";
  });
  m.boot();
  m.start("w", "w");
  m.settle();
  m.cancel("w");
  CHECK(m.ends("w", std::chrono::seconds(1)).result == "\"at once,Cancelled\"");
  m.settle();
  CHECK(m.calls == 1);
  CHECK(m.count("w", "MARKER_RECORDED") == 0);
}

}  // namespace millrace::engine
