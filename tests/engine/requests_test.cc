// Requests that carry an id are done once; a run that is held for a reset is let go whatever becomes of who holds it.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "tests/engine/mirror_fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verb = StepCommand::Verb;

struct Requests : Mirror {
  Requests() {
    add("collect", [](Context& ctx, Payload) -> Workflow<Payload> {
      Payload all;
      for (int i = 0; i < 3; ++i) all += co_await ctx.next_signal("s");
      co_return all;
    });
    add("hand", [](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      const Payload a = co_await ctx.step("endless", "1", options);
      const Payload b = co_await ctx.step("endless", "1", options);
      co_return a + b;
    });
    add("number", [this](Context& ctx, Payload) -> Workflow<Payload> {
      ctx.on_update(
          "set",
          [this](const Payload&) {
            if (refuses) throw FailureError(mirror_failure("Busy"));
          },
          [](Context&, Payload in) { return echo_back(std::move(in)); });
      co_return co_await ctx.next_signal("s");
    });
  }
  static Workflow<Payload> echo_back(Payload in) { co_return in; }
  StepCommand command(Verb verb, const std::string& activity, const std::string& request_id) {
    StepCommand c;
    c.workflow_id = "w";
    c.activity_id = activity;
    c.verb = verb;
    c.result = "7";
    c.request_id = request_id;
    return c;
  }
  ResetRequest first_turn(const std::string& request_id = {}) {
    ResetRequest r;
    r.workflow_id = "w";
    r.point.kind = ResetPoint::Kind::first_turn;
    r.request_id = request_id;
    return r;
  }
  // Begins a reset beside what else runs. Its end is told by `done`; `stop` makes its caller go away.
  struct Caller {
    bool done = false;
    std::exception_ptr error;
    ResetResult result;
    asio::cancellation_signal stop;
  };
  static asio::awaitable<void> call(Engine* engine, ResetRequest request, Caller* caller) {
    caller->result = co_await engine->reset(std::move(request));
  }
  void begin(Caller& caller, ResetRequest request) {
    asio::co_spawn(sim.runtime().executor(), call(engine.get(), std::move(request), &caller),
                   asio::bind_cancellation_slot(caller.stop.slot(), [&caller](std::exception_ptr e) {
                     caller.error = e;
                     caller.done = true;
                   }));
  }
  void slow_commits(Duration d) {
    state::MemoryFaults faults;
    faults.commit_delay = d;
    store->set_faults(faults);
  }
  void check_goes_on() {
    for (const char* s : {"1", "2", "3"}) signal("w", "s", s);
    CHECK(wait("w", seconds(100)).result == "123");
  }
  bool refuses = false;
};

}  // namespace

TEST_CASE("pause, unpause and terminate with a request id are done once, also over a restart and after the end") {
  Requests f;
  f.boot();
  f.start("collect", "w");
  f.run(f.engine->pause("w", {}, "look", "ann", "p1"));
  f.run(f.engine->unpause("w", {}, "", "ann", "u1"));
  f.run(f.engine->pause("w", {}, "look", "ann", "p1"));
  CHECK(f.describe("w").execution.status == ExecutionStatus::running);
  CHECK(f.error_of(f.engine->pause("w", {}, "another reason", "ann", "p1")) == "idempotency.mismatch");
  f.stop();
  f.boot();
  f.run(f.engine->pause("w", {}, "look", "ann", "p1"));
  CHECK(f.describe("w").execution.status == ExecutionStatus::running);
  CHECK(f.count("w", "WORKFLOW_EXECUTION_PAUSED") == 1);
  f.run(f.engine->terminate("w", {}, "enough", "t1", "ann"));
  f.run(f.engine->terminate("w", {}, "enough", "t1", "ann"));
  CHECK(f.error_of(f.engine->terminate("w", {}, "enough", "t2")) == "workflow.closed");
  CHECK(f.count("w", "WORKFLOW_EXECUTION_TERMINATED") == 1);
}

