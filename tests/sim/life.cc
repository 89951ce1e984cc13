#include "tests/sim/life.h"

#include <boost/asio/co_spawn.hpp>

#include "tests/sim/faulty_store.h"
#include "tests/sim/interpreter.h"
#include "tests/testkit/testkit.h"

namespace millrace::sim {
namespace {

// A Runtime whose sleepers may wake late, as on a machine that has other things to do.
class LateRuntime final : public Runtime::Backend {
 public:
  LateRuntime(Runtime inner, int percent, Chance chance, Marks& marks)
      : inner_(std::move(inner)), percent_(percent), chance_(chance), marks_(marks) {}
  asio::any_io_executor executor() override { return inner_.executor(); }
  asio::any_io_executor make_strand() override { return inner_.make_strand(); }
  WallTime now() override { return inner_.now(); }
  MonoTime mono() override { return inner_.mono(); }
  std::uint64_t random() override { return inner_.random(); }
  asio::awaitable<void> sleep_until(MonoTime when) override {
    if (percent_ != 0 && chance_.percent(percent_)) {
      marks_.hit("late wake-ups");
      when += Duration(chance_.between(1, 800'000));
    }
    return inner_.sleep_until(when);
  }
  asio::awaitable<void> run_blocking(std::function<void()> work) override {
    work();
    co_return;
  }
  std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body) override {
    return inner_.start_thread(std::move(name), std::move(body));
  }

 private:
  Runtime inner_;
  int percent_;
  Chance chance_;
  Marks& marks_;
};

engine::Registry registry_of(Life& life) {
  engine::Registry registry;
  add_interpreter(registry, life);
  testkit::register_testkit(registry);
  return registry;
}

engine::EngineOptions options_of(const FaultPlan& plan) {
  engine::EngineOptions options;
  options.queues.otherwise.concurrency = static_cast<std::size_t>(plan.step_slots);
  options.recovery_at_once = static_cast<std::size_t>(plan.recovery_at_once);
  return options;
}

}  // namespace

Life::Life(World& w, state::DurableImage image, WallTime wall, Duration true_time, bool faulty)
    : world(w),
      sim(w.seed * 1'000 + static_cast<std::uint64_t>(w.life)),
      runtime(std::make_shared<LateRuntime>(sim.runtime(), faulty ? w.plan.late_wake_percent : 0, w.chance.fork(),
                                            w.marks)),
      store(std::make_shared<state::MemoryStore>(sim.runtime(), std::move(image))),
      began_(true_time),
      mono_began_(sim.runtime().mono()) {
  sim.jump_wall_clock(std::chrono::duration_cast<Duration>(wall - sim.runtime().now()));
  if (store->dropped_at_open() != 0) w.marks.hit("torn tail dropped");
  if (faulty && (w.plan.commit_delay.count() != 0 || w.plan.commit_jitter.count() != 0)) {
    state::MemoryFaults slow;
    slow.commit_delay = w.plan.commit_delay;
    slow.commit_jitter = w.plan.commit_jitter;
    store->set_faults(slow);
    w.marks.hit("slow commits");
  }
  std::shared_ptr<state::Store> seen = store;
  if (faulty && (w.plan.slow_read_percent != 0 || w.plan.late_answer_percent != 0))
    seen = std::make_shared<FaultyStore>(sim.runtime(), store, w.plan, w.chance.fork(), w.marks);
  if (w.plan.step_slots == 1) w.marks.hit("one slot");
  engine = std::make_shared<engine::Engine>(runtime, seen, registry_of(*this), options_of(w.plan));
  schedules = std::make_unique<engine::Schedules>(runtime, std::move(seen), engine);
}

Life::~Life() = default;

void Life::jump_clock(Duration by) {
  world.jumped += by < Duration(0) ? -by : by;
  sim.jump_wall_clock(by);
}

void Life::bury() {
  dead_ = true;
  if (!store->crashed()) store->crash();
  store->release();
  // A process that dies does none of this; it only gives the memory back. It must come to an end all the same.
  bool ended = false;
  asio::co_spawn(
      sim.runtime().executor(),
      [](engine::Schedules* s, engine::Engine* e) -> asio::awaitable<void> {
        co_await s->stop();
        co_await e->stop(Duration(0));
      }(schedules.get(), engine.get()),
      [&](std::exception_ptr) { ended = true; });
  for (int i = 0; i < 100'000 && !ended; ++i) {
    sim.run_ready();
    if (!ended && !sim.advance_to_next_timer()) break;
  }
  world.require(ended, "an engine whose store is gone can be stopped", "stop() did not return");
  sim.run_ready();
  schedules.reset();
  engine.reset();
}

}  // namespace millrace::sim
