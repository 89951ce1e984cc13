// Reset: a new run with the history up to a point; steps, timers, messages and children go on from there.
#include <catch2/catch.hpp>

#include "engine/workflow.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::seconds;

// Steps by type, each counted and answering "<type>-<how often it ran>".
struct ResetFixture : EngineFixture {
  ResetFixture() {
    for (const char* type : {"a", "b", "c"}) {
      registry.add_step(type, [this, type = std::string(type)](StepContext&, Payload) -> asio::awaitable<Payload> {
        const int n = ++ran[type];
        if (fail == type && n <= 1) {
          Failure f;
          f.type = "broken";
          f.retryable = false;
          throw FailureError(f);
        }
        co_return "\"" + type + std::to_string(n) + "\"";
      });
    }
    registry.add_workflow("three", three);
    registry.add_workflow("wait", wait_signal);
    registry.add_workflow("timer", timer);
    registry.add_workflow("parent", parent);
    registry.add_workflow("again", again);
  }
  static Workflow<Payload> three(Context& c, Payload) {
    const Payload a = co_await c.step("a", "1", StepOptions());
    const Payload b = co_await c.step("b", "1", StepOptions());
    const Payload d = co_await c.step("c", "1", StepOptions());
    co_return "[" + a + "," + b + "," + d + "]";
  }
  static Workflow<Payload> wait_signal(Context& c, Payload) {
    const Payload a = co_await c.step("a", "1", StepOptions());
    const Payload s = co_await c.next_signal("go");
    const Payload b = co_await c.step("b", "1", StepOptions());
    const Payload t = co_await c.next_signal("go");
    co_return "[" + a + "," + s + "," + b + "," + t + "]";
  }
  static Workflow<Payload> timer(Context& c, Payload) {
    co_await c.step("a", "1", StepOptions());
    co_await c.timer(seconds(100));
    co_return co_await c.step("b", "1", StepOptions());
  }
  static Workflow<Payload> parent(Context& c, Payload) {
    auto child = c.start_child("wait", {}, ChildOptions());
    co_await child.started;
    const Payload b = co_await c.step("b", "1", StepOptions());
    const Payload r = co_await child.result;
    co_return "[" + b + "," + r + "]";
  }
  static Workflow<Payload> again(Context& c, Payload input) {
    const Payload s = co_await c.next_signal("go");
    co_await c.step("a", "1", StepOptions());
    if (input.size() < 4) throw ContinueAsNew(input.empty() ? "1" : input + "1");
    co_return s;
  }
  ResetResult reset(const std::string& id, ResetPoint point, const std::string& request_id = {},
                    const std::function<void(ResetRequest&)>& change = {}) {
    ResetRequest r;
    r.workflow_id = id;
    r.point = std::move(point);
    r.request_id = request_id;
    r.reason = "because";
    r.identity = "ann";
    if (change) change(r);
    return get(engine->reset(std::move(r)));
  }
  void signal(const std::string& id, const std::string& name, Payload input) {
    run(discard(engine->signal(id, {}, name, std::move(input), {})));
  }
  template <class T>
  static asio::awaitable<void> discard(asio::awaitable<T> work) {
    co_await std::move(work);
  }
  void settle(Duration d = seconds(5)) { run(rest(sim.runtime(), d)); }
  static asio::awaitable<void> rest(Runtime runtime, Duration d) { co_await runtime.sleep_for(d); }
  std::size_t count(const std::string& id, const std::string& type) {
    const auto types = event_types(id);
    return static_cast<std::size_t>(std::count(types.begin(), types.end(), type));
  }

  std::map<std::string, int> ran;
  std::string fail;
};

ResetPoint before(const std::string& step) {
  ResetPoint p;
  p.kind = ResetPoint::Kind::step;
  p.step = step;
  return p;
}
ResetPoint after(const std::string& step) {
  ResetPoint p = before(step);
  p.after = true;
  return p;
}

}  // namespace

