// The simulator's Runtime: one thread, virtual time, seeded randomness, an in-line lane.
//
// Nothing runs by itself: run_ready() runs what is ready, advance_to_next_timer() moves the clock to the next sleeper.
// The same seed gives the same run.
#pragma once

#include <memory>

#include "common/runtime.h"

namespace millrace {

class SimRuntime {
 public:
  explicit SimRuntime(std::uint64_t seed);
  ~SimRuntime();

  Runtime runtime() const;

  // Runs handlers until none is ready.
  void run_ready();
  // Sets the clock to the earliest sleeper and wakes it. False if nobody sleeps.
  bool advance_to_next_timer();
  // run_ready() and timers until nothing is left, or virtual time would pass `until`.
  void run_until_idle(Duration at_most = std::chrono::hours(24));
  // Runs `main` to its end on virtual time; a check fails if nothing is left to run before that.
  void run_until_done(asio::awaitable<void> main);
  // Jumps the wall clock (not the monotonic one), as an administrator or NTP may.
  void jump_wall_clock(Duration by);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace
