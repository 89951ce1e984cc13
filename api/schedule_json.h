// Schedules as the API reads and shows them.
#pragma once

#include <string>

#include "api/message.h"
#include "engine/schedules/schedules.h"

namespace millrace::api {

// One schedule whole: what was asked for, the next times, the last runs, what was missed and why, counters.
std::string schedule_json(const engine::Schedule& schedule, WallTime now, std::size_t next_runs);
// [{"nominalTime", "time" (with jitter), "localTime", "localNote"}]
std::string upcoming_json(const std::vector<engine::Upcoming>& times, const engine::ScheduleSpec& spec);
// What a trigger has come to: {"outcome": "started"|"skipped"|"waiting", ...}
std::string triggered_json(const engine::Triggered& triggered);

enum class ScheduleBody { create, put, patch };
// Reads a body over `schedule`: of a patch, fields that are left out stay. Throws BodyError with all faults.
void read_schedule(const std::string& body, ScheduleBody mode, engine::Schedule& schedule);

}  // namespace millrace::api
