// Workers in other processes, over the engine: what they get, what they may say, and what a restart leaves of it.
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "engine/worker_run.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Outside : EngineFixture {
  Outside() {
    options_of_step.queue = "q";
    registry.add_workflow("one",
                          [this](Context& ctx, Payload input) { return body(ctx, std::move(input), options_of_step); });
    boot();
  }
  ~Outside() {
    if (engine) stop();
  }
  static Workflow<Payload> body(Context& ctx, Payload input, StepOptions o) {
    co_return co_await ctx.step("act", std::move(input), std::move(o));
  }
  std::optional<WorkerTask> poll(Duration wait = seconds(1), std::vector<std::string> types = {}) {
    PollRequest r;
    r.queue = "q";
    r.identity = "worker-1";
    r.types = std::move(types);
    r.wait = wait;
    return get(engine->poll(r));
  }
  void complete(const WorkerTask& t, Payload result) { run(engine->worker_complete("q", t.token, std::move(result))); }
  std::string complete_error(const WorkerTask& t) { return error_of(engine->worker_complete("q", t.token, "1")); }
  void fail(const WorkerTask& t, const std::string& type) {
    Failure f;
    f.type = type;
    run(engine->worker_fail("q", t.token, f));
  }
  HeartbeatAnswer beat(const WorkerTask& t, std::optional<Payload> details = std::nullopt) {
    return get(engine->worker_heartbeat("q", t.token, std::move(details)));
  }
  // The process dies: nothing more is written; another one follows.
  void die() {
    auto image = store->take_durable_image();
    store->crash();
    dead().push_back(std::move(engine));
    store = std::make_shared<state::MemoryStore>(sim.runtime(), std::move(image));
    boot();
  }
  static std::vector<std::unique_ptr<Engine>>& dead() {
    static std::vector<std::unique_ptr<Engine>> engines;
    return engines;
  }
  StepOptions options_of_step;
};

}  // namespace

TEST_CASE("a worker gets a waiting step, and its result is the step's") {
  Outside f;
  f.start("one", "w", "{\"x\":1}");
  const auto task = f.poll();
  REQUIRE(task);
  CHECK(task->type == "act");
  CHECK(task->workflow_id == "w");
  CHECK(task->input == "{\"x\":1}");
  CHECK(task->attempt == 1);
  CHECK(task->timeouts.start_to_close == std::chrono::hours(1));  // of an attempt that nothing else would end
  const auto step = f.describe("w").steps.at(0);
  CHECK(step.state == StepState::running);
  CHECK(!step.waiting_for);
  CHECK(f.engine->queue("q").running == 1);
  f.complete(*task, "\"done\"");
  CHECK(f.wait("w").result == "\"done\"");
  CHECK(f.complete_error(*task) == "task.not_found");
  CHECK(f.history("w").at(3).attributes.find("worker-1") != std::string::npos);
}

TEST_CASE("a worker that waits gets a step as soon as there is one, and none of another type") {
  Outside f;
  CHECK(!f.poll(seconds(2)));
  f.start("one", "w", "1");
  CHECK(!f.poll(seconds(1), {"other"}));
  const auto task = f.poll(seconds(1), {"other", "act"});
  REQUIRE(task);
  f.complete(*task, "1");
  CHECK(f.wait("w").status == ExecutionStatus::completed);
}

TEST_CASE("a worker's failures are tried again by the step's policy, with its last heartbeat") {
  Outside f;
  f.options_of_step.retry.maximum_attempts = 2;
  f.start("one", "w", "1");
  const auto first = f.poll();
  REQUIRE(first);
  CHECK(!f.beat(*first, "7").cancel_requested);
  CHECK(f.describe("w").steps.at(0).heartbeat == "7");
  f.fail(*first, "flaky");
  CHECK(f.complete_error(*first) == "task.not_found");
  const auto second = f.poll(seconds(10));
  REQUIRE(second);
  CHECK(second->attempt == 2);
  CHECK(second->heartbeat == "7");
  f.fail(*second, "flaky");
  CHECK(f.wait("w").failure->type == "flaky");
}

