// What a schedule does now. Pure: changes the schedule in memory, and says what has to be done for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/schedules/schedule.h"
#include "engine/schedules/times.h"

namespace millrace::engine {

struct Decision {
  Decision() = default;
  std::optional<DueStart> start;  // taken out of the buffer; to be started in one batch with the schedule's new row
  bool cancel_running = false;    // a start waits for the end of what runs
  bool terminate_running = false;
  std::vector<MissedTime> missed;  // already in the schedule's own list; to be told once the row is written
  bool changed = false;
};

// Moves the mark and the backfills up to `now`, then takes from the buffer what may start: one at most, since what
// comes after it sees it running. `running` must be up to date.
Decision decide(Schedule& schedule, const ScheduleSpec& spec, WallTime now);

// Adds to the schedule's list and counters, and to the decision's.
void miss(Schedule& schedule, Decision& decision, const DueStart& due, WallTime now, std::string reason,
          std::string detail, std::uint64_t count = 1);

// Moves the mark to `now` without starting anything; what lay between is told as missed for `reason`.
void pass_over(Schedule& schedule, Decision& decision, const ScheduleSpec& spec, WallTime now, std::string reason);

}  // namespace millrace::engine
