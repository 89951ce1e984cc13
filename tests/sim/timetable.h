// A schedule that some seeds have: its times, and what must have come of each in the end.
//
// Made in the first life that gets so far; lives through all crashes. Each start leaves a run of its own; each time
// that starts nothing must be told.
#pragma once

#include <optional>

#include "engine/schedules/schedule.h"
#include "tests/sim/image.h"
#include "tests/sim/world.h"

namespace millrace::sim {

class Life;

class Timetable {
 public:
  // Draws from a source of its own: the same seed has the same stories with and without it.
  Timetable(std::uint64_t seed, WallTime wall);

  // Everything that it promised has come; true where the seed has none.
  bool finished() const { return !there_ || finished_; }
  // To be spawned in each life, once its engine has started: makes the schedule, and looks at it until all is done.
  asio::awaitable<void> play(Life* life);
  // After each life; `end`: all must be done.
  void check(World& world, const Image& image, bool end) const;

 private:
  asio::awaitable<void> play_once(Life* life);
  std::int64_t promised() const { return times_ + filled_; }

  bool there_ = false, made_ = false, finished_ = false;
  engine::Schedule schedule_;
  std::int64_t first_ = 0, every_ = 0, times_ = 0;  // nominal times
  std::int64_t filled_ = 0;                         // of the past, by a backfill
};

}  // namespace millrace::sim
