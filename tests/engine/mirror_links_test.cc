// features/child_workflow, features/continue_as_new and features/signal.
#include "tests/engine/mirror_fixture.h"

namespace millrace::engine {
namespace {

ChildOptions child_named(const std::string& id) {
  ChildOptions options;
  options.workflow_id = id;
  return options;
}

}  // namespace

TEST_CASE("child_workflow/result and start: its run id when it runs, its result when it ends") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    Context::Child child = ctx.start_child("echo", "\"hello\"", child_named("c"));
    const Payload run = co_await child.started;
    const Payload result = co_await child.result;
    co_return "[\"" + run + "\"," + result + "]";
  });
  m.boot();
  const Execution e = m.runs("w");
  CHECK(e.result == "[\"" + m.describe("c").execution.run_id + "\",\"hello\"]");
  CHECK(m.describe("c").execution.parent_run_id == e.run_id);
}

TEST_CASE("child_workflow/signal: a parent signals the child that it started") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    Context::Child child = ctx.start_child("listener", "", child_named("c"));
    co_await child.started;
    co_await ctx.signal_external("c", "word", "\"unblock\"");
    co_return co_await child.result;
  });
  m.boot();
  CHECK(m.runs("w").result == "\"unblock\"");
}

TEST_CASE("child_workflow/throws_on_start: its id is in use") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    std::string seen;
    try {
      co_await ctx.start_child("sleeper", "", child_named("taken")).started;
    } catch (const FailureError& e) {
      seen = e.failure().type;
    }
    co_return "\"" + seen + "\"";
  });
  m.boot();
  m.start("sleeper", "taken");
  CHECK(m.runs("w").result == "\"workflow.already_running\"");
}

TEST_CASE("child_workflow/throws_on_execute: it fails, with its failure") {
  Mirror m;
  m.add("bad", [](Context& ctx, Payload) -> Workflow<Payload> {
    co_await ctx.timer(std::chrono::seconds(1));
    throw FailureError(mirror_failure("FailedChild"));
  });
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    co_return co_await ctx.start_child("bad", "", child_named("c")).result;
  });
  m.boot();
  CHECK(m.runs("w").failure->type == "FailedChild");
}

TEST_CASE("child_workflow/cancel_abandon, cancel_try_cancel, cancel_wait_requested, cancel_wait_completed") {
  for (const ChildCancelMode mode : {ChildCancelMode::abandon, ChildCancelMode::try_cancel,
                                     ChildCancelMode::wait_requested, ChildCancelMode::wait_completed}) {
    Mirror m;
    // The child takes ten seconds to clean up.
    m.add("tidy", [](Context& ctx, Payload) -> Workflow<Payload> {
      std::optional<Failure> cancelled;
      try {
        co_await ctx.timer(std::chrono::hours(100));
      } catch (const FailureError& e) {
        cancelled = e.failure();
      }
      Context shielded = ctx.shield();
      co_await shielded.timer(std::chrono::seconds(10));
      if (cancelled) throw FailureError(*cancelled);
      co_return Payload();
    });
    m.add("w", [mode](Context& ctx, Payload) -> Workflow<Payload> {
      ChildOptions options = child_named("c");
      options.cancel_mode = mode;
      options.parent_close_policy = ParentClosePolicy::abandon;
      Context::Child child = ctx.start_child("tidy", "", options);
      co_await child.started;
      co_return co_await child.result;
    });
    m.boot();
    m.start("w", "w");
    m.settle();
    m.cancel("w");
    INFO(static_cast<int>(mode));
    const Execution e = m.ends("w");
    CHECK(e.status == ExecutionStatus::canceled);
    const bool waited = *e.closed - e.started >= std::chrono::seconds(10);
    CHECK(waited == (mode == ChildCancelMode::wait_completed));
    const bool asked = m.count("w", "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED") == 1;
    CHECK(asked == (mode != ChildCancelMode::abandon));
    m.settle(std::chrono::seconds(20));
    const auto child = m.describe("c").execution.status;
    CHECK(child == (asked ? ExecutionStatus::canceled : ExecutionStatus::running));
  }
}

