// What steps do: retries, time-outs, heartbeats, checkpoints, cancellation, and what a restart makes of them.
#include <catch2/catch.hpp>

#include <boost/asio/this_coro.hpp>

#include "common/errors.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

StepOptions options_of(std::uint32_t attempts = 0) {
  StepOptions o;
  o.retry.maximum_attempts = attempts;
  return o;
}

// A workflow of one step "act" with the fixture's options.
struct OneStep : EngineFixture {
  explicit OneStep(StepFunction act, StepOptions o = StepOptions()) : step_options(std::move(o)) {
    registry.add_step("act", std::move(act));
    registry.add_workflow("one",
                          [this](Context& ctx, Payload input) { return body(ctx, std::move(input), step_options); });
    boot();
  }
  ~OneStep() {
    if (engine) stop();
  }
  static Workflow<Payload> body(Context& ctx, Payload input, StepOptions o) {
    co_return co_await ctx.step("act", std::move(input), std::move(o));
  }
  void reboot() {
    stop();
    boot();
  }
  // The process dies: no step ends, nothing is written any more.
  void die() {
    auto image = store->take_durable_image();
    store->crash();
    dead_engines().push_back(std::move(engine));
    store = std::make_shared<state::MemoryStore>(sim.runtime(), std::move(image));
    boot();
  }
  static std::vector<std::unique_ptr<Engine>>& dead_engines() {
    static std::vector<std::unique_ptr<Engine>> engines;
    return engines;
  }
  StepDescription step(const std::string& id = "w") { return describe(id).steps.at(0); }

  StepOptions step_options;
};

