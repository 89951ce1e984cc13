// Local steps, waiting for several things at once, sagas, and what children and other executions can be told.
#include <catch2/catch.hpp>

#include "engine/combine.h"
#include "engine/saga.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

Failure failure_of(const std::string& type, bool retryable = false) {
  Failure f;
  f.type = type;
  f.message = type;
  f.retryable = retryable;
  return f;
}

struct Features : EngineFixture {
  Features() {
    registry.add_step("echo", [](StepContext&, Payload input) -> asio::awaitable<Payload> { co_return input; });
    registry.add_step("slow", [](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      co_await ctx.runtime().sleep_for(std::chrono::seconds(std::stoi(input)));
      co_return input;
    });
    registry.add_step("count", [this](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      ++calls;
      if (ctx.token().attempt < std::stoul(input)) throw FailureError(failure_of("Flaky", true));
      co_return std::to_string(ctx.token().attempt);
    });
    registry.add_step("fails", [](StepContext&, Payload input) -> asio::awaitable<Payload> {
      throw FailureError(failure_of(input));
      co_return Payload();
    });
    registry.add_step("note", [this](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
      notes += ctx.activity_id() + " ";
      co_return Payload();
    });
    registry.add_workflow("sleeper", [](Context& ctx, Payload) -> Workflow<Payload> {
      co_await ctx.timer(std::chrono::hours(100));
      co_return Payload("1");
    });
    registry.add_workflow("broken", [](Context& ctx, Payload) -> Workflow<Payload> {
      co_await ctx.timer(std::chrono::seconds(1));
      throw FailureError(failure_of("Broken"));
    });
  }
  void add(const std::string& type, WorkflowFunction f) { registry.add_workflow(type, std::move(f)); }
  // Started, ended, and in agreement with its own history.
  Execution ends(const std::string& type) {
    const Execution e = run_workflow(type, type);
    const VerifyReport report = get(engine->verify(type, {}));
    if (report.divergence) FAIL(report.divergence->expected << " / " << report.divergence->got);
    return e;
  }
  int calls = 0;
  std::string notes;
};

}  // namespace

TEST_CASE("a local step leaves one marker and nothing else") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    const Payload one = co_await ctx.local_step("echo", "\"1\"", options);
    const Payload two = co_await ctx.local_step("echo", "\"2\"", options);
    co_return "[" + one + "," + two + "]";
  });
  f.boot();
  CHECK(f.ends("w").result == "[\"1\",\"2\"]");
  CHECK(f.event_types("w") == std::vector<std::string>{"WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_COMPLETED",
                                                       "MARKER_RECORDED", "WORKFLOW_TASK_COMPLETED", "MARKER_RECORDED",
                                                       "WORKFLOW_TASK_COMPLETED", "WORKFLOW_EXECUTION_COMPLETED"});
}

TEST_CASE("local steps run at once, are tried again, time out and fail as their options say") {
  Features f;
  f.add("at-once", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    std::vector<Future> both = {ctx.local_step("slow", "2", options), ctx.local_step("slow", "1", options)};
    const std::size_t first = co_await select(both);
    co_return std::to_string(first);
  });
  f.add("retried", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    co_return co_await ctx.local_step("count", "3", options);
  });
  f.add("given-up", [](Context& ctx, Payload) -> Workflow<Payload> {
    LocalStepOptions options;
    options.retry.maximum_attempts = 2;
    co_return co_await ctx.local_step("count", "9", options);
  });
  f.add("late", [](Context& ctx, Payload) -> Workflow<Payload> {
    LocalStepOptions options;
    options.start_to_close = std::chrono::seconds(1);
    options.retry.maximum_attempts = 1;
    co_return co_await ctx.local_step("slow", "50", options);
  });
  f.add("not-again", [](Context& ctx, Payload) -> Workflow<Payload> {
    LocalStepOptions options;
    options.retry.non_retryable_types = {"Flaky"};
    co_return co_await ctx.local_step("count", "9", options);
  });
  f.boot();
  CHECK(f.ends("at-once").result == "1");
  CHECK(f.ends("retried").result == "3");
  CHECK(f.calls == 3);
  CHECK(f.ends("given-up").failure->type == "Flaky");
  CHECK(f.calls == 5);
  CHECK(f.ends("late").failure->type == "TimeoutStartToClose");
  CHECK(f.ends("not-again").failure->type == "Flaky");
  CHECK(f.calls == 6);
}

TEST_CASE("a local step that a crash of the server has interrupted runs again") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    const Payload before = co_await ctx.local_step("echo", "1", options);
    const Payload slow = co_await ctx.local_step("slow", "30", options);
    co_return before + slow;
  });
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(std::chrono::seconds(5));
  f.stop();
  f.boot();
  CHECK(f.wait("w").result == "130");
  CHECK(!f.get(f.engine->verify("w", {})).divergence);
}

