// The engine on real threads: what virtual time on one thread can't show. TSan runs this.
#include <catch2/catch.hpp>

#include <atomic>

#include "common/task_group.h"
#include "engine/engine.h"
#include "state/memory_store.h"

namespace millrace::engine {
namespace {

asio::awaitable<Payload> busy(StepContext& ctx, Payload input) {
  ctx.heartbeat(input);
  ctx.log(LogLevel::info, "working on " + input);
  const Payload state = input;
  co_await ctx.checkpoint("s", state);
  if (ctx.token().attempt == 1 && input.back() == '3') {
    Failure f;
    f.type = "flaky";
    f.next_retry_delay = std::chrono::milliseconds(1);
    throw FailureError(f);
  }
  co_await ctx.runtime().sleep_for(std::chrono::microseconds(50));
  co_return input;
}

Workflow<Payload> fan(Context& ctx, Payload) {
  std::vector<Future> all;
  for (int i = 0; i < 8; ++i) all.push_back(ctx.start_step("busy", std::to_string(i), StepOptions()));
  Future timer = ctx.timer(std::chrono::milliseconds(2));
  for (Future& one : all) co_await one;
  co_await timer;
  co_return "\"done\"";
}

asio::awaitable<void> one_client(Engine* engine, int n, std::atomic<int>* completed, std::atomic<int>* canceled) {
  for (int i = 0; i < 20; ++i) {
    StartRequest r;
    r.type = "fan";
    r.workflow_id = "w-" + std::to_string(n) + "-" + std::to_string(i);
    r.request_id = r.workflow_id;
    const auto started = co_await engine->start_workflow(r);
    const auto again = co_await engine->start_workflow(r);
    if (again.run_id != started.run_id) co_return;
    (void)co_await engine->describe(r.workflow_id, {});
    if (i % 5 == 4) {
      std::exception_ptr closed;
      try {
        co_await engine->request_cancel(r.workflow_id, {}, "", "");
      } catch (...) {
        closed = std::current_exception();
      }
    }
    const Execution e = co_await engine->wait_closed(r.workflow_id, {}, std::chrono::seconds(60));
    if (e.status == ExecutionStatus::completed) ++*completed;
    // A step that fails after the request is not tried again: then the execution fails.
    if (e.status == ExecutionStatus::canceled || (e.cancel_requested && e.status == ExecutionStatus::failed))
      ++*canceled;
  }
}

asio::awaitable<void> many_clients(Runtime runtime, std::atomic<int>* completed, std::atomic<int>* canceled,
                                   std::size_t* open, std::size_t* lists) {
  auto store = std::make_shared<state::MemoryStore>(runtime);
  Registry registry;
  registry.add_step("busy", busy);
  registry.add_workflow("fan", fan);
  EngineOptions options;
  options.queues.otherwise = Limits(20);
  options.heartbeat_write = std::chrono::milliseconds(1);
  Engine engine(runtime, store, std::move(registry), options);
  co_await engine.start();
  {
    TaskGroup clients(runtime);
    for (int n = 0; n < 16; ++n) clients.spawn("client", one_client(&engine, n, completed, canceled));
    co_await clients.join();
  }
  ListFilter filter;
  filter.limit = 1'000;
  *lists = (co_await engine.list(filter)).executions.size();
  *open = engine.open_executions();
  co_await engine.stop(std::chrono::seconds(1));
  store->close();
}

}  // namespace

TEST_CASE("many clients on many threads: every execution ends as it should, nothing is left open") {
  RuntimeOptions wide;
  wide.pool_threads = 4;
  RealRuntime real(wide);
  std::atomic<int> completed{0}, canceled{0};
  std::size_t open = 1, lists = 0;
  real.run_until_done(many_clients(real.runtime(), &completed, &canceled, &open, &lists));
  CHECK(completed + canceled == 320);
  CHECK(completed >= 256);
  CHECK(open == 0);
  CHECK(lists == 320);
}

}  // namespace millrace::engine
