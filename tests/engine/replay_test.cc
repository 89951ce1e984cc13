// Replay alone: events in, commands out. No clock, no thread, no store.
#include <catch2/catch.hpp>

#include "engine/history.h"
#include "engine/replayer.h"

namespace millrace::engine {
namespace {

// A history written down by hand.
class Tape {
 public:
  Tape() { add(events::WorkflowExecutionStarted()); }
  std::uint64_t add(Attributes a) {
    const std::uint64_t id = events.size() + 1;
    events.emplace_back(id, from_micros(static_cast<std::int64_t>(id) * 1'000'000), std::move(a));
    return id;
  }
  std::uint64_t turn() { return add(events::WorkflowTaskCompleted()); }
  std::uint64_t step(const std::string& id, const std::string& type) {
    events::ActivityTaskScheduled s;
    s.activity_id = id;
    s.activity_type = type;
    return add(std::move(s));
  }
  void completed(std::uint64_t scheduled, const std::string& result) {
    events::ActivityTaskCompleted c;
    c.scheduled_event_id = scheduled;
    c.result = result;
    add(std::move(c));
  }
  std::uint64_t timer(const std::string& id) {
    events::TimerStarted t;
    t.timer_id = id;
    return add(std::move(t));
  }
  void fired(std::uint64_t started) {
    events::TimerFired t;
    t.started_event_id = started;
    add(std::move(t));
  }
  void marker(const std::string& name, const std::string& value) {
    events::MarkerRecorded m;
    m.name = name;
    m.details = value;
    add(std::move(m));
  }
  void end(const std::string& result) {
    events::WorkflowExecutionCompleted c;
    c.result = result;
    add(std::move(c));
  }
  std::vector<HistoryEvent> events;
};

struct Replay {
  explicit Replay(WorkflowFunction f)
      : function(std::move(f)), replayer({"w", "r", "t", ""}, function, "in"), replay(replayer) {}
  std::optional<Divergence> run(const Tape& tape) {
    for (const HistoryEvent& e : tape.events)
      if (auto d = replay.feed(e)) return d;
    return replay.finish();
  }
  WorkflowFunction function;
  Replayer replayer;
  HistoryReplay replay;
};

Workflow<Payload> two_steps(Context& ctx, Payload) {
  const StepOptions o;
  const Payload a = co_await ctx.step("a", "1", o);
  const Payload b = co_await ctx.step("b", a, o);
  co_return a + b;
}

Tape two_steps_tape() {
  Tape t;
  t.turn();
  const auto a = t.step("a-1", "a");
  t.completed(a, "x");
  t.turn();
  const auto b = t.step("b-1", "b");
  t.completed(b, "y");
  t.turn();
  t.end("xy");
  return t;
}

}  // namespace

TEST_CASE("the same code over its history asks for the same") {
  Replay r(two_steps);
  CHECK(!r.run(two_steps_tape()));
  CHECK(r.replayer.ended());
}

TEST_CASE("an open history is no divergence, and what comes next is live") {
  Replay r(two_steps);
  Tape t;
  t.turn();
  const auto a = t.step("a-1", "a");
  CHECK(!r.run(t));
  t.completed(a, "x");
  CHECK(!r.replay.feed(t.events.back()));
  const Turn turn = r.replayer.live_turn(from_micros(9));
  REQUIRE(turn.commands.size() == 1);
  CHECK(describe_event(turn.commands[0].body) == "ACTIVITY_TASK_SCHEDULED b-1 (b)");
}

TEST_CASE("another step than the history's is a divergence with both sides and the place") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions o;
    const Payload a = co_await ctx.step("a", "1", o);
    const Payload c = co_await ctx.step("c", a, o);
    co_return c;
  });
  const auto d = r.run(two_steps_tape());
  REQUIRE(d);
  CHECK(d->event_id == 6);
  CHECK(d->expected == "ACTIVITY_TASK_SCHEDULED b-1 (b)");
  CHECK(d->got == "ACTIVITY_TASK_SCHEDULED c-1 (c)");
  CHECK(d->position == "ACTIVITY_TASK_SCHEDULED a-1 (a) (event 3)");
}

