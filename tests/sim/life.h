// One life of the server: an engine over the crashing in-memory store, on virtual time of its own.
#pragma once

#include <memory>

#include "common/runtime_sim.h"
#include "engine/engine.h"
#include "engine/schedules/schedules.h"
#include "state/memory_store.h"
#include "tests/sim/world.h"

namespace millrace::sim {

class Life {
 public:
  // `faulty`: the plan's slow reads, late answers and late wake-ups are on.
  Life(World& world, state::DurableImage image, WallTime wall, Duration true_time, bool faulty);
  ~Life();

  // True time: what a clock outside of the simulated machine shows.
  Duration true_now() const { return began_ + (sim.runtime().mono() - mono_began_); }
  void jump_clock(Duration by);
  // Nothing of a dead life may be believed: coroutines of callers and steps look at it after each wait.
  bool dead() const { return dead_ || store->crashed(); }
  // Lets what hangs at the crashed store go, and ends the engine.
  void bury();

  World& world;
  SimRuntime sim;
  Runtime runtime;  // with late wake-ups
  std::shared_ptr<state::MemoryStore> store;
  std::shared_ptr<engine::Engine> engine;
  std::unique_ptr<engine::Schedules> schedules;

 private:
  Duration began_;
  MonoTime mono_began_;
  bool dead_ = false;
};

}  // namespace millrace::sim