TEST_CASE("a cancelled local step is told, and its late end is dropped") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const LocalStepOptions options;
    co_return co_await ctx.local_step("slow", "1000", options);
  });
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(std::chrono::seconds(1));
  f.run(f.engine->request_cancel("w", {}, "", ""));
  CHECK(f.wait("w", std::chrono::seconds(5)).status == ExecutionStatus::canceled);
  CHECK(!f.get(f.engine->verify("w", {})).divergence);
}

TEST_CASE("select takes the first of a step, a timer, a signal and a child, by the order of events") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    ChildOptions child;
    child.parent_close_policy = ParentClosePolicy::terminate;
    std::vector<Future> four = {ctx.start_step("slow", "20", options), ctx.timer(std::chrono::seconds(30)),
                                ctx.next_signal("s"), ctx.start_child("sleeper", "", child).result};
    std::string order;
    for (int i = 0; i < 3; ++i) {
      const std::size_t first = co_await select(four);
      order += std::to_string(first);
      four[first] = ctx.next_signal("never");
    }
    co_return "\"" + order + "\"";
  });
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(std::chrono::seconds(5));
  f.get(f.engine->signal("w", {}, "s", "1", ""));
  CHECK(f.wait("w").result == "\"201\"");
  CHECK(!f.get(f.engine->verify("w", {})).divergence);
}

TEST_CASE("all gives the values in order, or the first failure") {
  Features f;
  f.add("values", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    std::vector<Future> three = {ctx.start_step("slow", "3", options), ctx.start_step("slow", "1", options),
                                 ctx.start_step("slow", "2", options)};
    std::vector<Payload> values = co_await all(std::move(three));
    co_return "\"" + values[0] + values[1] + values[2] + "\"";
  });
  f.add("failure", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    std::vector<Future> two = {ctx.start_step("slow", "1000", options), ctx.start_step("fails", "Oops", options)};
    std::vector<Payload> values = co_await all(std::move(two));
    co_return values[0];
  });
  f.boot();
  CHECK(f.ends("values").result == "\"312\"");
  const Execution e = f.ends("failure");
  CHECK(e.failure->type == "Oops");
  CHECK(*e.closed - e.started < std::chrono::seconds(10));
}

TEST_CASE("race takes the winner and cancels the losers") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    Context racers = ctx.scope();
    const StepOptions options;
    std::vector<Future> both = {racers.start_step("slow", "1000", options), racers.timer(std::chrono::seconds(5))};
    const Race won = co_await race(racers, std::move(both));
    co_return std::to_string(won.index);
  });
  f.boot();
  CHECK(f.ends("w").result == "1");
  CHECK(f.describe("w").steps[0].state == StepState::canceled);
}

TEST_CASE("a saga undoes in reverse, whatever a compensation does, also when it is cancelled") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    Saga saga(ctx);
    StepOptions options;
    options.retry.maximum_attempts = 1;
    std::optional<Failure> failed;
    try {
      for (int i = 1; i <= 3; ++i) {
        options.activity_id = "undo-" + std::to_string(i);
        saga.compensate_with(i == 2 ? "fails" : "note", "Undo", options);
        options.activity_id = "do-" + std::to_string(i);
        co_await ctx.step("note", "", options);
      }
      co_await ctx.timer(std::chrono::hours(1));
    } catch (const FailureError& e) {
      failed = e.failure();
    }
    const std::size_t not_undone = co_await saga.undo();
    if (failed && not_undone == 1) throw FailureError(*failed);
    co_return Payload("1");
  });
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(std::chrono::seconds(5));
  f.run(f.engine->request_cancel("w", {}, "", ""));
  CHECK(f.wait("w", std::chrono::seconds(60)).status == ExecutionStatus::canceled);
  CHECK(f.notes == "do-1 do-2 do-3 undo-3 undo-1 ");
}

TEST_CASE("a child is cancelled as its parent's code wants it") {
  const std::pair<ChildCancelMode, ExecutionStatus> modes[] = {
      {ChildCancelMode::wait_completed, ExecutionStatus::canceled},
      {ChildCancelMode::wait_requested, ExecutionStatus::canceled},
      {ChildCancelMode::try_cancel, ExecutionStatus::canceled},
      {ChildCancelMode::abandon, ExecutionStatus::running}};
  for (const auto& [mode, status] : modes) {
    Features f;
    f.add("w", [mode](Context& ctx, Payload) -> Workflow<Payload> {
      ChildOptions options;
      options.workflow_id = "child";
      options.cancel_mode = mode;
      options.parent_close_policy = ParentClosePolicy::abandon;
      Context scope = ctx.scope();
      Context::Child child = scope.start_child("sleeper", "", options);
      co_await child.started;
      scope.cancel();
      std::optional<Failure> failure;
      try {
        co_await child.result;
      } catch (const FailureError& e) {
        failure = e.failure();
      }
      co_return failure && failure->type == "Cancelled" ? Payload("\"cancelled\"") : Payload("\"ended\"");
    });
    f.boot();
    INFO(static_cast<int>(mode));
    CHECK(f.ends("w").result == "\"cancelled\"");
    f.sim.run_until_idle(std::chrono::seconds(5));
    CHECK(f.describe("child").execution.status == status);
  }
}

