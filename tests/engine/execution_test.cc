// What an execution does, from start to end, on virtual time.
#include <catch2/catch.hpp>

#include <boost/asio/co_spawn.hpp>

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

TEST_CASE("a start is idempotent by request id, also after the end") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  const auto first = f.start("waits", "w1", "1", "req");
  const auto again = f.start("waits", "w1", "1", "req");
  CHECK(first.started);
  CHECK(!again.started);
  CHECK(again.run_id == first.run_id);
  f.wait("w1");
  f.stop();
  f.boot();
  CHECK(f.start("waits", "w1", "1", "req").run_id == first.run_id);
  StartRequest other;
  other.type = "waits";
  other.workflow_id = "w1";
  other.input = "2";
  other.request_id = "req";
  CHECK(f.error_of(f.engine->start_workflow(other)) == "idempotency.mismatch");
}

TEST_CASE("many starts with one request id at the same moment make one run") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  std::vector<StartResult> results;
  const auto start = [](EngineFixture* fixture, std::vector<StartResult>* out) -> asio::awaitable<void> {
    StartRequest r;
    r.type = "waits";
    r.request_id = "req";
    out->push_back(co_await fixture->engine->start_workflow(r));
  };
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(f.sim.runtime().executor(), start(&f, &results), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
  f.sim.run_ready();
  REQUIRE(results.size() == 20);
  CHECK(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.started; }) == 1);
  for (const auto& r : results) CHECK(r.run_id == results[0].run_id);
  CHECK(f.engine->open_executions() == 1);
}

TEST_CASE("at most one run of a workflow id is open; a closed one makes room") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  const auto first = f.start("waits", "w1");
  StartRequest r;
  r.type = "waits";
  r.workflow_id = "w1";
  CHECK(f.error_of(f.engine->start_workflow(r)) == "workflow.already_running");
  f.wait("w1");
  const auto second = f.start("waits", "w1");
  CHECK(second.run_id != first.run_id);
  ListFilter filter;
  filter.workflow_id = "w1";
  CHECK(f.get(f.engine->list(filter)).executions.size() == 2);
  CHECK(f.get(f.engine->describe("w1", first.run_id)).execution.status == ExecutionStatus::completed);
  CHECK(f.describe("w1").execution.run_id == second.run_id);
}

TEST_CASE("the caller's batch is written with the start, and its conditions can refuse it") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  StartRequest r;
  r.type = "waits";
  r.workflow_id = "w1";
  r.extra.expect_absent("lock");
  r.extra.put("lock", "w1");
  f.get(f.engine->start_workflow(r));
  CHECK(f.get(f.store->get("lock")) == std::optional<std::string>("w1"));
  r.workflow_id = "w2";
  CHECK(f.error_of(f.engine->start_workflow(r)) == "workflow.start_refused");
  CHECK(f.error_of(f.engine->describe("w2", {})) == "workflow.not_found");
  f.wait("w1");
  r.workflow_id = "w1";  // closed: the same id could start again, but for the condition
  CHECK(f.error_of(f.engine->start_workflow(r)) == "workflow.start_refused");
  CHECK(f.engine->open_executions() == 0);
}

TEST_CASE("a type that is not registered is refused") {
  EngineFixture f;
  f.boot();
  StartRequest r;
  r.type = "nothing";
  CHECK(f.error_of(f.engine->start_workflow(r)) == "workflow.type_unknown");
  CHECK(f.error_of(f.engine->describe("w", {})) == "workflow.not_found");
  CHECK(f.error_of(f.engine->terminate("w", {}, "")) == "workflow.not_found");
}

TEST_CASE("terminate closes at once, runs no code, and only once") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  f.start("waits", "w1");
  f.run(f.engine->terminate("w1", {}, "enough"));
  const Execution e = f.wait("w1");
  CHECK(e.status == ExecutionStatus::terminated);
  CHECK(e.failure->message == "terminated: enough");
  CHECK(f.describe("w1").timers.empty());
  CHECK(f.error_of(f.engine->terminate("w1", {}, "")) == "workflow.closed");
  CHECK(f.error_of(f.engine->request_cancel("w1", {}, "", "")) == "workflow.closed");
  f.sim.run_until_idle(std::chrono::hours(1));
  CHECK(f.describe("w1").execution.history_length == e.history_length);
  CHECK(!f.get(f.engine->verify("w1", {})).divergence);
}

TEST_CASE("a run that takes too long is closed") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  StartRequest r;
  r.type = "waits";
  r.workflow_id = "w1";
  r.run_timeout = std::chrono::seconds(10);
  f.get(f.engine->start_workflow(r));
  f.sim.run_until_idle(std::chrono::seconds(5));
  f.stop();
  f.boot();
  const Execution e = f.wait("w1");
  CHECK(e.status == ExecutionStatus::timed_out);
  CHECK(*e.closed - e.started < std::chrono::milliseconds(10'100));
}

TEST_CASE("a cancel request is durable, idempotent, and ends the run as cancelled") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  f.start("waits", "w1");
  f.run(f.engine->request_cancel("w1", {}, "no more", "c1"));
  const Execution e = f.wait("w1");
  CHECK(e.status == ExecutionStatus::canceled);
  CHECK(e.cancel_requested);
  CHECK(f.event_types("w1") == std::vector<std::string>{"WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_COMPLETED",
                                                        "TIMER_STARTED", "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
                                                        "WORKFLOW_TASK_COMPLETED", "TIMER_CANCELED",
                                                        "WORKFLOW_EXECUTION_CANCELED"});
  CHECK(f.error_of(f.engine->request_cancel("w1", {}, "no more", "c1")) == "");  // a repeat of one that was accepted
}

