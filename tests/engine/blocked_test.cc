// Code that no longer agrees with a history, and code that breaks: blocked, visible, never retried in a loop.
#include <catch2/catch.hpp>

#include "common/metrics.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

asio::awaitable<Payload> echo(StepContext&, Payload input) { co_return input; }

Workflow<Payload> sleep_then(Context& ctx, Payload, std::string before, std::string after) {
  co_await ctx.step(before, "", StepOptions());
  co_await ctx.timer(std::chrono::hours(1));
  co_await ctx.step(after, "", StepOptions());
  co_return "\"done\"";
}

Registry build(const std::string& before, const std::string& after) {
  Registry r;
  for (const char* name : {"a", "b", "c"}) r.add_step(name, echo);
  r.add_workflow(
      "job", [before, after](Context& ctx, Payload input) { return sleep_then(ctx, std::move(input), before, after); });
  return r;
}

}  // namespace

TEST_CASE(
    "an open execution that another build does not agree with is blocked, with both sides, and goes on under one that "
    "does") {
  EngineFixture f;
  f.registry = build("a", "b");
  f.boot();
  f.start("job", "w");
  f.sim.run_until_idle(std::chrono::seconds(10));
  f.stop();

  f.registry = build("c", "b");
  f.boot();
  const auto writes = f.store->writes();
  f.sim.run_until_idle(std::chrono::minutes(30));
  ListFilter running;
  running.status = ExecutionStatus::running;
  const auto list = f.get(f.engine->list(running));
  REQUIRE(list.executions.size() == 1);
  REQUIRE(list.executions[0].blocked);
  CHECK(list.executions[0].blocked->event_id == 3);
  CHECK(list.executions[0].blocked->expected == "ACTIVITY_TASK_SCHEDULED a-1 (a)");
  CHECK(list.executions[0].blocked->got == "ACTIVITY_TASK_SCHEDULED c-1 (c)");
  CHECK(f.store->writes() - writes <= 1);  // told once, not retried in a loop
  CHECK(render_metrics().find("millrace_workflow_blocked{type=\"job\"} 1") != std::string::npos);
  f.stop();

  f.registry = build("a", "c");  // what comes later may change
  f.boot();
  CHECK(f.wait("w").result == "\"done\"");
  CHECK(!f.describe("w").execution.blocked);
  CHECK(f.describe("w").steps[1].type == "c");
}

TEST_CASE("a blocked execution can be cancelled and terminated") {
  EngineFixture f;
  f.registry = build("a", "b");
  f.boot();
  f.start("job", "w");
  f.sim.run_until_idle(std::chrono::seconds(10));
  f.stop();
  f.registry = build("c", "b");
  f.boot();
  f.run(f.engine->request_cancel("w", {}, "", ""));
  CHECK(f.describe("w").execution.cancel_requested);
  f.run(f.engine->terminate("w", {}, "hopeless"));
  CHECK(f.wait("w").status == ExecutionStatus::terminated);
}

TEST_CASE("an execution whose type this build lacks is blocked until one has it") {
  EngineFixture f;
  f.registry = build("a", "b");
  f.boot();
  f.start("job", "w");
  f.sim.run_until_idle(std::chrono::seconds(10));
  f.stop();
  f.registry = Registry();
  f.boot();
  f.sim.run_until_idle(std::chrono::seconds(10));
  const auto e = f.describe("w").execution;
  REQUIRE(e.blocked);
  CHECK(e.blocked->expected == "code for workflow type job");
  f.stop();
  f.registry = build("a", "b");
  f.boot();
  CHECK(f.wait("w").result == "\"done\"");
}

TEST_CASE(
    "an exception that is no failure blocks; what woke the code is not lost, and a mended build goes on from there") {
  EngineFixture f;
  bool mended = false;
  f.registry.add_step("a", echo);
  const auto code = [](Context& ctx, Payload, bool* ok) -> Workflow<Payload> {
    const Payload a = co_await ctx.step("a", "1", StepOptions());
    if (!*ok) throw std::logic_error("a bug");
    co_return a;
  };
  f.registry.add_workflow("job", [&](Context& ctx, Payload in) { return code(ctx, std::move(in), &mended); });
  f.boot();
  f.start("job", "w");
  f.sim.run_until_idle(std::chrono::seconds(10));
  const auto e = f.describe("w");
  REQUIRE(e.execution.blocked);
  CHECK(e.execution.blocked->got.find("a bug") != std::string::npos);
  CHECK(e.steps[0].state == StepState::completed);
  f.stop();
  mended = true;
  f.boot();
  CHECK(f.wait("w").result == "1");
  CHECK(f.describe("w").steps[0].attempts.size() == 1);
}

TEST_CASE("verify finds the first divergence of a closed run, and has no effect") {
  EngineFixture f;
  f.registry = build("a", "b");
  f.boot();
  f.run_workflow("job", "w");
  f.stop();
  f.registry = build("a", "c");
  f.boot();
  const auto writes = f.store->writes();
  const auto report = f.get(f.engine->verify("w", {}));
  REQUIRE(report.divergence);
  CHECK(report.divergence->event_id == 10);
  CHECK(report.divergence->expected == "ACTIVITY_TASK_SCHEDULED b-1 (b)");
  CHECK(report.divergence->got == "ACTIVITY_TASK_SCHEDULED c-1 (c)");
  CHECK(report.divergence->position == "TIMER_STARTED timer-1 (event 7)");
  CHECK(f.store->writes() == writes);
}

TEST_CASE("verify of an open run checks as far as its history goes") {
  EngineFixture f;
  f.registry = build("a", "b");
  f.boot();
  f.start("job", "w");
  f.sim.run_until_idle(std::chrono::seconds(10));
  const auto report = f.get(f.engine->verify("w", {}));
  CHECK(!report.divergence);
  CHECK(report.open_end);
  CHECK(report.events_checked == 7);
}

}  // namespace millrace::engine