asio::awaitable<Payload> hang(StepContext& ctx, Payload) {
  for (;;) co_await ctx.runtime().sleep_for(std::chrono::hours(10'000));
}

Failure failure_of(const std::string& type) {
  Failure f;
  f.type = type;
  f.message = type;
  return f;
}

}  // namespace

TEST_CASE("a step that fails is tried again, later each time, and all attempts are kept") {
  std::vector<MonoTime> times;
  OneStep f([&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    times.push_back(ctx.runtime().mono());
    if (ctx.token().attempt < 4) throw FailureError(failure_of("flaky"));
    co_return "\"done\"";
  });
  CHECK(f.run_workflow("one", "w").result == "\"done\"");
  REQUIRE(times.size() == 4);
  for (int i = 0; i < 3; ++i) {
    const auto gap = times[static_cast<std::size_t>(i) + 1] - times[static_cast<std::size_t>(i)];
    CHECK(gap >= milliseconds(900) * (1 << i));
    CHECK(gap <= milliseconds(1100) * (1 << i) + milliseconds(1));
  }
  const auto s = f.step();
  REQUIRE(s.attempts.size() == 4);
  CHECK(s.attempts[0].failure->type == "flaky");
  CHECK(!s.attempts[3].failure);
  CHECK(s.attempts[3].ended);
  CHECK(f.event_types("w").size() == 7);  // retries cost no history
}

TEST_CASE("while a step backs off, it is seen doing so") {
  OneStep f([](StepContext&, Payload) -> asio::awaitable<Payload> {
    throw FailureError(failure_of("flaky"));
    co_return Payload();
  });
  f.start("one", "w");
  f.sim.run_until_idle(milliseconds(100));
  const auto s = f.step();
  CHECK(s.state == StepState::backing_off);
  REQUIRE(s.next_attempt);
  CHECK(s.last_failure->type == "flaky");
}

TEST_CASE("the last attempt knows that it is the last, and its failure is the step's") {
  std::vector<bool> last;
  OneStep f(
      [&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
        last.push_back(ctx.is_last_attempt());
        throw Error("store.disk_full", "for the test");
        co_return Payload();
      },
      options_of(3));
  const Execution e = f.run_workflow("one", "w");
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(e.failure->type == "store.disk_full");
  CHECK(e.failure->details.find("\"kind\":\"transient\"") != std::string::npos);
  CHECK(last == std::vector<bool>{false, false, true});
}

TEST_CASE("errors of kind config, and any other exception of ours, are told apart") {
  OneStep f(
      [](StepContext&, Payload input) -> asio::awaitable<Payload> {
        if (input == "1") throw Error("workflow.invalid");
        throw std::runtime_error("strange");
        co_return Payload();
      },
      options_of(2));
  CHECK(f.run_workflow("one", "config", "1").failure->type == "workflow.invalid");
  CHECK(f.describe("config").steps[0].attempts.size() == 1);
  const Execution e = f.run_workflow("one", "other", "2");
  CHECK(e.failure->type == "internal");
  CHECK(e.failure->message == "strange");
  CHECK(f.describe("other").steps[0].attempts.size() == 2);
}

TEST_CASE("progress resets the count of attempts without progress") {
  StepOptions o;
  o.retry.maximum_attempts_without_progress = 2;
  int n = 0;
  OneStep f(
      [&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
        if (++n <= 6) co_await ctx.checkpoint("s", std::to_string(n));
        throw FailureError(failure_of("flaky"));
      },
      o);
  const Execution e = f.run_workflow("one", "w");
  CHECK(e.status == ExecutionStatus::failed);
  // Six fail after progress, each the first since then; the seventh is the second in a row.
  CHECK(n == 7);
}

TEST_CASE("deaths of the process count as attempts, not as attempts without progress") {
  StepOptions o;
  o.retry.maximum_attempts = 3;
  o.retry.maximum_attempts_without_progress = 1;
  OneStep f(hang, o);
  f.start("one", "w");
  for (int i = 0; i < 2; ++i) {
    f.sim.run_until_idle(seconds(1));
    f.die();
  }
  f.sim.run_until_idle(seconds(1));
  auto s = f.step();
  REQUIRE(s.attempts.size() == 3);
  CHECK(s.attempts[0].failure->type == "UnknownOutcome");
  CHECK(s.attempts[1].failure->type == "UnknownOutcome");
  CHECK(!s.attempts[2].ended);
  f.die();
  const Execution e = f.wait("w", seconds(10));
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(e.failure->type == "UnknownOutcome");
}

TEST_CASE("heartbeats are seen at once, survive a crash a second later, and reach the next attempt") {
  OneStep f([](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    if (ctx.last_heartbeat()) co_return *ctx.last_heartbeat();
    for (int i = 1;; ++i) {
      ctx.heartbeat(std::to_string(i));
      co_await ctx.runtime().sleep_for(milliseconds(100));
    }
  });
  f.start("one", "w");
  f.sim.run_until_idle(milliseconds(1'950));
  CHECK(f.step().heartbeat == "20");
  f.die();
  const Execution e = f.wait("w", seconds(10));
  CHECK(std::stoi(e.result) >= 10);
  CHECK(std::stoi(e.result) <= 20);
}

TEST_CASE("checkpoints are durable when they return, one value a scope, for all later attempts") {
  std::map<std::string, Payload> seen;
  OneStep f([&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    seen = ctx.checkpoints();
    if (seen.empty()) {
      co_await ctx.checkpoint("a", "1");
      co_await ctx.checkpoint("a", "2");
      co_await ctx.checkpoint("b", "3");
      for (;;) co_await ctx.runtime().sleep_for(std::chrono::hours(10'000));
    }
    co_return Payload("1");
  });
  f.start("one", "w");
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.step().checkpoints == std::map<std::string, Payload>{{"a", "2"}, {"b", "3"}});
  f.die();
  CHECK(f.wait("w", seconds(10)).status == ExecutionStatus::completed);
  CHECK(seen == std::map<std::string, Payload>{{"a", "2"}, {"b", "3"}});
}

TEST_CASE("each time-out ends what it should") {
  SECTION("start-to-close ends the attempt, which is told and tried again") {
    StepOptions o = options_of(2);
    o.timeouts.start_to_close = seconds(5);
    std::vector<CancelReason> reasons;
    OneStep f(
        [&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
          std::exception_ptr error;
          try {
            co_await ctx.runtime().sleep_for(seconds(100));
          } catch (...) {
            error = std::current_exception();
          }
          reasons.push_back(ctx.cancel_reason());
          if (error) std::rethrow_exception(error);
          co_return Payload();
        },
        o);
    const Execution e = f.run_workflow("one", "w");
    CHECK(e.failure->type == "TimeoutStartToClose");
    CHECK(f.step().state == StepState::timed_out);
    CHECK(f.step().attempts.size() == 2);
    f.sim.run_until_idle(seconds(1));
    CHECK(reasons == std::vector<CancelReason>{CancelReason::timed_out, CancelReason::timed_out});
  }
  SECTION("heartbeat ends an attempt that is silent, not one that says it lives") {
    StepOptions o = options_of(1);
    o.timeouts.heartbeat = seconds(2);
    OneStep f(
        [](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
          for (int i = 0; i < 10; ++i) {
            if (input == "1") ctx.heartbeat(std::to_string(i));
            co_await ctx.runtime().sleep_for(milliseconds(1'500));
          }
          co_return "\"alive\"";
        },
        o);
    CHECK(f.run_workflow("one", "alive", "1").result == "\"alive\"");
    const Execution e = f.run_workflow("one", "silent", "0");
    CHECK(e.failure->type == "TimeoutHeartbeat");
    CHECK(*e.closed - e.started < milliseconds(2'100));
  }
  SECTION("schedule-to-close spans all attempts, with the last real failure as its cause") {
    StepOptions o;
    o.timeouts.schedule_to_close = seconds(10);
    o.retry.backoff_coefficient = 1;
    OneStep f(
        [](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
          if (ctx.token().attempt <= 2) throw FailureError(failure_of("flaky"));
          for (;;) co_await ctx.runtime().sleep_for(seconds(100));
        },
        o);
    const Execution e = f.run_workflow("one", "w");
    CHECK(e.failure->type == "TimeoutScheduleToClose");
    REQUIRE(e.failure->cause);
    CHECK(e.failure->cause->type == "flaky");
    CHECK(*e.closed - e.started < milliseconds(10'100));
  }
  SECTION("schedule-to-start ends a step that gets no slot, and is not retried") {
    StepOptions o;
    o.timeouts.schedule_to_start = seconds(3);
    o.queue = kNobodysQueue;
    OneStep f(hang, o);
    const Execution e = f.run_workflow("one", "w");
    CHECK(e.failure->type == "TimeoutScheduleToStart");
    CHECK(f.step().attempts.empty());
  }
}

TEST_CASE("what a timed-out attempt still reports is dropped at the door") {
  StepOptions o = options_of(2);
  o.timeouts.start_to_close = seconds(1);
  int stale_refused = 0;
  OneStep f(
      [&](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
        if (ctx.token().attempt == 1) {
          // Does not listen to cancellation, and ends late, with a result.
          co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
          co_await ctx.runtime().sleep_for(seconds(2));
          ctx.heartbeat("\"stale\"");
          try {
            co_await ctx.checkpoint("s", "\"stale\"");
          } catch (const Cancelled&) {
            ++stale_refused;
          }
          co_return "\"stale\"";
        }
        CHECK(ctx.token().attempt == 2);
        co_await ctx.runtime().sleep_for(milliseconds(900));
        co_return "\"fresh\"";
      },
      o);
  CHECK(f.run_workflow("one", "w").result == "\"fresh\"");
  f.sim.run_until_idle(seconds(5));
  CHECK(stale_refused == 1);
  CHECK(f.step().checkpoints.empty());
}

TEST_CASE("no more steps run at once than there are slots, and those that wait get them in turn") {
  EngineFixture f;
  f.options.queues.otherwise = Limits(3);
  int now = 0, most = 0;
  std::vector<std::string> order;
  f.registry.add_step("act", [&](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
    most = std::max(most, ++now);
    order.push_back(input);
    co_await ctx.runtime().sleep_for(seconds(1));
    --now;
    co_return input;
  });
  f.registry.add_workflow("many", [](Context& ctx, Payload) -> Workflow<Payload> {
    std::vector<Future> all;
    for (int i = 0; i < 10; ++i) all.push_back(ctx.start_step("act", std::to_string(i), StepOptions()));
    for (Future& one : all) co_await one;
    co_return Payload();
  });
  f.boot();
  CHECK(f.run_workflow("many", "w").status == ExecutionStatus::completed);
  CHECK(most == 3);
  CHECK(order == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

TEST_CASE("a drained step is suspended: no outcome, no attempt burnt, and the next server starts it again") {
  OneStep f(
      [](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
        CHECK(ctx.is_last_attempt());
        if (ctx.token().attempt == 2) co_return "\"second life\"";
        while (!ctx.draining()) co_await ctx.runtime().sleep_for(milliseconds(10));
        throw Suspended();
      },
      options_of(1));
  f.start("one", "w");
  f.sim.run_until_idle(milliseconds(100));
  f.stop(seconds(5));
  f.boot();
  CHECK(f.wait("w", seconds(10)).result == "\"second life\"");
  CHECK(f.step().attempts.size() == 2);
}

TEST_CASE("a step that ignores draining is told to end after the grace, and is started again by the next server") {
  OneStep f(
      [](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
        if (ctx.token().attempt == 2) co_return "\"second life\"";
        for (;;) co_await ctx.runtime().sleep_for(seconds(1000));
      },
      options_of(1));
  f.start("one", "w");
  f.sim.run_until_idle(milliseconds(100));
  const auto before = f.sim.runtime().mono();
  f.stop(seconds(5));
  CHECK(f.sim.runtime().mono() - before >= seconds(5));
  CHECK(f.sim.runtime().mono() - before < seconds(6));
  f.boot();
  CHECK(f.wait("w", seconds(10)).result == "\"second life\"");
}

TEST_CASE("log lines of a step are kept, in order, over restarts") {
  OneStep f([](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    ctx.log(LogLevel::info, "attempt " + std::to_string(ctx.token().attempt));
    if (ctx.token().attempt == 2) co_return Payload("1");
    for (;;) co_await ctx.runtime().sleep_for(seconds(1000));
  });
  f.start("one", "w");
  f.sim.run_until_idle(seconds(2));
  f.die();
  f.wait("w", seconds(10));
  const auto lines = f.get(f.engine->log("w", {}, 0, 100));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text == "attempt 1");
  CHECK(lines[0].step == "act-1");
  CHECK(lines[1].text == "attempt 2");
  CHECK(lines[1].seq > lines[0].seq);
  CHECK(f.get(f.engine->log("w", {}, lines[0].seq, 100)).size() == 1);
}

TEST_CASE("of many attempts the first 5 and the last 50 are kept") {
  StepOptions o = options_of(80);
  o.retry.backoff_coefficient = 1;
  OneStep f(
      [](StepContext&, Payload) -> asio::awaitable<Payload> {
        throw FailureError(failure_of("flaky"));
        co_return Payload();
      },
      o);
  f.run_workflow("one", "w");
  const auto attempts = f.step().attempts;
  REQUIRE(attempts.size() == 55);
  CHECK(attempts[4].number == 5);
  CHECK(attempts[5].number == 31);
  CHECK(attempts[54].number == 80);
}

TEST_CASE("a step of a type that is not registered waits for a worker, and says so") {
  EngineFixture f;
  f.registry.add_workflow("one", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions o;
    o.timeouts.schedule_to_start = seconds(60);
    co_return co_await ctx.step("nowhere", "", o);
  });
  f.boot();
  f.start("one", "w");
  f.sim.run_until_idle(seconds(1));
  const auto step = f.describe("w").steps.at(0);
  REQUIRE(step.waiting_for);
  CHECK(step.waiting_for->reason == "no_worker");
  CHECK(step.waiting_for->detail == "no worker that takes steps of type nowhere polls the queue default");
  CHECK(f.wait("w").failure->type == "TimeoutScheduleToStart");
}

TEST_CASE("a result above 64 KiB goes the whole way, over a restart too") {
  const Payload big = "\"" + std::string(300'000, 'x') + "\"";
  EngineFixture f;
  f.registry.add_step("big", [&](StepContext&, Payload input) -> asio::awaitable<Payload> { co_return input; });
  f.registry.add_workflow("two", [](Context& ctx, Payload input) -> Workflow<Payload> {
    const Payload first = co_await ctx.step("big", input, StepOptions());
    co_await ctx.timer(std::chrono::seconds(10));
    co_return co_await ctx.step("big", first, StepOptions());
  });
  f.boot();
  f.start("two", "w", big);
  f.sim.run_until_idle(seconds(1));
  f.stop();
  f.boot();
  const Execution e = f.wait("w", seconds(100));
  CHECK(e.result == big);
  CHECK(e.history_bytes < 5'000);
  CHECK(f.describe("w").steps[1].result == big);
}

}  // namespace millrace::engine