TEST_CASE("lists are newest first, in pages, by type and status, right after the start") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.registry.add_workflow("fails", fails);
  f.boot();
  for (int i = 0; i < 7; ++i) {
    f.start(i % 2 == 0 ? "waits" : "fails", "w" + std::to_string(i));
    f.sim.run_until_idle(std::chrono::milliseconds(1));
    f.run(f.sim.runtime().sleep_for(std::chrono::milliseconds(5)));
  }
  const auto ids = [&](ListFilter filter) {
    std::vector<std::string> out;
    for (;;) {
      const ListPage page = f.get(f.engine->list(filter));
      for (const Execution& e : page.executions) out.push_back(e.workflow_id);
      if (page.next.empty()) return out;
      CHECK(page.executions.size() == filter.limit);
      filter.page = page.next;
    }
  };
  ListFilter all;
  all.limit = 2;
  CHECK(ids(all) == std::vector<std::string>{"w6", "w5", "w4", "w3", "w2", "w1", "w0"});
  ListFilter failed;
  failed.status = ExecutionStatus::failed;
  failed.limit = 2;
  CHECK(ids(failed) == std::vector<std::string>{"w5", "w3", "w1"});
  ListFilter type;
  type.type = "waits";
  type.limit = 3;
  CHECK(ids(type) == std::vector<std::string>{"w6", "w4", "w2", "w0"});
  type.status = ExecutionStatus::failed;
  CHECK(ids(type).empty());
  ListFilter bad;
  bad.page = "zz";
  CHECK(f.error_of(f.engine->list(bad)) == "workflow.invalid");
}

TEST_CASE("history is read from any event on, and can be followed") {
  EngineFixture f;
  f.registry.add_workflow("five", five_steps);
  f.registry.add_workflow("waits", waits);
  f.registry.add_step("echo", echo);
  f.boot();
  f.run_workflow("five", "w1", "1");
  const auto all = f.history("w1");
  for (std::uint64_t after = 0; after <= all.size(); ++after) {
    const auto rest = f.get(f.engine->history("w1", {}, after, 3));
    CHECK(rest.size() == std::min<std::size_t>(3, all.size() - after));
    if (!rest.empty()) CHECK(rest[0].id == after + 1);
  }
  f.start("waits", "w2");
  const auto before = f.sim.runtime().mono();
  f.run(f.engine->wait_event("w2", {}, 3, std::chrono::hours(1)));
  CHECK(f.history("w2").size() > 3);
  CHECK(f.sim.runtime().mono() - before >= std::chrono::seconds(59));
  f.run(f.engine->wait_event("w2", {}, 1'000, std::chrono::hours(1)));  // closed: nothing to wait for
}

TEST_CASE("waiting for the end gives up after its time and changes nothing") {
  EngineFixture f;
  f.registry.add_workflow("waits", waits);
  f.boot();
  f.start("waits", "w1");
  CHECK(f.wait("w1", std::chrono::seconds(1)).status == ExecutionStatus::running);
  CHECK(f.wait("w1").status == ExecutionStatus::completed);
}

TEST_CASE("a full disk holds work up and loses nothing; a start is refused while it lasts") {
  EngineFixture f;
  int ran = 0;
  f.registry.add_step("echo", [&](StepContext&, Payload input) -> asio::awaitable<Payload> {
    ++ran;
    co_return input;
  });
  f.registry.add_workflow("five", five_steps);
  f.registry.add_workflow("waits", waits);
  f.boot();
  f.start("waits", "w1");
  state::MemoryFaults full;
  full.disk_full = true;
  f.store->set_faults(full);
  StartRequest r;
  r.type = "five";
  r.workflow_id = "w2";
  CHECK(f.error_of(f.engine->start_workflow(r)) == "store.disk_full");
  CHECK(ran == 0);
  f.sim.run_until_idle(std::chrono::minutes(10));  // the timer is due, and can't be written
  CHECK(f.describe("w1").execution.status == ExecutionStatus::running);
  f.store->set_faults(state::MemoryFaults());
  CHECK(f.wait("w1", std::chrono::seconds(5)).status == ExecutionStatus::completed);
  CHECK(f.get(f.engine->start_workflow(r)).started);
  CHECK(f.wait("w2").status == ExecutionStatus::completed);
  CHECK(ran == 5);
}

TEST_CASE("while the server drains no work is taken, and what was asked for is not lost") {
  EngineFixture f;
  f.registry.add_step("echo", [](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
    co_await ctx.runtime().sleep_for(std::chrono::seconds(1));
    co_return input;
  });
  f.registry.add_workflow("five", five_steps);
  f.boot();
  f.start("five", "w1", "1");
  f.sim.run_until_idle(std::chrono::milliseconds(500));
  f.stop(std::chrono::seconds(10));  // the step that runs may end; the next is not started
  f.boot();
  CHECK(f.describe("w1").steps.size() == 2);
  CHECK(f.wait("w1").result == "101234");
  for (const auto& s : f.describe("w1").steps) CHECK(s.attempts.size() == 1);
}

}  // namespace millrace::engine
