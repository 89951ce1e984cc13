// Pause of a run, and what a person does to a pending step.
#include <catch2/catch.hpp>

#include "engine/workflow.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::seconds;
using Verb = StepCommand::Verb;

struct OperatorFixture : EngineFixture {
  OperatorFixture() {
    registry.add_step("work", [this](StepContext&, Payload) -> asio::awaitable<Payload> {
      if (++ran <= failures) throw std::runtime_error("not yet");
      co_return std::to_string(ran);
    });
    registry.add_workflow("one", [](Context& c, Payload) -> Workflow<Payload> {
      StepOptions options;
      options.retry.initial_interval = std::chrono::hours(1);
      options.retry.maximum_attempts = 3;
      co_return co_await c.step("work", "1", std::move(options));
    });
    registry.add_workflow("timed", [](Context& c, Payload) -> Workflow<Payload> {
      co_await c.timer(seconds(10));
      co_return co_await c.step("work", "1", StepOptions());
    });
  }
  void step(Verb verb, const std::function<void(StepCommand&)>& change = {}) {
    StepCommand command;
    command.workflow_id = "w";
    command.activity_id = "work-1";
    command.verb = verb;
    command.identity = "ann";
    if (change) change(command);
    run(engine->command_step(std::move(command)));
  }
  void settle(Duration d = seconds(30)) { run(rest(sim.runtime(), d)); }
  static asio::awaitable<void> rest(Runtime runtime, Duration d) { co_await runtime.sleep_for(d); }
  StepDescription the_step() { return describe("w").steps.at(0); }

  int ran = 0;
  int failures = 0;
};

}  // namespace

TEST_CASE_METHOD(OperatorFixture,
                 "a paused run keeps what comes in and does nothing until it goes on, also over a restart") {
  boot();
  start("timed", "w");
  settle(seconds(1));
  run(engine->pause("w", {}, "look", "ann"));
  run(engine->pause("w", {}, "again", "bob"));
  CHECK(describe("w").execution.status == ExecutionStatus::paused);
  settle();
  CHECK(event_types("w").back() == "TIMER_FIRED");
  CHECK(ran == 0);
  stop();
  boot();
  settle();
  CHECK(describe("w").execution.status == ExecutionStatus::paused);
  CHECK(ran == 0);
  ListFilter paused;
  paused.status = ExecutionStatus::paused;
  CHECK(get(engine->list(paused)).executions.size() == 1);
  CHECK(error_of(engine->start_workflow([] {
          StartRequest r;
          r.type = "timed";
          r.workflow_id = "w";
          return r;
        }())) == "workflow.already_running");
  run(engine->unpause("w", {}, "", "ann"));
  CHECK(wait("w").result == "1");
  const auto types = event_types("w");
  CHECK(std::count(types.begin(), types.end(), "WORKFLOW_EXECUTION_PAUSED") == 1);
  CHECK_FALSE(get(engine->verify("w", {})).divergence.has_value());
}

TEST_CASE_METHOD(OperatorFixture, "a step that backs off starts at once when it is asked to") {
  failures = 1;
  boot();
  start("one", "w");
  settle();
  CHECK(the_step().state == StepState::backing_off);
  step(Verb::retry);
  CHECK(wait("w", seconds(5)).result == "2");
}

TEST_CASE_METHOD(OperatorFixture, "a paused step starts no attempt, also over a restart, until it is let go") {
  failures = 1;
  boot();
  start("one", "w");
  settle();
  step(Verb::pause, [](StepCommand& c) { c.reason = "look"; });
  CHECK(the_step().paused);
  CHECK(the_step().pause_reason == "look");
  stop();
  boot();
  settle(std::chrono::hours(3));
  CHECK(ran == 1);
  CHECK(the_step().paused);
  step(Verb::unpause);
  CHECK(wait("w", seconds(5)).result == "2");
}

TEST_CASE_METHOD(OperatorFixture, "attempts that are reset count from nothing again") {
  failures = 4;
  boot();
  start("one", "w");
  settle(std::chrono::hours(2));
  CHECK(ran == 2);
  step(Verb::reset);
  CHECK(wait("w").result == "5");
}

TEST_CASE_METHOD(OperatorFixture, "a step is completed or failed by hand, and the history says by whom") {
  failures = 1;
  boot();
  start("one", "w");
  settle();
  step(Verb::complete, [](StepCommand& c) { c.result = "42"; });
  CHECK(wait("w").result == "42");
  bool said = false;
  for (const EventView& e : history("w"))
    if (e.type == "ACTIVITY_TASK_COMPLETED") said = e.attributes.find(R"("identity":"ann")") != std::string::npos;
  CHECK(said);
  StepCommand late;
  late.workflow_id = "w";
  late.activity_id = "work-1";
  CHECK(error_of(engine->command_step(late)) == "workflow.closed");

  ran = 0;
  start("one", "w");
  settle();
  late.activity_id = "work-7";
  CHECK(error_of(engine->command_step(late)) == "workflow.step_not_pending");
  step(Verb::fail, [](StepCommand& c) { c.failure.type = "given_up"; });
  CHECK(wait("w").failure->type == "given_up");
}

TEST_CASE_METHOD(OperatorFixture, "changed options rule the attempts that follow, also over a restart") {
  failures = 4;
  boot();
  start("one", "w");
  settle();
  step(Verb::options, [](StepCommand& c) {
    c.retry.emplace();
    c.retry->initial_interval = seconds(1);
    c.retry->maximum_attempts = 5;
  });
  stop();
  boot();
  step(Verb::retry);
  CHECK(wait("w", seconds(60)).result == "5");
}

}  // namespace millrace::engine
