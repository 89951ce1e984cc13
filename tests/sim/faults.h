// What a seed does to the engine: drawn once, before anything runs. Swarm testing: each seed has most kinds of fault
// switched off and the others at very different weights, so that rare mixtures come up (DESIGN.md, "Tests").
#pragma once

#include <string>
#include <vector>

#include "common/time_point.h"
#include "state/memory_store.h"
#include "tests/sim/chance.h"

namespace millrace::sim {

// How one life of the server ends.
struct LifePlan {
  enum class End { crash_at_write, crash_at_time, drain } end = End::crash_at_write;
  std::uint64_t write = 0;  // of this life
  state::CrashPoint point = state::CrashPoint::before;
  Duration at{0};         // of this life, for the other ends; the latest for all
  Duration down_time{0};  // until the next one
};

struct FaultPlan {
  std::vector<LifePlan> lives;  // the faulty ones; a healed one follows
  Duration commit_delay{0};
  Duration commit_jitter{0};
  int slow_read_percent = 0;
  int late_answer_percent = 0;  // of the store, for one batch apart from the others
  int late_wake_percent = 0;    // of sleepers
  int disk_full_percent = 0;    // of lives that have such a window
  int clock_jump_percent = 0;   // of lives that have one
  int duplicate_percent = 0;    // of requests
  int give_up_percent = 0;
  int step_fault_percent = 0;  // of steps
  int step_slots = 200;
  int recovery_at_once = 64;

  bool drains() const;  // in one of its lives
  static FaultPlan draw(Chance& chance);
  // One line.
  std::string describe() const;
};

}  // namespace millrace::sim
