// Crashes between executions: a workflow that starts children, signals them, takes their results and continues as new
// is crashed at each durable write; every message arrives once, whatever died between its batch and its answer.
#include <catch2/catch.hpp>

#include <iostream>
#include <map>

#include <boost/asio/co_spawn.hpp>

#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using state::CrashPoint;
using state::DurableImage;
using state::MemoryStore;

using Starts = std::map<std::string, int>;  // "workflow step attempt" -> how often it began

Workflow<Payload> worker(Context& ctx, Payload input) {
  const Payload first = co_await ctx.step("work", input, StepOptions());
  const Payload word = co_await ctx.next_signal("go");
  const Payload last = co_await ctx.step("work", word, StepOptions());
  co_return first + last;
}

Workflow<Payload> boss(Context& ctx, Payload input) {
  const bool again = input == "1";
  std::vector<Context::Child> children;
  for (int i = 1; i <= 2; ++i) {
    ChildOptions options;
    options.workflow_id = "child-" + input + "-" + std::to_string(i);
    children.push_back(ctx.start_child("worker", std::to_string(i), options));
  }
  Payload all;
  for (int i = 1; i <= 2; ++i) {
    co_await children[static_cast<std::size_t>(i) - 1].started;
    co_await ctx.signal_external("child-" + input + "-" + std::to_string(i), "go", "5");
  }
  for (Context::Child& child : children) {
    const Payload result = co_await child.result;
    all += result;
  }
  if (again) throw ContinueAsNew("2");
  co_return all;
}

struct Life {
  Life(DurableImage image, std::shared_ptr<Starts> starts, std::uint64_t seed)
      : sim(seed), store(std::make_shared<MemoryStore>(sim.runtime(), std::move(image))) {
    Registry r;
    r.add_workflow("boss", boss);
    r.add_workflow("worker", worker);
    r.add_step("work", [starts](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      ++(*starts)[ctx.token().text()];
      co_return input;
    });
    engine = std::make_unique<Engine>(sim.runtime(), store, std::move(r), EngineOptions());
  }
  SimRuntime sim;
  std::shared_ptr<MemoryStore> store;
  std::unique_ptr<Engine> engine;
};
std::vector<std::unique_ptr<Life>>& graveyard() {
  static std::vector<std::unique_ptr<Life>> lives;
  return lives;
}

asio::awaitable<void> client(Engine* engine, std::optional<Execution>* out) {
  co_await engine->start();
  StartRequest request;
  request.type = "boss";
  request.workflow_id = "w";
  request.input = "1";
  request.request_id = "r";
  co_await engine->start_workflow(request);
  for (;;) {
    const Execution e = co_await engine->wait_closed("w", {}, std::chrono::hours(1000));
    if (e.status == ExecutionStatus::continued_as_new) continue;
    out->emplace(e);
    co_return;
  }
}

bool live(Life& life, std::optional<Execution>* out) {
  std::exception_ptr error;
  asio::co_spawn(life.sim.runtime().executor(), client(life.engine.get(), out),
                 [&](std::exception_ptr e) { error = e; });
  for (;;) {
    life.sim.run_ready();
    if (*out || life.store->crashed()) return out->has_value();
    REQUIRE(!error);
    REQUIRE(life.sim.advance_to_next_timer());
  }
}

asio::awaitable<void> look(Engine* engine, state::Store* store, std::size_t* rows, std::vector<Execution>* runs,
                           int* divergences) {
  *rows += (co_await store->scan(state::prefix_range(state::keys::timer_prefix()))).size();
  *rows += (co_await store->scan(state::prefix_range(state::keys::open_run_prefix()))).size();
  *rows += (co_await store->scan(state::prefix_range(state::keys::outbox_prefix(0)))).size();
  *runs = (co_await engine->list(ListFilter())).executions;
  for (const Execution& e : *runs) {
    const VerifyReport report = co_await engine->verify(e.workflow_id, e.run_id);
    if (report.divergence) ++*divergences;
  }
}

void check_end(Life& life, const Execution& e, const Starts& starts) {
  life.sim.run_ready();
  REQUIRE(e.status == ExecutionStatus::completed);
  REQUIRE(e.result == "1525");
  REQUIRE(!starts.empty());
  for (const auto& [what, n] : starts) {
    INFO(what);
    REQUIRE(n == 1);
  }
  std::size_t rows = 0;
  std::vector<Execution> runs;
  int divergences = 0;
  life.sim.run_until_done(look(life.engine.get(), life.store.get(), &rows, &runs, &divergences));
  REQUIRE(rows == 0);
  REQUIRE(runs.size() == 6);  // two of the boss, four children: nothing was started twice
  REQUIRE(divergences == 0);
}

bool story(std::uint64_t write, CrashPoint point) {
  auto starts = std::make_shared<Starts>();
  std::optional<Execution> end;
  graveyard().push_back(std::make_unique<Life>(DurableImage(), starts, 1));
  Life* life = graveyard().back().get();
  life->store->crash_at(write, point);
  const bool crashed = !live(*life, &end);
  if (crashed) {
    graveyard().push_back(std::make_unique<Life>(life->store->take_durable_image(), starts, 2));
    life = graveyard().back().get();
    REQUIRE(live(*life, &end));
  }
  check_end(*life, *end, *starts);
  return crashed;
}

}  // namespace

TEST_CASE("a crash at any durable write loses no message between workflows and doubles none") {
  std::uint64_t crashes = 0;
  for (const CrashPoint point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after}) {
    std::uint64_t write = 1;
    while (story(write, point)) ++write;
    crashes += write - 1;
  }
  std::cout << "crashes between executions: " << crashes << "\n";
  CHECK(crashes >= 45);  // 17 synced writes, three ways each; several batches share one
}

}  // namespace millrace::engine