TEST_CASE_METHOD(ResetFixture, "a closed run that is reset to before a step runs that step and what follows again") {
  boot();
  const StartResult first = start("three", "w");
  CHECK(wait("w").result == R"(["a1","b1","c1"])");
  const ResetResult made = reset("w", before("b-1"));
  CHECK(made.made);
  CHECK(made.run_id != first.run_id);
  const Execution end = wait("w");
  CHECK(end.run_id == made.run_id);
  CHECK(end.result == R"(["a1","b2","c2"])");
  const auto events = history("w");
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].id == i + 1);
  CHECK(events[made.kept_event_id].type == "WORKFLOW_TASK_FAILED");
  CHECK(events[made.kept_event_id].attributes.find(R"("identity":"ann","reason":"because")") != std::string::npos);
  CHECK(events[made.kept_event_id].attributes.find(first.run_id) != std::string::npos);
  CHECK(events[0].attributes.find(R"("initiator":"reset")") != std::string::npos);
  CHECK_FALSE(get(engine->verify("w", {})).divergence.has_value());
  // The old run is as it was.
  CHECK(get(engine->wait_closed("w", first.run_id, seconds(1))).status == ExecutionStatus::completed);
}

TEST_CASE_METHOD(ResetFixture,
                 "after a step keeps its result; an event id means the same; the last failed step is found") {
  boot();
  start("three", "w");
  wait("w");
  reset("w", after("b"));
  CHECK(wait("w").result == R"(["a1","b1","c2"])");
  ResetPoint first_turn;
  first_turn.kind = ResetPoint::Kind::first_turn;
  reset("w", first_turn);
  CHECK(wait("w").result == R"(["a2","b2","c3"])");
  ResetPoint event;
  for (const EventView& e : history("w"))
    if (e.type == "ACTIVITY_TASK_COMPLETED" && event.event_id == 0) event.event_id = e.id;
  event.after = true;
  reset("w", event);
  CHECK(wait("w").result == R"(["a2","b3","c4"])");

  fail = "b";
  ran.clear();
  start("three", "f");
  CHECK(wait("f").status == ExecutionStatus::failed);
  ResetPoint failed;
  failed.kind = ResetPoint::Kind::last_failed_step;
  reset("f", failed);
  CHECK(wait("f").result == R"(["a1","b2","c1"])");
}

TEST_CASE_METHOD(ResetFixture,
                 "a point that is not there, and code that does not agree, refuse a reset and close nothing") {
  boot();
  start("wait", "w");
  settle();
  CHECK(error_of(engine->reset([] {
          ResetRequest r;
          r.workflow_id = "w";
          r.point.event_id = 99;
          return r;
        }())) == "workflow.reset_invalid");
  CHECK(describe("w").execution.status == ExecutionStatus::running);
  signal("w", "go", "1");
  signal("w", "go", "2");
  CHECK(wait("w").result == R"(["a1",1,"b1",2])");
}

TEST_CASE_METHOD(ResetFixture,
                 "an open run is terminated in the batch that makes the new one, and signals come along or not") {
  boot();
  const StartResult first = start("wait", "w");
  settle();
  signal("w", "go", "1");
  settle();
  const ResetResult made = reset("w", before("a"));
  CHECK(get(engine->wait_closed("w", first.run_id, seconds(1))).status == ExecutionStatus::terminated);
  settle();
  CHECK(count("w", "WORKFLOW_EXECUTION_SIGNALED") == 1);
  signal("w", "go", "2");
  CHECK(wait("w").result == R"(["a2",1,"b2",2])");
  CHECK(wait("w").run_id == made.run_id);
  // Again from the first run: its signal and the later one, each once.
  reset("w", before("a"), {}, [&](ResetRequest& r) { r.run_id = first.run_id; });
  CHECK(wait("w").result == R"(["a3",1,"b3",2])");
  reset("w", before("a"), {}, [&](ResetRequest& r) {
    r.run_id = first.run_id;
    r.reapply_signals = false;
  });
  settle();
  CHECK(describe("w").execution.status == ExecutionStatus::running);
  CHECK(count("w", "WORKFLOW_EXECUTION_SIGNALED") == 0);
}

TEST_CASE_METHOD(ResetFixture, "signals of runs that continued as new are applied once, in order") {
  boot();
  const StartResult first = start("again", "w");
  for (const char* s : {"1", "2", "3", "4", "5"}) signal("w", "go", s);
  CHECK(wait("w").result == "5");
  reset("w", before("a"), {}, [&](ResetRequest& r) { r.run_id = first.run_id; });
  CHECK(wait("w").result == "5");
}

