// Cron lines.
//
//   five fields         minute hour day-of-month month day-of-week, as Unix cron: 0 and 7 are Sunday; where both day
//                       fields are restricted (begin with anything but *), one of the two is enough
//   six or seven        second minute hour day-of-month month day-of-week [year], as Quartz: 1 is Sunday, ? stands in
//                       exactly one of the day fields, L, W and # are understood
//   @yearly @annually @monthly @weekly @daily @midnight @hourly
//   @every 1h30m        an interval: days d, hours h, minutes m, seconds s
//   TZ=Europe/Berlin or CRON_TZ=... may stand before any of them
#pragma once

#include <optional>
#include <string>

#include "engine/schedules/calendar.h"

namespace millrace::engine {

struct CronLine {
  CronLine() = default;
  std::optional<Calendar> calendar;
  std::int64_t every = 0;  // seconds, of @every; then there is no calendar
  std::string zone;        // of TZ=; empty: none given
};

// Empty: `fault` says what is wrong.
std::optional<CronLine> parse_cron(const std::string& text, std::string& fault);

}  // namespace millrace::engine
