// What an execution does, from start to end, on virtual time.
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

asio::awaitable<Payload> echo(StepContext&, Payload input) { co_return input; }

Workflow<Payload> five_steps(Context& ctx, Payload input) {
  for (int i = 0; i < 5; ++i) {
    StepOptions options;
    input = co_await ctx.step("echo", input + std::to_string(i), options);
  }
  co_return input;
}

Workflow<Payload> fails(Context& ctx, Payload) {
  (void)ctx;
  Failure f;
  f.type = "no_good";
  f.message = "it is no good";
  throw FailureError(f);
  co_return Payload();
}

Workflow<Payload> waits(Context& ctx, Payload) {
  const WallTime before = ctx.now();
  co_await ctx.timer(std::chrono::seconds(60));
  co_return std::to_string((ctx.now() - before).count());
}

}  // namespace

TEST_CASE("a workflow of five steps completes with the result of its last step") {
  EngineFixture f;
  f.registry.add_workflow("five", five_steps);
  f.registry.add_step("echo", echo);
  f.boot();
  const auto before = f.store->writes();
  const auto started = f.start("five", "w1", "1");
  CHECK(started.started);
  const Execution e = f.wait("w1");
  CHECK(e.status == ExecutionStatus::completed);
  CHECK(e.result == "101234");
  CHECK(e.input == "1");
  SECTION("with six synced writes") { CHECK(f.store->writes() - before == 6); }
  SECTION("with dense event ids") {
    std::uint64_t id = 0;
    for (const EventView& v : f.history("w1")) CHECK(v.id == ++id);
    CHECK(id == e.history_length);
  }
  SECTION("and leaves nothing open in memory") { CHECK(f.engine->open_executions() == 0); }
  SECTION("its steps are shown with their attempts") {
    const auto d = f.describe("w1");
    REQUIRE(d.steps.size() == 5);
    CHECK(d.steps[4].activity_id == "echo-5");
    CHECK(d.steps[4].state == StepState::completed);
    REQUIRE(d.steps[4].attempts.size() == 1);
    CHECK(d.steps[4].attempts[0].ended);
  }
  SECTION("verify agrees with its history") {
    const auto report = f.get(f.engine->verify("w1", {}));
    CHECK(!report.divergence);
    CHECK(report.events_checked == e.history_length);
  }
}

TEST_CASE("a workflow that throws a failure fails with it") {
  EngineFixture f;
  f.registry.add_workflow("fails", fails);
  f.boot();
  const Execution e = f.run_workflow("fails", "w1");
  CHECK(e.status == ExecutionStatus::failed);
  REQUIRE(e.failure);
  CHECK(e.failure->type == "no_good");
}

TEST_CASE("a timer fires at or after its time, never before") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  const Execution e = f.run_workflow("waits", "w1");
  CHECK(e.status == ExecutionStatus::completed);
  CHECK(std::stoll(e.result) >= 60'000'000);
  CHECK(std::stoll(e.result) < 60'001'000);
}

}  // namespace millrace::engine
