// Faults that tests/sim has found, each as a test of its own; the seed that showed it stands with it.
#include <catch2/catch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

// Hangs until it is told to end.
asio::awaitable<Payload> hang(StepContext& ctx, Payload) {
  for (;;) co_await ctx.runtime().sleep_for(std::chrono::hours(24));
}

// A store whose reads take a millisecond.
class SlowReads final : public state::Store {
 public:
  SlowReads(Runtime runtime, std::shared_ptr<state::Store> inner)
      : runtime_(std::move(runtime)), inner_(std::move(inner)) {}
  asio::awaitable<std::optional<std::string>> get(std::string key) override {
    co_await runtime_.sleep_for(std::chrono::milliseconds(1));
    co_return co_await inner_->get(std::move(key));
  }
  asio::awaitable<std::vector<state::KeyValue>> scan(state::Range range) override {
    co_await runtime_.sleep_for(std::chrono::milliseconds(1));
    co_return co_await inner_->scan(std::move(range));
  }
  asio::awaitable<state::Commit> commit(state::Batch batch) override { return inner_->commit(std::move(batch)); }
  std::unique_ptr<state::Snapshot> snapshot() override { return inner_->snapshot(); }
  state::StoreStatus status() override { return inner_->status(); }
  void close() override { inner_->close(); }

 private:
  Runtime runtime_;
  std::shared_ptr<state::Store> inner_;
};

}  // namespace

// Seeds 1, 69 and 123: ACTIVITY_TASK_CANCELED stood between the commands of the turn that asked for it, so replay cut
// the turn there, and the run was blocked after a restart.
TEST_CASE("a step cancelled before it began ends behind all that its turn asks for, so its history verifies") {
  EngineFixture f;
  f.registry.add_step("work", [](StepContext&, Payload input) -> asio::awaitable<Payload> { co_return input; });
  f.registry.add_workflow("job", [](Context& ctx, Payload) -> Workflow<Payload> {
    Context inner = ctx.scope();
    StepOptions waits;
    waits.queue = kNobodysQueue;
    waits.cancel_mode = CancelMode::try_cancel;
    Future first = inner.start_step("work", "\"1\"", waits);
    Future second = inner.start_step("work", "\"2\"", waits);
    co_await ctx.timer(std::chrono::seconds(1));
    inner.cancel();
    co_return co_await ctx.step("work", "\"3\"", StepOptions());
  });
  f.boot();
  f.start("job", "w");
  CHECK(f.wait("w").result == "\"3\"");
  CHECK(!f.get(f.engine->verify("w", {})).divergence);
  CHECK(f.event_types("w") ==
        std::vector<std::string>{"WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_SCHEDULED",
                                 "ACTIVITY_TASK_SCHEDULED", "TIMER_STARTED", "TIMER_FIRED", "WORKFLOW_TASK_COMPLETED",
                                 "ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_CANCEL_REQUESTED",
                                 "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_CANCELED", "ACTIVITY_TASK_CANCELED",
                                 "WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED",
                                 "WORKFLOW_TASK_COMPLETED", "WORKFLOW_EXECUTION_COMPLETED"});
}

// Seed 228: it was told that the run was closed, which was not so.
TEST_CASE("who waits for an update when the server stops is told to ask again") {
  EngineFixture f;
  f.registry.add_step("hang", hang);
  f.registry.add_workflow("job", [](Context& ctx, Payload) -> Workflow<Payload> {
    ctx.on_update("slow", {}, [](Context& c, Payload) -> Workflow<Payload> {
      co_return co_await c.step("hang", "", StepOptions());
    });
    co_return co_await ctx.next_signal("end");
  });
  f.boot();
  f.start("job", "w");
  std::string code = "no answer";
  auto ask = [](Engine* engine, std::string* out) -> asio::awaitable<void> {
    UpdateRequest request;
    request.workflow_id = "w";
    request.name = "slow";
    try {
      co_await engine->update(std::move(request));
    } catch (const Error& e) {
      *out = e.code();
    }
  };
  asio::co_spawn(f.sim.runtime().executor(), ask(f.engine.get(), &code), asio::detached);
  f.sim.run_until_idle(std::chrono::seconds(1));
  f.run(f.engine->stop(Duration(0)));
  f.sim.run_ready();
  CHECK(code == "workflow.draining");
  f.engine.reset();
}

// Seed 289: the attempt was told to end only after the commit that timed it out, which never came.
TEST_CASE("an attempt whose time-out could not be written is told to end all the same, so the engine can stop") {
  EngineFixture f;
  f.registry.add_step("hang", hang);
  f.registry.add_workflow("job", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions options;
    options.timeouts.start_to_close = std::chrono::seconds(1);
    co_return co_await ctx.step("hang", "", options);
  });
  f.boot();
  f.start("job", "w");
  f.store->crash_at(f.store->writes() + 1, state::CrashPoint::before);
  f.sim.run_until_idle(std::chrono::seconds(2));
  REQUIRE(f.store->crashed());
  f.store->release();
  f.stop();
  CHECK(!f.engine);
}

// Seeds 4040, 924 and 3657: stop() took the pending steps from under the recovery that was reading their rows, and its
// cancellation reached a frame that was gone.
TEST_CASE("an engine can be stopped at any moment of its recovery") {
  EngineFixture f;
  f.registry.add_step("hang", hang);
  f.registry.add_workflow("job", [](Context& ctx, Payload) -> Workflow<Payload> {
    std::vector<Future> all;
    for (int i = 0; i < 5; ++i) all.push_back(ctx.start_step("hang", "", StepOptions()));
    co_return co_await all.front();
  });
  f.boot();
  f.start("job", "w");
  f.stop();
  for (int after = 0; after < 40; ++after) {
    f.store = std::make_shared<state::MemoryStore>(f.sim.runtime(), f.store->take_durable_image());
    auto slow = std::make_shared<SlowReads>(f.sim.runtime(), f.store);
    f.engine = std::make_unique<Engine>(f.sim.runtime(), slow, f.registry, f.options);
    f.run(f.engine->start());
    for (int i = 0; i < after && f.sim.advance_to_next_timer(); ++i) f.sim.run_ready();
    f.stop();
  }
  f.boot();
  CHECK(f.describe("w").steps.size() == 5);
}

}  // namespace millrace::engine