TEST_CASE("two pauses with one request id at the same moment are one, and a later one does not hold the run again") {
  Requests f;
  f.boot();
  f.start("collect", "w");
  f.slow_commits(milliseconds(50));
  int left = 2;
  for (int i = 0; i < 2; ++i)
    asio::co_spawn(f.sim.runtime().executor(), f.engine->pause("w", {}, "", "", "p"),
                   [&left](std::exception_ptr) { --left; });
  f.sim.run_until_idle(seconds(1));
  CHECK(left == 0);
  CHECK(f.count("w", "WORKFLOW_EXECUTION_PAUSED") == 1);
}

TEST_CASE("what is done to a step under a request id is done once; the same id for another step is refused") {
  Requests f;
  f.boot();
  f.start("hand", "w");
  f.settle();
  f.run(f.engine->command_step(f.command(Verb::complete, "endless-1", "c1")));
  f.settle();
  f.run(f.engine->command_step(f.command(Verb::complete, "endless-1", "c1")));
  CHECK(f.error_of(f.engine->command_step(f.command(Verb::complete, "endless-2", "c1"))) == "idempotency.mismatch");
  CHECK(f.error_of(f.engine->command_step(f.command(Verb::complete, "endless-1", "c2"))) ==
        "workflow.step_not_pending");
  CHECK(f.describe("w").steps.at(1).state == StepState::running);
  f.run(f.engine->command_step(f.command(Verb::complete, "endless-2", "c3")));
  CHECK(f.ends("w").result == "77");
}

TEST_CASE("an update that was refused is refused again under its id, in the same words, and leaves no event") {
  Requests f;
  f.boot();
  f.start("number", "w");
  f.settle();
  const auto before = f.history("w").size();
  f.refuses = true;
  CHECK_THROWS_AS(f.get(f.engine->update(f.update_of("set", "1", "u1"))), FailureError);
  f.refuses = false;
  std::string type;
  try {
    f.get(f.engine->update(f.update_of("set", "1", "u1")));
  } catch (const FailureError& e) {
    type = e.failure().type;
  }
  CHECK(type == "Busy");
  CHECK(f.history("w").size() == before);
  CHECK(f.get(f.engine->update(f.update_of("set", "2", "u2"))).value == "2");
  f.signal("w", "s");
  f.ends("w");
}

TEST_CASE("two resets at once are done one after the other, and the run goes on") {
  Requests f;
  f.boot();
  const StartResult first = f.start("collect", "w");
  f.signal("w", "s", "0");
  f.slow_commits(milliseconds(20));
  Requests::Caller one, two;
  f.begin(one, f.first_turn());
  f.begin(two, f.first_turn());
  f.sim.run_until_idle(seconds(5));
  REQUIRE(one.done);
  REQUIRE(two.done);
  CHECK(!one.error);
  CHECK(!two.error);
  CHECK(one.result.run_id != two.result.run_id);
  int open = 0;
  for (const Execution& e : f.get(f.engine->list(ListFilter())).executions) open += is_open(e.status) ? 1 : 0;
  CHECK(open == 1);
  CHECK(f.get(f.engine->wait_closed("w", first.run_id, seconds(1))).status == ExecutionStatus::terminated);
  f.signal("w", "s", "1");
  f.signal("w", "s", "2");
  CHECK(f.ends("w").result == "012");
}

TEST_CASE("two resets at once with one request id make one run") {
  Requests f;
  f.boot();
  f.start("collect", "w");
  f.slow_commits(milliseconds(20));
  Requests::Caller one, two;
  f.begin(one, f.first_turn("r"));
  f.begin(two, f.first_turn("r"));
  f.sim.run_until_idle(seconds(5));
  REQUIRE((one.done && two.done));
  REQUIRE((!one.error && !two.error));
  CHECK(one.result.run_id == two.result.run_id);
  CHECK(one.result.made != two.result.made);
  f.check_goes_on();
}

