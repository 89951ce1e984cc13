// The faulty phase: lives that end as the plan says; after each the disk is looked at. Then one life without faults, in
// which everything must finish. A hang is a violation with a seed, not a time-out.
#include "tests/sim/simulation.h"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "common/errors.h"
#include "tests/sim/caller.h"
#include "tests/sim/invariants.h"
#include "tests/sim/life.h"
#include "tests/sim/timetable.h"

namespace millrace::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kDownTimeAtMost = hours(2);
// Of virtual time, and of moves of the clock: what a healed server may take to finish everything.
constexpr Duration kHealedAtMost = hours(24 * 3);
constexpr int kMovesAtMost = 300'000;

std::uint64_t fnv(std::uint64_t h, const std::string& bytes) {
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool show)
      : world_(seed),
        show_(show),
        stories_(write_stories(world_.chance, world_.plan.step_fault_percent)),
        timetable_(seed, wall_) {}

  Outcome run() {
    try {
      play_all();
    } catch (const std::exception& e) {
      world_.complain("nothing is thrown through the simulation", e.what());
    }
    Outcome outcome;
    outcome.violations = world_.violations;
    outcome.marks = world_.marks;
    outcome.plan = world_.plan.describe();
    if (show_) show();
    outcome.digest = digest_;
    outcome.events = events_;
    return outcome;
  }

 private:
  void play_all() {
    for (const LifePlan& plan : world_.plan.lives) {
      live(&plan);
      if (world_.failed()) return;
    }
    if (world_.plan.lives.size() >= 3) world_.marks.hit("three crashes in a row");
    live(nullptr);
  }

  bool all_finished() const {
    return timetable_.finished() &&
           std::all_of(stories_.begin(), stories_.end(), [](const Story& s) { return s.finished(); });
  }

  // `plan` null: the healed life.
  void live(const LifePlan* plan) {
    Life life(world_, std::move(disk_), wall_, true_time_, plan != nullptr);
    started_ = false;
    asio::co_spawn(life.sim.runtime().executor(), begin(&life), [this](std::exception_ptr e) { keep(e, "start()"); });
    if (plan != nullptr) lay_faults(life, *plan);
    run(life, plan);
    if (plan != nullptr)
      end_faulty(life, *plan);
    else
      end_healed(life);
    true_time_ = life.true_now();
    wall_ = life.sim.runtime().now();
    world_.ledger.end_life(true_time_);
    if (plan != nullptr) {
      const Duration down = std::min(plan->down_time, kDownTimeAtMost);
      if (down >= seconds(60)) world_.marks.hit("long down time");
      true_time_ += down;
      wall_ += down;
    }
    disk_ = life.store->take_durable_image();
    life.bury();
    ++world_.life;
    look_at_disk();
  }

  void keep(const std::exception_ptr& error, const char* what) {
    if (error && !is_cancelled(error))
      world_.complain("nothing is thrown through the simulation", std::string(what) + ": " + describe(error));
  }

  asio::awaitable<void> begin(Life* life) {
    try {
      co_await life->engine->start();
      co_await life->schedules->start();
    } catch (const state::StoreCrashed&) {
      co_return;
    }
    if (life->dead()) co_return;
    started_ = true;
    asio::co_spawn(life->sim.runtime().executor(), timetable_.play(life), [this, life](std::exception_ptr e) {
      if (!life->dead()) keep(e, "the timetable");
    });
    for (Story& story : stories_)
      if (!story.finished())
        asio::co_spawn(life->sim.runtime().executor(), play(life, &story, world_.chance.fork()),
                       [this, life](std::exception_ptr e) {
                         if (!life->dead()) keep(e, "a caller");
                       });
  }

  void lay_faults(Life& life, const LifePlan& plan) {
    if (plan.end == LifePlan::End::crash_at_write) life.store->crash_at(plan.write, plan.point);
    Chance chance = world_.chance.fork();
    const auto at = [&](Duration when, auto what) {
      asio::co_spawn(
          life.sim.runtime().executor(),
          [](Runtime runtime, Duration d, std::function<void()> f) -> asio::awaitable<void> {
            co_await runtime.sleep_for(d);
            f();
          }(life.sim.runtime(), when, what),
          asio::detached);
    };
    Life* l = &life;
    if (chance.percent(world_.plan.disk_full_percent)) {
      const Duration from = milliseconds(chance.between(0, 5'000));
      const auto set = [this, l](bool full) {
        if (l->dead()) return;
        state::MemoryFaults faults;
        faults.commit_delay = world_.plan.commit_delay;
        faults.commit_jitter = world_.plan.commit_jitter;
        faults.disk_full = full;
        l->store->set_faults(faults);
        if (full) world_.marks.hit("disk full");
      };
      at(from, [set] { set(true); });
      at(from + milliseconds(chance.between(1, 10'000)), [set] { set(false); });
    }
    if (chance.percent(world_.plan.clock_jump_percent)) {
      const bool back = chance.percent(50);
      const Duration by = seconds(chance.percent(50) ? 3'600 : chance.between(1, 3'600));
      at(milliseconds(chance.between(0, 10'000)), [this, l, back, by] {
        if (l->dead()) return;
        world_.marks.hit(back ? "clock jumps backward" : "clock jumps forward");
        l->jump_clock(back ? -by : by);
      });
    }
  }

  // Until the life ends by itself (a crash, nothing left to do) or by its plan.
  void run(Life& life, const LifePlan* plan) {
    // The latest end of a life that was to crash at a write it never comes to.
    const Duration until = plan == nullptr                              ? kHealedAtMost
                           : plan->end == LifePlan::End::crash_at_write ? Duration(seconds(300))
                                                                        : plan->at;
    const Duration end = life.true_now() + until;
    for (int moves = 0;; ++moves) {
      life.sim.run_ready();
      if (world_.failed() || life.store->crashed()) return;
      if (all_finished() && (plan != nullptr || life.engine->open_executions() == 0)) return;
      if (life.true_now() >= end || moves >= kMovesAtMost || !life.sim.advance_to_next_timer()) break;
    }
    if (plan == nullptr) complain_of_hang(life);
  }

  void complain_of_hang(const Life& life) {
    std::string open;
    for (const Story& s : stories_)
      if (!s.finished()) open += fmt::format(" {} ({} of {} actions)", s.workflow_id, s.next_action, s.actions.size());
    world_.complain("everything finishes",
                    fmt::format("after {:.0f} s still open:{}{}; executions in memory: {}",
                                to_seconds(life.true_now() - true_time_), open,
                                timetable_.finished() ? "" : " the timetable", life.engine->open_executions()));
  }

  void end_faulty(Life& life, const LifePlan& plan) {
    if (world_.failed()) return;
    if (life.store->crashed()) {
      world_.marks.hit(plan.point == state::CrashPoint::before ? "crash before a commit"
                       : plan.point == state::CrashPoint::torn ? "crash within a commit"
                                                               : "crash after a commit");
      if (plan.write <= 3 && world_.life > 0) world_.marks.hit("crash during recovery");
      return;
    }
    if (plan.end == LifePlan::End::drain && started_) {
      stop(life, milliseconds(500));
      world_.marks.hit("drain and restart");
    } else {
      life.store->crash();
      world_.marks.hit("crash between commits");
    }
  }

  // Ends the engine in good order.
  void stop(Life& life, Duration grace) {
    bool ended = false;
    asio::co_spawn(
        life.sim.runtime().executor(),
        [](Life* l, Duration d) -> asio::awaitable<void> {
          co_await l->schedules->stop();
          co_await l->engine->stop(d);
        }(&life, grace),
        [&](std::exception_ptr e) {
          ended = true;
          keep(e, "stop()");
        });
    for (int i = 0; i < kMovesAtMost && !ended; ++i) {
      life.sim.run_ready();
      if (!ended && !life.sim.advance_to_next_timer()) break;
    }
    world_.require(ended, "a server that drains ends", "stop() did not return");
  }

  void end_healed(Life& life) {
    if (world_.failed()) return;
    // What is still on its way between executions arrives.
    for (int i = 0; i < 1'000; ++i) {
      life.sim.run_ready();
      if (life.sim.runtime().mono() > MonoTime(kHealedAtMost)) break;
      if (!life.sim.advance_to_next_timer()) break;
    }
    asio::co_spawn(life.sim.runtime().executor(), verify_all(&life),
                   [this](std::exception_ptr e) { keep(e, "verify"); });
    life.sim.run_ready();
    for (int i = 0; i < kMovesAtMost && !verified_; ++i) {
      life.sim.run_ready();
      if (!verified_ && !life.sim.advance_to_next_timer()) break;
    }
    world_.require(verified_, "everything finishes", "verify");
    stop(life, Duration(0));
  }

  // Today's code agrees with every history, and asks for nothing new.
  asio::awaitable<void> verify_all(Life* life) {
    engine::ListFilter filter;
    filter.limit = 10'000;
    const engine::ListPage page = co_await life->engine->list(filter);
    for (const engine::Execution& e : page.executions) {
      const engine::VerifyReport report = co_await life->engine->verify(e.workflow_id, e.run_id);
      if (report.divergence)
        world_.complain("every history verifies",
                        fmt::format("run {} at event {}: {} / {}", e.run_id, report.divergence->event_id,
                                    report.divergence->expected, report.divergence->got));
    }
    listed_ = page.executions.size();
    verified_ = true;
  }

  void look_at_disk() {
    digest_ = fnv(digest_, disk_.log);
    try {
      const Image image(disk_);
      check_rows(world_, image);
      memory_.check(world_, image);
      check_ledger(world_, image);
      check_promises(world_, image, stories_);
      timetable_.check(world_, image, verified_);
      if (verified_) {
        check_end(world_, image, stories_);
        world_.require(listed_ == image.runs.size(), "a list shows every run",
                       fmt::format("{} of {}", listed_, image.runs.size()));
      }
      events_ = 0;
      for (const auto& [_, run] : image.runs) events_ += run.history.size();
    } catch (const Error& e) {
      world_.complain("what is on the disk can be read", e.what());
    }
  }

  void show() const {
    for (const Story& s : stories_) fmt::print(stderr, "{} {} {} run {}\n", s.workflow_id, s.type, s.input, s.run_id);
    const Image image(disk_);
    for (const auto& [id, run] : image.runs) {
      fmt::print(stderr, "run {} {}\n", id, run.record ? run.record->workflow_id : "");
      for (const engine::HistoryEvent& e : run.history) {
        const engine::EventView view = view_of(e);
        fmt::print(stderr, "  {} {} {} {:.400}\n", view.id, format_time(view.time), view.type, view.attributes);
      }
      for (const auto& [step, attempts] : run.attempts)
        for (const auto& [n, a] : attempts)
          fmt::print(stderr, "  step {} attempt {} {} outcome {} heartbeat {}\n", step, n, format_time(a.started),
                     static_cast<int>(a.outcome), a.heartbeat.value_or("-"));
    }
  }

  World world_;
  const bool show_;
  std::vector<Story> stories_;
  WallTime wall_ = from_micros(1'750'000'000'000'000);
  Timetable timetable_;
  Memory memory_;
  state::DurableImage disk_;
  Duration true_time_{0};
  bool started_ = false, verified_ = false;
  std::size_t listed_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL;
  std::uint64_t events_ = 0;
};

}  // namespace

Outcome simulate(std::uint64_t seed, bool show) { return Simulation(seed, show).run(); }

}  // namespace millrace::sim
