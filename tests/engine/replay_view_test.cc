// Replay looked at: an execution walked event by event, all histories of a type verified at once, an exported one.
#include <catch2/catch.hpp>

#include "engine/export_format.h"
#include "engine/replay_view.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::hours;

asio::awaitable<Payload> echo(StepContext&, Payload input) { co_return input; }

Workflow<Payload> sleep_then(Context& ctx, Payload, std::string before, std::string after) {
  co_await ctx.step(before, "\"in\"", StepOptions());
  co_await ctx.timer(hours(1));
  co_await ctx.step(after, "", StepOptions());
  co_return "\"done\"";
}

Registry build(const std::string& before, const std::string& after) {
  Registry r;
  for (const char* name : {"a", "b", "c"}) r.add_step(name, echo);
  r.add_workflow("job", [=](Context& ctx, Payload in) { return sleep_then(ctx, std::move(in), before, after); });
  r.add_workflow("other", [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions options;
    co_return co_await ctx.step("a", "1", options);
  });
  r.add_workflow("collect", [](Context& ctx, Payload) -> Workflow<Payload> {
    const Payload value = ctx.side_effect("once", [] { return Payload("1"); });
    const Payload one = co_await ctx.next_signal("s");
    co_return value + one;
  });
  return r;
}

//  1 STARTED 2 TURN 3 SCHEDULED a 4 5 COMPLETED a 6 TURN 7 TIMER_STARTED 8 FIRED 9 TURN 10 SCHEDULED b 11
//  12 COMPLETED b 13 TURN 14 COMPLETED
struct Walk : EngineFixture {
  Walk() {
    registry = build("a", "b");
    boot();
    run_workflow("job", "w");
  }
  void other_build(const std::string& before, const std::string& after) {
    stop();
    registry = build(before, after);
    boot();
  }
  ReplayView at(std::uint64_t event, const std::string& id = "w") { return get(engine->replay_to(id, {}, event)); }
};

}  // namespace

TEST_CASE("an execution is walked event by event: what wakes the code, what it asks for, what the history holds") {
  Walk f;
  const auto writes = f.store->writes();
  ReplayView v = f.at(1);
  CHECK(v.turn_event_id == 2);
  CHECK(v.history_length == 14);
  REQUIRE(v.commands.size() == 1);
  CHECK(v.commands[0].text == "ACTIVITY_TASK_SCHEDULED a-1 (a)");
  CHECK(v.commands[0].attributes.find("\"in\"") != std::string::npos);
  CHECK(v.commands[0].recorded_event_id == 3);
  CHECK(v.commands[0].agrees);
  REQUIRE(v.recorded.size() == 2);
  CHECK(v.recorded[1].type == "ACTIVITY_TASK_SCHEDULED");
  REQUIRE(v.waits.size() == 1);
  CHECK(v.waits[0].kind == "step");
  CHECK(v.waits[0].name == "a-1");
  CHECK(v.waits[0].event_id == 3);

  // Within the turn: the same turn, with what is left of it.
  v = f.at(3);
  CHECK(v.turn_event_id == 2);
  CHECK(v.commands.size() == 1);
  CHECK(v.recorded.empty());

  v = f.at(5);
  REQUIRE(v.news.size() == 1);
  CHECK(v.news[0].type == "ACTIVITY_TASK_COMPLETED");
  CHECK(v.turn_event_id == 6);
  CHECK(v.commands.at(0).text == "TIMER_STARTED timer-1");
  CHECK(v.position == "TIMER_STARTED timer-1 (event 7)");
  CHECK(v.waits.at(0).kind == "timer");

  // Nothing has woken the code yet.
  v = f.at(4);
  CHECK(v.news.empty());
  CHECK(v.commands.empty());
  CHECK(v.waits.at(0).name == "a-1");

  v = f.at(14);
  CHECK(v.ended);
  CHECK(v.commands.at(0).text.starts_with("WORKFLOW_EXECUTION_COMPLETED"));
  CHECK(v.waits.empty());
  for (std::uint64_t i = 1; i <= 14; ++i) CHECK_FALSE(f.at(i).divergence.has_value());
  CHECK(f.get(f.engine->replay_to("w", {}, std::nullopt)).up_to == 14);
  CHECK(f.error_of(f.engine->replay_to("w", {}, 15)) == "workflow.event_unknown");
  CHECK(f.store->writes() == writes);
}