TEST_CASE("a caller of a reset that goes away, at whatever moment, leaves no run that holds still") {
  for (int ms = 0; ms <= 60; ms += 5) {
    INFO(ms);
    Requests f;
    f.boot();
    f.start("collect", "w");
    f.slow_commits(milliseconds(20));
    // Its batch is on its way when the reset asks the run to hold still.
    asio::co_spawn(f.sim.runtime().executor(), f.engine->pause("w", {}, "", "", ""), [](std::exception_ptr) {});
    Requests::Caller caller;
    f.begin(caller, f.first_turn("r"));
    f.sim.run_until_idle(milliseconds(ms));
    caller.stop.emit(asio::cancellation_type::terminal);
    f.sim.run_until_idle(seconds(1));
    REQUIRE(caller.done);
    if (f.describe("w").execution.status == ExecutionStatus::paused) f.run(f.engine->unpause("w", {}, "", ""));
    f.check_goes_on();
    CHECK(f.engine->open_executions() == 0);
  }
}

TEST_CASE("an evicted run is reset, also when the first caller goes away while it is being loaded") {
  for (const bool goes_away : {false, true}) {
    INFO(goes_away);
    Requests f;
    f.options.idle_bytes = 0;
    f.boot();
    f.start("collect", "w");
    f.signal("w", "s", "0");
    f.settle(seconds(1));
    if (goes_away) {
      Requests::Caller caller;
      f.begin(caller, f.first_turn());
      caller.stop.emit(asio::cancellation_type::terminal);
      f.settle(seconds(1));
      REQUIRE(caller.done);
    }
    f.get(f.engine->reset(f.first_turn()));
    f.settle(seconds(1));
    f.signal("w", "s", "1");
    f.signal("w", "s", "2");
    CHECK(f.ends("w").result == "012");
  }
}

TEST_CASE("schedule-to-start counts from when a step could start, not from the last restart") {
  Requests f;
  f.add("waits", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions options;
    options.timeouts.schedule_to_start = seconds(60);
    co_return co_await ctx.step("code-of-nobody", "1", options);
  });
  f.boot();
  f.start("waits", "w");
  f.settle(seconds(40));
  f.stop();
  f.boot();
  const Execution e = f.wait("w");
  CHECK(e.failure->type == "TimeoutScheduleToStart");
  CHECK(*e.closed - e.started >= seconds(60));
  CHECK(*e.closed - e.started < seconds(70));
}

TEST_CASE("a parent's close policy, and its cancel, reach a child that has continued as new") {
  for (const bool cancels : {false, true}) {
    INFO(cancels);
    Requests f;
    f.add("child", [](Context& ctx, Payload input) -> Workflow<Payload> {
      co_await ctx.next_signal("s");
      if (input.size() < 3) throw ContinueAsNew(input + "1");
      co_return input;
    });
    f.add("parent", [cancels](Context& ctx, Payload) -> Workflow<Payload> {
      ChildOptions options;
      options.workflow_id = "kid";
      options.parent_close_policy = cancels ? ParentClosePolicy::request_cancel : ParentClosePolicy::terminate;
      Context::Child child = ctx.start_child("child", "1", options);
      co_await child.started;
      co_return co_await ctx.next_signal("s");
    });
    f.boot();
    f.start("parent", "w");
    f.settle();
    const std::string first = f.describe("kid").execution.run_id;
    f.signal("kid", "s");
    f.settle();
    CHECK(f.describe("kid").execution.run_id != first);
    f.signal("w", "s");
    CHECK(f.ends("w").status == ExecutionStatus::completed);
    f.settle();
    CHECK(f.describe("kid").execution.status == (cancels ? ExecutionStatus::canceled : ExecutionStatus::terminated));
    CHECK(f.engine->open_executions() == 0);
  }
}

}  // namespace millrace::engine