TEST_CASE("code that asks for less, for more, or ends early diverges") {
  SECTION("less") {
    Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions o;
      co_return co_await ctx.step("a", "1", o);
    });
    const auto d = r.run(two_steps_tape());
    REQUIRE(d);
    CHECK(d->event_id == 6);
    CHECK(d->got == "WORKFLOW_EXECUTION_COMPLETED");
  }
  SECTION("more") {
    Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions o;
      Future a = ctx.start_step("a", "1", o);
      Future z = ctx.start_step("z", "1", o);
      co_await a;
      co_return co_await z;
    });
    const auto d = r.run(two_steps_tape());
    REQUIRE(d);
    CHECK(d->event_id == 4);
    CHECK(d->expected == "nothing more in this turn");
    CHECK(d->got == "ACTIVITY_TASK_SCHEDULED z-1 (z)");
  }
  SECTION("a wait for nothing") {
    Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions o;
      co_await ctx.step("a", "1", o);
      co_await Future(std::make_shared<detail::Pending>());
      co_return Payload();
    });
    const auto d = r.run(two_steps_tape());
    REQUIRE(d);
    CHECK(d->event_id == 6);
    CHECK(d->got == "nothing");
  }
  SECTION("an exception that is no failure") {
    Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions o;
      co_await ctx.step("a", "1", o);
      throw std::runtime_error("oops");
      co_return Payload();
    });
    const auto d = r.run(two_steps_tape());
    REQUIRE(d);
    CHECK(d->got.find("oops") != std::string::npos);
  }
}

TEST_CASE("inputs and options may change: they are not compared") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions o;
    o.retry.maximum_attempts = 7;
    const Payload a = co_await ctx.step("a", "another input", o);
    const Payload b = co_await ctx.step("b", "x", o);
    co_return a + b;
  });
  CHECK(!r.run(two_steps_tape()));
}

TEST_CASE("wake-ups of one turn come in the order of the events, not of the asking") {
  std::string order;
  Replay r([&order](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions o;
    Future a = ctx.start_step("a", "", o);
    Future b = ctx.start_step("b", "", o);
    co_await b;
    order += "b";
    CHECK(!a.is_ready());
    co_await a;
    order += "a";
    co_return Payload();
  });
  Tape t;
  t.turn();
  const auto a = t.step("a-1", "a");
  const auto b = t.step("b-1", "b");
  t.completed(b, "");
  t.completed(a, "");
  t.turn();
  t.end("");
  CHECK(!r.run(t));
  CHECK(order == "ba");
}

TEST_CASE("a completion of what was not asked for, and a second one, are divergences") {
  for (const bool twice : {false, true}) {
    Replay r(two_steps);
    Tape t;
    t.turn();
    const auto a = t.step("a-1", "a");
    if (twice) t.completed(a, "x");
    t.completed(twice ? a : 99, "x");
    const auto d = r.run(t);
    REQUIRE(d);
    CHECK(d->event_id == t.events.back().id);
  }
}

TEST_CASE("what follows the end is a divergence") {
  Replay r(two_steps);
  Tape t = two_steps_tape();
  t.turn();
  CHECK(r.run(t));
}

TEST_CASE("side effects, time and random numbers are the same on replay") {
  int ran = 0;
  std::vector<std::string> seen[2];
  for (int pass = 0; pass < 2; ++pass) {
    Replay r([&](Context& ctx, Payload) -> Workflow<Payload> {
      seen[pass].push_back(std::to_string(to_micros(ctx.now())));
      seen[pass].push_back(ctx.side_effect("one", [&] {
        ++ran;
        return Payload("live");
      }));
      seen[pass].push_back(ctx.side_effect("two", [&] {
        ++ran;
        return Payload("live");
      }));
      seen[pass].push_back(ctx.uuid());
      co_await ctx.timer(std::chrono::seconds(1));
      seen[pass].push_back(std::to_string(to_micros(ctx.now())));
      co_return Payload();
    });
    Tape t;
    t.turn();
    t.marker("one", "kept 1");
    t.marker("two", "kept 2");
    const auto timer = t.timer("timer-1");
    t.fired(timer);
    t.turn();
    t.end("");
    CHECK(!r.run(t));
  }
  CHECK(ran == 0);
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0][0] == "2000000");
  CHECK(seen[0][1] == "kept 1");
  CHECK(seen[0][2] == "kept 2");
  CHECK(seen[0][4] == "7000000");
}

