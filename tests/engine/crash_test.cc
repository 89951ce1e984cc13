// The crash test of the engine: a crash before, in the middle of and after each single durable write of a workflow of
// 20 steps with retries, timers, checkpoints and a parallel stretch; then a new life goes on with what the disk held.
#include <catch2/catch.hpp>

#include <iostream>
#include <map>
#include <set>

#include <boost/asio/co_spawn.hpp>

#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using state::CrashPoint;
using state::DurableImage;
using state::MemoryStore;

// What really ran, outside of everything that crashes.
struct Ledger {
  std::map<std::string, int> starts;  // "step attempt" -> how often
};

constexpr int kSteps = 20;

// Step i: every third fails in its first attempt, every fifth makes a checkpoint.
Registry registry_of(std::shared_ptr<Ledger> ledger) {
  Registry r;
  r.add_step("work", [ledger](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
    ++ledger->starts[ctx.activity_id() + " " + std::to_string(ctx.token().attempt)];
    const int i = std::stoi(input);
    if (i % 5 == 0 && !ctx.checkpoints().contains("half")) co_await ctx.checkpoint("half", "1");
    if (i % 3 == 0 && ctx.token().attempt == 1) {
      Failure f;
      f.type = "flaky";
      throw FailureError(f);
    }
    ctx.heartbeat(input);
    co_return input;
  });
  r.add_workflow("twenty", [](Context& ctx, Payload) -> Workflow<Payload> {
    long sum = 0;
    const StepOptions options;
    for (int i = 0; i < kSteps - 4; ++i) {
      sum += std::stol(co_await ctx.step("work", std::to_string(i), options));
      if (i % 6 == 0) co_await ctx.timer(std::chrono::seconds(3));
    }
    std::vector<Future> four;
    for (int i = kSteps - 4; i < kSteps; ++i) four.push_back(ctx.start_step("work", std::to_string(i), options));
    for (Future& f : four) sum += std::stol(co_await f);
    sum += std::stol(ctx.side_effect("seven", [] { return Payload("7"); }));
    (void)ctx.random();
    co_return std::to_string(sum);
  });
  return r;
}
constexpr const char* kResult = "197";  // 0 + ... + 19 + 7

// One process: its own runtime, store and engine. Kept until the end of the program: a dead process runs nothing.
struct Life {
  Life(DurableImage image, std::shared_ptr<Ledger> ledger, std::uint64_t seed)
      : sim(seed),
        store(std::make_shared<MemoryStore>(sim.runtime(), std::move(image))),
        engine(std::make_unique<Engine>(sim.runtime(), store, registry_of(std::move(ledger)), EngineOptions())) {}
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
  request.type = "twenty";
  request.workflow_id = "w";
  request.request_id = "r";
  co_await engine->start_workflow(request);  // a repeat starts nothing twice
  out->emplace(co_await engine->wait_closed("w", {}, std::chrono::hours(1000)));
}

// Lives until it is done (true) or crashed.
bool live(Life& life, std::optional<Execution>* out) {
  std::exception_ptr error;
  asio::co_spawn(life.sim.runtime().executor(), client(life.engine.get(), out),
                 [&](std::exception_ptr e) { error = e; });
  for (;;) {
    life.sim.run_ready();
    if (*out || life.store->crashed()) break;
    REQUIRE(!error);
    REQUIRE(life.sim.advance_to_next_timer());
  }
  return out->has_value();
}

void check_end(Life& life, const Execution& e, const Ledger& ledger) {
  REQUIRE(e.status == ExecutionStatus::completed);
  REQUIRE(e.result == kResult);
  for (const auto& [what, n] : ledger.starts) {
    INFO(what);
    REQUIRE(n == 1);
  }
  std::vector<EventView> history;
  std::optional<VerifyReport> verified;
  std::optional<ListPage> open;
  life.sim.run_until_done([](Engine* engine, auto* h, auto* v, auto* o) -> asio::awaitable<void> {
    *h = co_await engine->history("w", {}, 0, 10'000);
    v->emplace(co_await engine->verify("w", {}));
    ListFilter filter;
    filter.status = ExecutionStatus::running;
    o->emplace(co_await engine->list(filter));
  }(life.engine.get(), &history, &verified, &open));
  std::map<std::string, int> completions;
  std::uint64_t id = 0;
  for (const EventView& v : history) {
    REQUIRE(v.id == ++id);
    if (v.type != "ACTIVITY_TASK_COMPLETED") continue;
    const auto at = v.attributes.find("\"scheduledEventId\":");
    ++completions[v.attributes.substr(at, v.attributes.find(',', at) - at)];
  }
  REQUIRE(completions.size() == kSteps);
  for (const auto& [_, n] : completions) REQUIRE(n == 1);
  REQUIRE(!verified->divergence);
  REQUIRE(open->executions.empty());
}

// What must not outlive a run: rows of timers and of open runs.
void check_rows(Life& life) {
  std::size_t left = 0;
  life.sim.run_until_done([](state::Store* store, std::size_t* n) -> asio::awaitable<void> {
    *n += (co_await store->scan(state::prefix_range(state::keys::timer_prefix()))).size();
    *n += (co_await store->scan(state::prefix_range(state::keys::open_run_prefix()))).size();
  }(life.store.get(), &left));
  REQUIRE(left == 0);
}

// One whole story: crashes at write `write` of the first life, then lives on. False: there was no such write.
bool story(std::uint64_t write, CrashPoint point, std::uint64_t second_write) {
  auto ledger = std::make_shared<Ledger>();
  std::optional<Execution> end;
  graveyard().push_back(std::make_unique<Life>(DurableImage(), ledger, 1));
  Life* life = graveyard().back().get();
  life->store->crash_at(write, point);
  if (live(*life, &end)) {
    check_end(*life, *end, *ledger);
    return false;
  }
  for (int n = 1;; ++n) {
    REQUIRE(n < 4);
    DurableImage image = life->store->take_durable_image();
    graveyard().push_back(std::make_unique<Life>(std::move(image), ledger, n + 1));
    life = graveyard().back().get();
    if (n == 1 && second_write != 0) life->store->crash_at(second_write, point);
    if (live(*life, &end)) break;
  }
  check_end(*life, *end, *ledger);
  check_rows(*life);
  return true;
}

}  // namespace

TEST_CASE(
    "after a crash at any single durable write the workflow ends with the same result, no step completed twice, no "
    "attempt number twice") {
  std::uint64_t crashes = 0;
  for (const CrashPoint point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after}) {
    std::uint64_t write = 1;
    while (story(write, point, 0)) ++write;
    crashes += write - 1;
  }
  std::cout << "crashes at single durable writes: " << crashes << "\n";
  CHECK(crashes > 60);
}

TEST_CASE("a crash of the recovery itself changes nothing") {
  std::uint64_t crashes = 0;
  for (const CrashPoint point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after})
    for (const std::uint64_t write : {3, 9, 17, 26})
      for (const std::uint64_t second : {1, 2, 3})
        if (story(write, point, second)) ++crashes;
  CHECK(crashes == 36);
}

}  // namespace millrace::engine
