#include "engine/schedules/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <stdexcept>

namespace millrace::engine {

namespace {

// Beyond any time that a schedule is asked for, and far from the ends of what the arithmetic holds.
constexpr std::int64_t kEver = std::int64_t{1} << 40;

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
  try {
    TimeZone zone;
    zone.zone_ = date::locate_zone(name);
    zone.name_ = name;
    return zone;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

TimeZone::Segment TimeZone::segment_at(std::int64_t utc) const {
  const auto info = static_cast<const date::time_zone*>(zone_)->get_info(date::sys_seconds(std::chrono::seconds(utc)));
  Segment segment;
  segment.begin = std::clamp<std::int64_t>(info.begin.time_since_epoch().count(), -kEver, kEver);
  segment.end = std::clamp<std::int64_t>(info.end.time_since_epoch().count(), -kEver, kEver);
  segment.offset = info.offset.count();
  return segment;
}

}  // namespace millrace::engine
