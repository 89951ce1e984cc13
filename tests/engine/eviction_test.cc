// Executions that only wait leave memory; whatever comes for them finds them as they were.
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Every execution leaves memory as soon as it only waits.
struct Evicting : EngineFixture {
  Evicting() {
    options.idle_bytes = 0;
    registry.add_step("act", [this](StepContext&, Payload input) -> asio::awaitable<Payload> {
      ++steps;
      co_return input;
    });
    registry.add_workflow("collect", [this](Context& ctx, Payload) -> Workflow<Payload> {
      ++begun;
      auto seen = std::make_shared<std::string>();
      ctx.on_query("seen", [seen](Payload) { return "\"" + *seen + "\""; });
      while (seen->size() < 3) {
        const Payload signal = co_await ctx.next_signal("s");
        *seen += co_await ctx.step("act", signal, StepOptions());
      }
      co_return "\"" + *seen + "\"";
    });
    registry.add_workflow("sleep", [this](Context& ctx, Payload) -> Workflow<Payload> {
      ++begun;
      const WallTime due = ctx.now() + hours(1);
      co_await ctx.timer(hours(1));
      co_return std::to_string(to_micros(ctx.now()) - to_micros(due));
    });
    registry.add_workflow("parent", [](Context& ctx, Payload) -> Workflow<Payload> {
      Context::Child child = ctx.start_child("sleep", "", ChildOptions());
      co_return co_await child.result;
    });
    boot();
  }
  ~Evicting() {
    if (engine) stop();
  }
  void signal(const std::string& id, Payload input, std::string request_id = {}) {
    get(engine->signal(id, {}, "s", std::move(input), std::move(request_id)));
    sim.run_until_idle(seconds(1));
  }
  int begun = 0, steps = 0;
};

}  // namespace

TEST_CASE("an evicted execution gets its signals, in order and once, and answers queries") {
  Evicting f;
  f.start("collect", "w");
  f.sim.run_until_idle(seconds(1));
  CHECK(f.begun == 1);
  f.signal("w", "1", "r1");
  CHECK(f.begun == 2);  // replayed for the signal
  f.signal("w", "1", "r1");
  f.signal("w", "2", "r2");
  CHECK(f.get(f.engine->query("w", {}, "seen", {})) == "\"12\"");
  CHECK(f.describe("w").execution.status == ExecutionStatus::running);
  f.signal("w", "3");
  CHECK(f.wait("w").result == "\"123\"");
  CHECK(f.steps == 3);
  CHECK(f.engine->open_executions() == 0);
  CHECK(!f.get(f.engine->verify("w", {})).divergence);
}

TEST_CASE("timers of evicted executions fire at their time") {
  Evicting f;
  for (int i = 0; i < 50; ++i) f.start("sleep", "w" + std::to_string(i));
  f.sim.run_until_idle(minutes(1));
  CHECK(f.begun == 50);
  for (int i = 0; i < 50; ++i) {
    const Execution e = f.wait("w" + std::to_string(i));
    CHECK(e.status == ExecutionStatus::completed);
    CHECK(std::stoll(e.result) >= 0);
    CHECK(std::stoll(e.result) < 20'000);
  }
  CHECK(f.begun == 100);
}

TEST_CASE("an evicted parent learns of its child, and a terminated one is closed") {
  Evicting f;
  f.start("parent", "p");
  f.start("collect", "t");
  f.sim.run_until_idle(minutes(1));
  CHECK(f.wait("p").status == ExecutionStatus::completed);
  f.run(f.engine->terminate("t", {}, "enough"));
  CHECK(f.wait("t").status == ExecutionStatus::terminated);
  CHECK(f.engine->open_executions() == 0);
}

TEST_CASE("a run's time-out ends it though it is evicted") {
  Evicting f;
  StartRequest r;
  r.type = "collect";
  r.workflow_id = "w";
  r.run_timeout = minutes(5);
  f.get(f.engine->start_workflow(r));
  f.sim.run_until_idle(minutes(1));
  const Execution e = f.wait("w");
  CHECK(e.status == ExecutionStatus::timed_out);
  CHECK(*e.closed - e.started < minutes(5) + seconds(1));
}

TEST_CASE("evicted executions outlive a restart, and their waiters are told") {
  Evicting f;
  for (int i = 0; i < 20; ++i) f.start("collect", "w" + std::to_string(i));
  f.sim.run_until_idle(minutes(1));
  f.stop();
  f.boot();
  CHECK(f.engine->open_executions() == 20);
  for (int i = 0; i < 20; ++i)
    for (const char* text : {"1", "2", "3"}) f.signal("w" + std::to_string(i), text);
  for (int i = 0; i < 20; ++i) CHECK(f.wait("w" + std::to_string(i)).result == "\"123\"");
}

}  // namespace millrace::engine