TEST_CASE("a worker that dies is seen by the time-outs of its attempt, and its slot comes back") {
  Outside f;
  f.options_of_step.timeouts.heartbeat = seconds(5);
  f.options_of_step.retry.maximum_attempts = 2;
  f.start("one", "w", "1");
  const auto first = f.poll();
  REQUIRE(first);
  f.sim.run_until_idle(seconds(4));
  f.beat(*first);
  f.sim.run_until_idle(seconds(4));
  CHECK(f.describe("w").steps.at(0).state == StepState::running);
  const auto second = f.poll(seconds(20));
  REQUIRE(second);
  CHECK(second->attempt == 2);
  CHECK(f.error_of(f.engine->worker_heartbeat("q", first->token, std::nullopt)) == "task.not_found");
  CHECK(f.complete_error(*first) == "task.not_found");
  f.complete(*second, "2");
  CHECK(f.wait("w").result == "2");
  CHECK(f.engine->open_executions() == 0);
}

TEST_CASE("after a crash of the server the task of a live worker is still its own") {
  Outside f;
  f.options_of_step.retry.maximum_attempts = 1;
  f.start("one", "w", "1");
  const auto task = f.poll();
  REQUIRE(task);
  f.beat(*task, "3");
  f.sim.run_until_idle(seconds(2));
  for (int i = 0; i < 3; ++i) {
    f.die();
    f.sim.run_until_idle(seconds(1));
    CHECK(f.engine->queue("q").running == 1);
    CHECK(f.describe("w").steps.at(0).state == StepState::running);
    CHECK(!f.poll(milliseconds(10)));
  }
  CHECK(!f.beat(*task).cancel_requested);
  f.complete(*task, "\"late, but good\"");
  CHECK(f.wait("w").result == "\"late, but good\"");
  CHECK(f.describe("w").steps.at(0).attempts.size() == 1);
}

TEST_CASE("the time-outs of an attempt on a worker go on over a restart") {
  Outside f;
  f.options_of_step.timeouts.start_to_close = seconds(100);
  f.options_of_step.retry.maximum_attempts = 1;
  f.start("one", "w", "1");
  REQUIRE(f.poll());
  f.sim.run_until_idle(seconds(60));
  f.die();
  const Execution e = f.wait("w");
  CHECK(e.failure->type == "TimeoutStartToClose");
  CHECK(*e.closed - e.started < seconds(102));
}

TEST_CASE("a worker learns of a cancel request by its heartbeat, and may answer it") {
  Outside f;
  f.start("one", "w", "1");
  const auto task = f.poll();
  REQUIRE(task);
  f.run(f.engine->request_cancel("w", {}, "", ""));
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.beat(*task).cancel_requested);
  f.fail(*task, "Cancelled");
  CHECK(f.wait("w").status == ExecutionStatus::canceled);
}

TEST_CASE("a terminated execution takes the worker's slot back and refuses its answer") {
  Outside f;
  f.start("one", "w", "1");
  const auto task = f.poll();
  REQUIRE(task);
  f.run(f.engine->terminate("w", {}, ""));
  CHECK(f.complete_error(*task) == "task.not_found");
  for (const QueueView& q : f.engine->queues()) CHECK(q.running == 0);
}

TEST_CASE("a wrong stamp, another queue and text that is no token are refused alike") {
  Outside f;
  f.start("one", "w", "1");
  const auto task = f.poll();
  REQUIRE(task);
  auto token = WorkerToken::parse(task->token);
  REQUIRE(token);
  CHECK(token->text() == task->token);
  token->stamp ^= 1;
  for (const std::string& wrong : {token->text(), std::string(), std::string("..."), std::string("a.1.1.zz")})
    CHECK(f.error_of(f.engine->worker_complete("q", wrong, "1")) == "task.not_found");
  CHECK(f.error_of(f.engine->worker_complete("other", task->token, "1")) == "task.not_found");
  f.complete(*task, "1");
}

TEST_CASE("the limits of a queue hold for workers too") {
  Outside f;
  f.engine->configure_queue("q", Limits(1));
  f.start("one", "w1", "1");
  f.start("one", "w2", "2");
  const auto first = f.poll();
  REQUIRE(first);
  CHECK(!f.poll(seconds(1)));
  CHECK(f.describe(first->workflow_id == "w1" ? "w2" : "w1").steps.at(0).waiting_for->reason == "queue_full");
  f.complete(*first, "1");
  const auto second = f.poll();
  REQUIRE(second);
  f.complete(*second, "1");
}

}  // namespace millrace::engine