TEST_CASE("a side effect that was renamed diverges at its place") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    (void)ctx.side_effect("new name", [] { return Payload("live"); });
    co_await ctx.timer(std::chrono::seconds(1));
    co_return Payload();
  });
  Tape t;
  t.turn();
  t.marker("old name", "1");
  t.timer("timer-1");
  const auto d = r.run(t);
  REQUIRE(d);
  CHECK(d->expected == "MARKER_RECORDED SideEffect old name");
  CHECK(d->got == "MARKER_RECORDED SideEffect new name");
}

TEST_CASE("a cancel request ends timers at once, tells steps, and leaves a shield alone") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    Context shield = ctx.shield();
    const StepOptions o;
    Future kept = shield.step("kept", "", o);
    Future told = ctx.step("told", "", o);
    try {
      co_await ctx.timer(std::chrono::seconds(1));
    } catch (const FailureError& e) {
      CHECK(e.failure().type == "Cancelled");
    }
    CHECK(ctx.cancel_requested());
    CHECK(!told.is_ready());
    Future refused = ctx.step("late", "", o);
    CHECK(refused.is_ready());
    co_await kept;
    co_return Payload();
  });
  Turn turn = r.replayer.live_turn(from_micros(1));
  REQUIRE(turn.commands.size() == 3);
  std::uint64_t id = 10;
  for (const Command& c : turn.commands) r.replayer.bind(c.body, c.operation, id++);
  CHECK(!r.replayer.deliver(HistoryEvent(20, from_micros(2), events::WorkflowExecutionCancelRequested())));
  turn = r.replayer.live_turn(from_micros(3));
  REQUIRE(turn.commands.size() == 2);
  CHECK(describe_event(turn.commands[0].body) == "ACTIVITY_TASK_CANCEL_REQUESTED of event 11");
  CHECK(describe_event(turn.commands[1].body) == "TIMER_CANCELED timer-1");
}

TEST_CASE("what ended in the very turn of the cancel request is not cancelled any more") {
  std::string how;
  Replay r([&how](Context& ctx, Payload) -> Workflow<Payload> {
    try {
      co_await ctx.timer(std::chrono::seconds(1));
      how = "fired";
    } catch (const FailureError&) {
      how = "cancelled";
    }
    co_return Payload();
  });
  Tape t;
  t.turn();
  const auto timer = t.timer("timer-1");
  t.add(events::WorkflowExecutionCancelRequested());
  t.fired(timer);
  t.turn();
  t.end("");
  CHECK(!r.run(t));
  CHECK(how == "fired");
}

TEST_CASE("a step asked for and cancelled in one turn leaves no trace") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    Context scope = ctx.scope();
    const StepOptions o;
    Future f = scope.step("a", "", o);
    scope.cancel();
    CHECK(f.is_ready());
    co_return Payload("done");
  });
  const Turn turn = r.replayer.live_turn(from_micros(1));
  REQUIRE(turn.commands.size() == 1);
  CHECK(type_of(turn.commands[0].body) == EventType::workflow_execution_completed);
}

TEST_CASE("workflows compose: an awaited one runs as a part of its caller") {
  Replay r([](Context& ctx, Payload) -> Workflow<Payload> {
    const Payload first = co_await two_steps(ctx, "");
    co_return first + "!";
  });
  Tape t = two_steps_tape();
  CHECK(!r.run(t));
  CHECK(r.replayer.ended());
}

TEST_CASE("a patch is false where the history was before it, and true from then on") {
  const auto code = [](Context& ctx, Payload) -> Workflow<Payload> {
    const StepOptions o;
    if (ctx.patched("p"))
      co_await ctx.step("new", "", o);
    else
      co_await ctx.step("old", "", o);
    CHECK(ctx.patched("p") == ctx.patched("p"));
    co_return Payload();
  };
  Tape old;
  old.turn();
  old.step("old-1", "old");
  CHECK(!Replay(code).run(old));
  Replay live(code);
  const Turn turn = live.replayer.live_turn(from_micros(1));
  REQUIRE(turn.commands.size() == 2);
  CHECK(describe_event(turn.commands[0].body) == "MARKER_RECORDED Version p");
  CHECK(describe_event(turn.commands[1].body) == "ACTIVITY_TASK_SCHEDULED new-1 (new)");
}

}  // namespace millrace::engine