TEST_CASE("a child that is cancelled in the turn that asks for it leaves no trace") {
  Features f;
  f.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    ChildOptions options;
    Context scope = ctx.scope();
    Context::Child child = scope.start_child("sleeper", "", options);
    scope.cancel();
    std::string seen;
    try {
      co_await child.started;
    } catch (const FailureError& e) {
      seen = e.failure().type;
    }
    co_return "\"" + seen + "\"";
  });
  f.boot();
  CHECK(f.ends("w").result == "\"Cancelled\"");
  CHECK(f.describe("w").children.empty());
  CHECK(f.error_of(f.engine->describe("w-c1", {})) == "workflow.not_found");
}

TEST_CASE("what a child ends with is what its parent's code catches") {
  Features f;
  f.add("failing", [](Context& ctx, Payload) -> Workflow<Payload> {
    const ChildOptions options;
    co_return co_await ctx.start_child("broken", "", options).result;
  });
  f.add("late", [](Context& ctx, Payload) -> Workflow<Payload> {
    ChildOptions options;
    options.run_timeout = std::chrono::seconds(5);
    co_return co_await ctx.start_child("sleeper", "", options).result;
  });
  f.add("terminated", [](Context& ctx, Payload) -> Workflow<Payload> {
    ChildOptions options;
    options.workflow_id = "victim";
    co_return co_await ctx.start_child("sleeper", "", options).result;
  });
  f.add("in-use", [](Context& ctx, Payload) -> Workflow<Payload> {
    ChildOptions options;
    options.workflow_id = "in-use";
    co_return co_await ctx.start_child("sleeper", "", options).started;
  });
  f.boot();
  CHECK(f.ends("failing").failure->type == "Broken");
  CHECK(f.ends("late").failure->type == "TimeoutRun");
  CHECK(f.describe("late").children[0].status == ExecutionStatus::timed_out);
  CHECK(f.ends("in-use").failure->type == "workflow.already_running");
  f.start("terminated", "terminated");
  f.sim.run_until_idle(std::chrono::seconds(1));
  f.run(f.engine->terminate("victim", {}, "a test"));
  CHECK(f.wait("terminated").failure->type == "Terminated");
}

TEST_CASE("a workflow signals and cancels others, and learns when there is nobody") {
  Features f;
  f.add("listener", [](Context& ctx, Payload) -> Workflow<Payload> {
    const Payload word = co_await ctx.next_signal("word");
    co_await ctx.timer(std::chrono::hours(1));
    co_return word;
  });
  f.add("speaker", [](Context& ctx, Payload) -> Workflow<Payload> {
    co_await ctx.signal_external("listener", "word", "1");
    co_await ctx.cancel_external("listener");
    std::string seen;
    try {
      co_await ctx.cancel_external("nobody");
    } catch (const FailureError& e) {
      seen = e.failure().type;
    }
    co_return "\"" + seen + "\"";
  });
  f.boot();
  f.start("listener", "listener");
  CHECK(f.ends("speaker").result == "\"workflow.not_found\"");
  CHECK(f.wait("listener").status == ExecutionStatus::canceled);
}

TEST_CASE("continue-as-new is suggested by length, the same on replay") {
  Features f;
  f.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    if (input == "done") co_return Payload("1");
    const StepOptions options;
    int n = 0;
    while (!ctx.continue_as_new_suggested() && n < 5'000) {
      co_await ctx.step("echo", "1", options);
      ++n;
    }
    if (n == 5'000) co_return Payload("2");
    throw ContinueAsNew("done");
  });
  f.boot();
  const StartResult first = f.start("w", "w");
  f.sim.run_until_idle(std::chrono::hours(1));
  CHECK(f.wait("w").result == "1");
  CHECK(!f.get(f.engine->verify("w", first.run_id)).divergence);
}

TEST_CASE("a signal that the code has not read moves along; one sent again under its id is not doubled") {
  Features f;
  f.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    if (input.empty()) {
      co_await ctx.next_signal("go");
      throw ContinueAsNew("next");
    }
    const Payload one = co_await ctx.next_signal("s");
    const Payload two = co_await ctx.next_signal("s");
    co_return one + two;
  });
  f.boot();
  f.start("w", "w");
  f.get(f.engine->signal("w", {}, "s", "1", "id-1"));
  f.get(f.engine->signal("w", {}, "go", "", ""));
  f.sim.run_until_idle(std::chrono::seconds(1));
  f.get(f.engine->signal("w", {}, "s", "1", "id-1"));
  f.sim.run_until_idle(std::chrono::seconds(1));
  CHECK(f.describe("w").execution.status == ExecutionStatus::running);
  f.get(f.engine->signal("w", {}, "s", "2", "id-2"));
  CHECK(f.wait("w").result == "12");
}

}  // namespace millrace::engine
