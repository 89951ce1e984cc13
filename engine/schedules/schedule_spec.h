// When a schedule fires: times = union(intervals, calendars, crons) - exclusions, within [start, end].
//
// A nominal time is a whole second. Calendars and crons are read on the wall clock of a time zone. Where that clock is
// put forward, a time that it never shows does not fire (`skip`) or fires once, at the first moment after the gap
// (`run-after`); where it is put back, a time that it shows twice fires both times (`both`) or the first (`first`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/time_point.h"
#include "engine/schedules/calendar.h"
#include "engine/schedules/time_zone.h"

namespace millrace::engine {

enum class SkippedTimes { skip, run_after };
enum class RepeatedTimes { both, first };

struct Interval {
  std::int64_t every = 0;  // seconds, at least 1
  std::int64_t phase = 0;  // times are n * every + phase since the epoch
};

// One calendar on the wall clock of one zone.
struct ZonedCalendar {
  ZonedCalendar(Calendar c, TimeZone z) : calendar(std::move(c)), zone(std::move(z)) {}
  Calendar calendar;
  TimeZone zone;
};

struct SpecFault {
  SpecFault(std::string p, std::string d) : pointer(std::move(p)), detail(std::move(d)) {}
  std::string pointer;  // JSON pointer
  std::string detail;
};

class ScheduleSpec {
 public:
  // Reads  {"intervals": [{"everySeconds", "phaseSeconds"}], "calendars": [{"second", "minute", "hour", "dayOfMonth",
  // "month", "dayOfWeek", "year"}], "crons": ["..."], "exclusions": [{calendar} or "cron"], "startAt", "endAt",
  // "timeZone", "skipped": "skip"|"run-after", "repeated": "both"|"first", "jitterSeconds"}.
  // Faults go to `faults`, under `pointer`; then the answer is of no use.
  static ScheduleSpec parse(const nlohmann::json& json, const std::string& pointer, std::vector<SpecFault>& faults);

  // The first nominal time after `after`, in seconds since the epoch. Empty: there is none.
  std::optional<std::int64_t> next(std::int64_t after) const;
  // When the nominal time `nominal` of the schedule `id` is acted on: later by a part of the jitter that depends on
  // these two only, and less than the time to the next nominal time.
  WallTime actual(const std::string& id, std::int64_t nominal) const;

  std::vector<Interval> intervals;
  std::vector<ZonedCalendar> calendars;
  std::vector<ZonedCalendar> exclusions;
  std::optional<std::int64_t> start;  // inclusive
  std::optional<std::int64_t> end;    // inclusive
  SkippedTimes skipped = SkippedTimes::skip;
  RepeatedTimes repeated = RepeatedTimes::both;
  Duration jitter{0};

 private:
  std::optional<std::int64_t> next_in(const ZonedCalendar& zoned, std::int64_t after) const;
  std::optional<std::int64_t> next_of_all(std::int64_t after) const;
};

inline std::int64_t seconds_floor(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}
inline WallTime from_seconds(std::int64_t s) { return WallTime(std::chrono::seconds(s)); }

}  // namespace millrace::engine
