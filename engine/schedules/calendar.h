// Times that match fields, as cron and calendars write them: which seconds, minutes, hours, days, months and years.
//
// Works on local time (see time_zone.h) and knows no zones.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::engine {

// Quartz's days that are no fixed number.
struct DayRule {
  enum class Kind {
    last_of_month,          // L, L-3: `n` days before the last
    last_weekday_of_month,  // LW: the last Monday to Friday
    nearest_weekday,        // 15W: the Monday to Friday nearest to day `n`, in the same month
    last_of_week,           // 6L: the last such day of the month; n: 0 = Sunday
    nth_of_week,            // 6#3: the `nth` such day of the month
  };
  DayRule(Kind k, int number, int which = 0) : kind(k), n(number), nth(which) {}
  Kind kind;
  int n;
  int nth;
};

struct Calendar {
  static constexpr int kFirstYear = 1970;
  static constexpr int kLastYear = 2199;

  std::bitset<60> second;
  std::bitset<60> minute;
  std::bitset<24> hour;
  std::bitset<32> day;                 // 1 to 31
  std::bitset<13> month;               // 1 to 12
  std::bitset<7> weekday;              // 0 = Sunday
  std::bitset<230> year;               // 0 = kFirstYear
  std::vector<DayRule> day_rules;      // beside `day`
  std::vector<DayRule> weekday_rules;  // beside `weekday`
  bool either_day = false;             // day OR weekday is enough: Unix cron where both are restricted

  bool matches(std::int64_t local) const;
  bool matches_day(std::int64_t days_since_epoch) const;
  // The first matching second at or after `from` and before `end`.
  std::optional<std::int64_t> next(std::int64_t from, std::int64_t end) const;
  // All seconds of a day match: what is matched is whole days.
  bool whole_days() const { return second.all() && minute.all() && hour.all(); }
};

// The dialects of one field of a calendar.
enum class FieldStyle {
  unix,    // 0 or 7 = Sunday; ranges ascend
  quartz,  // 1 = Sunday; ?, L, W and #; ranges may go over the end (FRI-MON)
};

// The fields of a calendar in order; empty texts stand for the default (0 for times of the day, * for the rest).
struct CalendarFields {
  std::string second, minute, hour, day, month, weekday, year;
};
// Reads the fields; what is wrong goes to `fault`, which names the field.
std::optional<Calendar> parse_calendar(const CalendarFields& fields, FieldStyle style, std::string& fault);

}  // namespace millrace::engine