TEST_CASE_METHOD(ResetFixture, "the same request id resets once, another request under it is refused") {
  boot();
  start("three", "w");
  wait("w");
  const ResetResult one = reset("w", before("b"), "q");
  wait("w");
  const ResetResult two = reset("w", before("b"), "q");
  CHECK(two.run_id == one.run_id);
  CHECK_FALSE(two.made);
  CHECK(two.kept_event_id == one.kept_event_id);
  CHECK(ran["b"] == 2);
  ResetRequest other;
  other.workflow_id = "w";
  other.point = before("c");
  other.request_id = "q";
  CHECK(error_of(engine->reset(std::move(other))) == "idempotency.mismatch");
}

TEST_CASE_METHOD(ResetFixture, "a timer that was pending at the point still fires, and not early") {
  boot();
  start("timer", "w");
  settle(seconds(20));
  const auto begun = sim.runtime().now();
  reset("w", after("a"));
  wait("w");
  CHECK(sim.runtime().now() - begun >= seconds(99));
  // Its time lies in the past: it fires at once.
  ResetPoint p;
  for (const EventView& e : history("w"))
    if (e.type == "TIMER_STARTED") p.event_id = e.id;
  p.after = true;
  const auto again = sim.runtime().now();
  reset("w", p);
  CHECK(wait("w").result == R"("b2")");
  CHECK(sim.runtime().now() - again < seconds(2));
}

TEST_CASE_METHOD(ResetFixture, "a run that was reset goes on after a restart of the server") {
  boot();
  start("wait", "w");
  settle();
  signal("w", "go", "1");
  settle();
  reset("w", after("a"));
  settle();
  stop();
  boot();
  signal("w", "go", "2");
  CHECK(wait("w").result == R"(["a1",1,"b2",2])");
  CHECK_FALSE(get(engine->verify("w", {})).divergence.has_value());
}

TEST_CASE_METHOD(ResetFixture, "a child that runs is adopted: its end reaches the new run") {
  boot();
  start("parent", "p");
  settle();
  reset("p", before("b"));
  settle();
  signal("p-c1", "go", "1");
  signal("p-c1", "go", "2");
  CHECK(wait("p").result == R"(["b2",["a1",1,"b3",2]])");
  CHECK(describe("p-c1").execution.status == ExecutionStatus::completed);
}

TEST_CASE_METHOD(ResetFixture, "the end of a child that closed meanwhile is looked up and told") {
  boot();
  start("parent", "p");
  settle();
  signal("p-c1", "go", "1");
  signal("p-c1", "go", "2");
  const std::string before_reset = wait("p").result;
  reset("p", before("b"));
  CHECK(wait("p").result == R"(["b3",["a1",1,"b2",2]])");
  CHECK(before_reset == R"(["b1",["a1",1,"b2",2]])");
}

TEST_CASE_METHOD(ResetFixture, "children are terminated or abandoned as asked, and the new run is told so") {
  boot();
  start("parent", "p");
  settle();
  reset("p", before("b"), {}, [](ResetRequest& r) { r.children = ResetChildren::terminate; });
  CHECK(wait("p").failure->type == "Terminated");
  CHECK(wait("p-c1").status == ExecutionStatus::terminated);

  start("parent", "q");
  settle();
  reset("q", before("b"), {}, [](ResetRequest& r) { r.children = ResetChildren::abandon; });
  CHECK(wait("q").failure->type == "Abandoned");
  CHECK(describe("q-c1").execution.status == ExecutionStatus::running);
}

TEST_CASE_METHOD(ResetFixture, "a child of after the point that the new run starts again is taken over, not refused") {
  boot();
  start("parent", "p");
  settle();
  const std::string child = describe("p-c1").execution.run_id;
  ResetPoint first_turn;
  first_turn.kind = ResetPoint::Kind::first_turn;
  reset("p", first_turn);
  settle();
  CHECK(describe("p-c1").execution.run_id == child);
  signal("p-c1", "go", "1");
  signal("p-c1", "go", "2");
  CHECK(wait("p").result == R"(["b2",["a1",1,"b3",2]])");
  // Or it is terminated and another begins.
  start("parent", "q");
  settle();
  const std::string old = describe("q-c1").execution.run_id;
  reset("q", first_turn, {}, [](ResetRequest& r) { r.children = ResetChildren::terminate; });
  settle();
  CHECK(describe("q-c1").execution.run_id != old);
  CHECK(get(engine->wait_closed("q-c1", old, seconds(1))).status == ExecutionStatus::terminated);
}

}  // namespace millrace::engine
