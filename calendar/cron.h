// Cron expressions and calendars: which wall-clock times they mean.
//
// Five fields are Unix cron: minute, hour, day of month, month, day of week (0 and 7 = Sunday); where both day fields
// are restricted a day that fits one of them fits (crontab(5)). Six or seven are Quartz (CronExpression of Quartz 2):
// seconds first, 1 = Sunday, `?` in exactly one day field, L, LW, L-3, 15W, 6L, 6#3, an optional year at the end.
// A calendar is the same by field names, days of month AND of week.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "calendar/zone.h"

namespace millrace::calendar {

inline constexpr int kFirstYear = 1970;
inline constexpr int kLastYear = 2099;

// A set of wall-clock times. A value.
class Cron {
 public:
  // What is wrong, into `fault`, if the answer is empty. Knows @yearly @annually @monthly @weekly @daily @midnight
  // @hourly; not @every, which is an interval.
  static std::optional<Cron> parse(const std::string& expression, std::string& fault);
  // Names: second, minute, hour, dayOfMonth, month, dayOfWeek (0 = Sunday), year. A field left out: 0 for the three of
  // the clock, or anything with `any_time`; anything for the days.
  static std::optional<Cron> of_calendar(const std::map<std::string, std::string>& fields, bool any_time,
                                         std::string& fault);

  // Of a Unix expression, which knows no seconds: all seconds of a minute instead of the first.
  void cover_whole_minutes() {
    if (unix_) seconds_ = (std::uint64_t{1} << 60) - 1;
  }

  bool matches(Local t) const;
  // The first match at or after `from` and before `end`.
  std::optional<Local> next(Local from, Local end) const;
  // Of a match at `t`: a time up to which all seconds match too; the end of its minute, hour or day at the furthest.
  Local matches_until(Local t) const;

 private:
  friend class CronReader;
  bool day_matches(std::chrono::year_month_day day) const;

  std::uint64_t seconds_ = 0, minutes_ = 0;
  std::uint32_t hours_ = 0, days_ = 0, months_ = 0;
  std::uint8_t week_ = 0;          // bit 0: Sunday
  std::uint8_t last_week_ = 0;     // 6L: the last of the month
  std::uint8_t nth_week_[7] = {};  // 6#3: bit n - 1 of that day
  std::uint32_t last_days_ = 0;    // L-n: bit n
  bool last_weekday_ = false;      // LW
  std::uint32_t near_days_ = 0;    // 15W
  bool unix_ = false;              // of five fields
  bool either_day_ = false;        // Unix, both restricted
  std::bitset<kLastYear - kFirstYear + 1> years_;
};

}  // namespace millrace::calendar
