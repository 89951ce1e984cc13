#include "tests/sim/faults.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Half of the kinds are off in a seed.
int weight(Chance& chance, int most) { return chance.percent(50) ? 0 : static_cast<int>(chance.between(1, most)); }

LifePlan draw_life(Chance& chance) {
  LifePlan life;
  const auto kind = chance.below(10);
  life.end = kind < 7 ? LifePlan::End::crash_at_write : kind < 9 ? LifePlan::End::crash_at_time : LifePlan::End::drain;
  // Small numbers often: recovery writes little.
  life.write = static_cast<std::uint64_t>(chance.percent(40) ? chance.between(1, 6) : chance.between(1, 60));
  const auto point = chance.below(3);
  life.point = point == 0 ? state::CrashPoint::before : point == 1 ? state::CrashPoint::torn : state::CrashPoint::after;
  life.at = chance.percent(10)   ? Duration(0)
            : chance.percent(50) ? Duration(milliseconds(chance.between(1, 3'000)))
                                 : Duration(seconds(chance.between(1, 120)));
  life.down_time = chance.percent(20) ? Duration(seconds(chance.between(60, 7'200)))
                                      : Duration(milliseconds(chance.between(1, 20'000)));
  return life;
}

}  // namespace

FaultPlan FaultPlan::draw(Chance& chance) {
  FaultPlan plan;
  const auto lives = chance.percent(10) ? chance.between(4, 8) : chance.between(0, 4);
  for (std::int64_t i = 0; i < lives; ++i) plan.lives.push_back(draw_life(chance));
  if (chance.percent(30)) {
    plan.commit_delay = Duration(chance.between(0, 30'000));
    plan.commit_jitter = Duration(chance.between(0, 200'000));
  }
  plan.slow_read_percent = weight(chance, 60);
  plan.late_answer_percent = weight(chance, 60);
  plan.late_wake_percent = weight(chance, 40);
  plan.disk_full_percent = weight(chance, 60);
  plan.clock_jump_percent = chance.percent(70) ? 0 : 70;
  plan.duplicate_percent = weight(chance, 60);
  plan.give_up_percent = weight(chance, 40);
  plan.step_fault_percent = weight(chance, 70);
  plan.step_slots = chance.percent(70) ? 200 : static_cast<int>(chance.between(1, 3));
  plan.recovery_at_once = chance.percent(70) ? 64 : static_cast<int>(chance.between(1, 2));
  return plan;
}

bool FaultPlan::drains() const {
  return std::any_of(lives.begin(), lives.end(), [](const LifePlan& l) { return l.end == LifePlan::End::drain; });
}

std::string FaultPlan::describe() const {
  std::string text;
  for (const LifePlan& life : lives) {
    const double at = to_seconds(life.at), down = to_seconds(life.down_time);
    switch (life.end) {
      case LifePlan::End::crash_at_write:
        text += fmt::format("crash {} write {}",
                            life.point == state::CrashPoint::before ? "before"
                            : life.point == state::CrashPoint::torn ? "within"
                                                                    : "after",
                            life.write);
        break;
      case LifePlan::End::crash_at_time:
        text += fmt::format("crash at {:.3f} s", at);
        break;
      case LifePlan::End::drain:
        text += fmt::format("drain at {:.3f} s", at);
        break;
    }
    text += fmt::format(", down {:.3f} s; ", down);
  }
  text += "healed;";
  const auto add = [&](const char* what, auto n) {
    if (n != 0) text += fmt::format(" {} {}", what, n);
  };
  add("commit-delay-us", commit_delay.count());
  add("commit-jitter-us", commit_jitter.count());
  add("slow-reads-%", slow_read_percent);
  add("late-answers-%", late_answer_percent);
  add("late-wakes-%", late_wake_percent);
  add("disk-full-%", disk_full_percent);
  add("clock-jumps-%", clock_jump_percent);
  add("duplicates-%", duplicate_percent);
  add("give-ups-%", give_up_percent);
  add("step-faults-%", step_fault_percent);
  add("slots", step_slots);
  add("recovery-at-once", recovery_at_once);
  return text;
}

}  // namespace millrace::sim