TEST_CASE("continue_as_new/continue_as_same: same id and type, another run, memo kept") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    co_await ctx.timer(std::chrono::seconds(1));
    if (input == "2") co_return input;
    throw ContinueAsNew(std::to_string(std::stoi(input) + 1));
  });
  m.boot();
  StartRequest request;
  request.type = "w";
  request.workflow_id = "w";
  request.input = "0";
  request.memo = R"({"k":"v"})";
  const StartResult first = m.get(m.engine->start_workflow(request));
  m.settle(std::chrono::seconds(20));
  const Execution last = m.wait("w");
  CHECK(last.result == "2");
  CHECK(last.memo == R"({"k":"v"})");
  CHECK(last.first_run_id == first.run_id);
  const Execution begun = m.get(m.engine->describe("w", first.run_id)).execution;
  CHECK(begun.status == ExecutionStatus::continued_as_new);
  m.agrees("w", first.run_id);
}

TEST_CASE("continue_as_new/signals_block: a signal that came meanwhile is not lost with the old run") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    if (input == "again") co_return co_await ctx.next_signal("s");
    co_await ctx.timer(std::chrono::seconds(1));
    throw ContinueAsNew("again");
  });
  m.boot();
  const auto first = m.start("w", "w");
  m.signal("w", "s", "7");
  m.settle(std::chrono::seconds(20));
  CHECK(m.wait("w").result == "7");
  m.agrees("w");
  m.agrees("w", first.run_id);
}

TEST_CASE("continue_as_new/updates_do_not_block: an update that runs does not keep the run from continuing") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
    ctx.on_update("u", {}, [](Context& c, Payload) -> Workflow<Payload> {
      co_await c.timer(std::chrono::hours(1));
      co_return Payload("1");
    });
    if (input == "again") co_return Payload("2");
    co_await ctx.next_signal("go");
    throw ContinueAsNew("again");
  });
  m.boot();
  m.start("w", "w");
  UpdateRequest u = m.update_of("u");
  u.wait_completed = false;
  m.get(m.engine->update(u));
  m.signal("w", "go");
  m.settle(std::chrono::seconds(20));
  CHECK(m.wait("w").result == "2");
}

TEST_CASE("signal/basic and signal/external") {
  Mirror m;
  m.boot();
  m.start("listener", "w");
  m.signal("w", "word", "\"arg\"");
  CHECK(m.ends("w").result == "\"arg\"");
}

TEST_CASE("signal/child_workflow and signal/workflow_to_workflow, both ways") {
  Mirror m;
  m.add("ping", [](Context& ctx, Payload other) -> Workflow<Payload> {
    co_await ctx.signal_external(other, "ball", "\"ping\"");
    co_return co_await ctx.next_signal("ball");
  });
  m.add("pong", [](Context& ctx, Payload other) -> Workflow<Payload> {
    const Payload ball = co_await ctx.next_signal("ball");
    co_await ctx.signal_external(other, "ball", "\"pong\"");
    co_return ball;
  });
  m.boot();
  m.start("pong", "b", "a");
  m.start("ping", "a", "b");
  CHECK(m.ends("a").result == "\"pong\"");
  CHECK(m.ends("b").result == "\"ping\"");
}

TEST_CASE("signal/activities: a signal starts steps while the main code waits") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    std::string out;
    for (int i = 0; i < 3; ++i) {
      const Payload word = co_await ctx.next_signal("s");
      out += co_await ctx.step("echo", word, options);
    }
    co_return out;
  });
  m.boot();
  m.start("w", "w");
  for (const char* n : {"1", "2", "3"}) m.signal("w", "s", n);
  CHECK(m.ends("w").result == "123");
}

TEST_CASE("signal/prevent_close: what was acknowledged before the run closed is in its history before its end") {
  Mirror m;
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    co_await ctx.timer(std::chrono::seconds(1));
    co_return Payload("1");
  });
  m.boot();
  m.start("w", "w");
  m.signal("w", "s");
  CHECK(m.ends("w").status == ExecutionStatus::completed);
  const auto types = m.event_types("w");
  const auto signalled = std::find(types.begin(), types.end(), "WORKFLOW_EXECUTION_SIGNALED");
  CHECK(signalled != types.end());
  CHECK(types.back() == "WORKFLOW_EXECUTION_COMPLETED");
  CHECK(m.error_of(m.engine->signal("w", {}, "s", "", "")) == "workflow.closed");
}

}  // namespace millrace::engine
