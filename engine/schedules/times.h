// When a schedule fires, for this room: the calendar's specification, with times as rows hold them.
//
// A nominal time is a whole second since the epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "calendar/specification.h"
#include "common/time_point.h"

namespace millrace::engine {

using ScheduleSpec = calendar::Specification;

inline std::int64_t seconds_floor(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}
inline WallTime from_seconds(std::int64_t s) { return WallTime(std::chrono::seconds(s)); }

// The first nominal time after `after`. Empty: there is none.
inline std::optional<std::int64_t> next_time(const ScheduleSpec& spec, std::int64_t after) {
  const auto found = spec.next_after(calendar::Seconds(std::chrono::seconds(after)));
  if (!found) return std::nullopt;
  return found->time_since_epoch().count();
}

// When the nominal time `nominal` of the schedule `id` is acted on: later by its jitter.
inline WallTime actual_time(const ScheduleSpec& spec, const std::string& id, std::int64_t nominal) {
  return from_seconds(nominal) + spec.jitter_of(id, calendar::Seconds(std::chrono::seconds(nominal)));
}

}  // namespace millrace::engine