TEST_CASE("under another build the walk shows both sides at the first place where they differ") {
  Walk f;
  f.other_build("a", "c");
  CHECK_FALSE(f.at(5).divergence.has_value());
  const ReplayView v = f.at(8);
  REQUIRE(v.commands.size() == 1);
  CHECK(v.commands[0].text == "ACTIVITY_TASK_SCHEDULED c-1 (c)");
  CHECK_FALSE(v.commands[0].agrees);
  REQUIRE(v.divergence);
  CHECK(v.divergence->event_id == 10);
  CHECK(v.divergence->expected == "ACTIVITY_TASK_SCHEDULED b-1 (b)");
  CHECK(f.at(12).divergence->event_id == 10);
}

TEST_CASE("an open execution shows what it waits for, and side effects are not made again") {
  Walk f;
  f.start("collect", "s");
  f.sim.run_until_idle(std::chrono::seconds(5));
  const ReplayView v = f.get(f.engine->replay_to("s", {}, std::nullopt));
  REQUIRE(v.waits.size() == 1);
  CHECK(v.waits[0].kind == "signal");
  CHECK(v.waits[0].name == "s");
  CHECK_FALSE(v.ended);
  f.get(f.engine->signal("s", {}, "s", "2", {}));
  CHECK(f.wait("s").result == "12");
}

TEST_CASE("all histories of a type since a time are verified, with progress, and each first divergence is told") {
  Walk f;
  f.run_workflow("other", "o");
  f.sim.run_until_idle(hours(2));
  for (int i = 0; i < 5; ++i) f.run_workflow("job", "n" + std::to_string(i));
  f.start("job", "open");
  f.sim.run_until_idle(std::chrono::seconds(5));
  VerifyAllRequest jobs;
  jobs.filter.type = "job";
  VerifyAllReport report = f.get(f.engine->verify_all(jobs, {}));
  CHECK(report.runs == 7);
  CHECK(report.open_runs == 1);
  CHECK(report.events == 6 * 14 + 7);
  CHECK(report.diverged == 0);

  f.other_build("a", "c");
  const auto writes = f.store->writes();
  report = f.get(f.engine->verify_all(jobs, {}));
  CHECK(report.runs == 7);
  CHECK(report.diverged == 6);
  REQUIRE(report.divergences.size() == 6);
  CHECK(report.divergences[0].divergence.event_id == 10);
  CHECK(report.divergences[0].type == "job");
  CHECK(report.divergences.back().workflow_id == "w");
  jobs.since = f.describe("n0").execution.started;
  CHECK(f.get(f.engine->verify_all(jobs, {})).runs == 6);
  CHECK(f.get(f.engine->verify_all(VerifyAllRequest(), {})).runs == 8);
  CHECK(f.store->writes() == writes);
}

TEST_CASE("an exported history is verified without its execution") {
  Walk f;
  std::string text = export_header_line(export_header_of(f.describe("w").execution)) + "\n";
  for (const EventView& e : f.history("w")) text += export_event_line(e) + "\n";
  VerifiedFile file = f.engine->verify_file(text);
  CHECK(file.workflow_id == "w");
  CHECK(file.type == "job");
  CHECK(file.report.events_checked == 14);
  CHECK_FALSE(file.report.divergence.has_value());
  f.other_build("c", "b");
  file = f.engine->verify_file(text);
  REQUIRE(file.report.divergence);
  CHECK(file.report.divergence->event_id == 3);
  CHECK_THROWS_AS(f.engine->verify_file("{\"id\":2}\n"), Error);
  CHECK_THROWS_AS(f.engine->verify_file(""), Error);
}

}  // namespace millrace::engine
