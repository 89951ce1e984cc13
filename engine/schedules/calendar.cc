#include "engine/schedules/calendar.h"

#include <algorithm>
#include <chrono>

namespace millrace::engine {

namespace {

namespace chr = std::chrono;

constexpr std::int64_t kDay = 86'400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

chr::year_month_day date_of(std::int64_t days) { return chr::sys_days(chr::days(days)); }
int weekday_of(std::int64_t days) { return int(chr::weekday(chr::sys_days(chr::days(days))).c_encoding()); }
int days_in(chr::year y, chr::month m) { return int(unsigned((y / m / chr::last).day())); }

bool in_week(int weekday) { return weekday >= 1 && weekday <= 5; }

bool holds(const DayRule& rule, std::int64_t days, const chr::year_month_day& date) {
  const int day = int(unsigned(date.day()));
  const int last = days_in(date.year(), date.month());
  const int weekday = weekday_of(days);
  const auto weekday_on = [&](int d) { return weekday_of(days + d - day); };
  switch (rule.kind) {
    case DayRule::Kind::last_of_month:
      return day == last - rule.n;
    case DayRule::Kind::last_weekday_of_month:
      for (int d = last;; --d)
        if (in_week(weekday_on(d))) return day == d;
    case DayRule::Kind::nearest_weekday: {
      const int wanted = std::min(rule.n, last);
      int d = wanted;
      if (weekday_on(wanted) == 6) d = wanted > 1 ? wanted - 1 : wanted + 2;
      if (weekday_on(wanted) == 0) d = wanted < last ? wanted + 1 : wanted - 2;
      return day == d;
    }
    case DayRule::Kind::last_of_week:
      return weekday == rule.n && day + 7 > last;
    case DayRule::Kind::nth_of_week:
      return weekday == rule.n && (day - 1) / 7 + 1 == rule.nth;
  }
  return false;
}

template <std::size_t N>
int next_bit(const std::bitset<N>& bits, int from) {
  for (int i = from; i < int(N); ++i)
    if (bits[std::size_t(i)]) return i;
  return -1;
}

}  // namespace

bool Calendar::matches_day(std::int64_t days) const {
  const auto date = date_of(days);
  const int y = int(date.year());
  if (y < kFirstYear || y > kLastYear || !year[std::size_t(y - kFirstYear)]) return false;
  if (!month[unsigned(date.month())]) return false;
  const auto any = [&](const std::vector<DayRule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [&](const DayRule& r) { return holds(r, days, date); });
  };
  const bool by_month = day[unsigned(date.day())] || any(day_rules);
  const bool by_week = weekday[std::size_t(weekday_of(days))] || any(weekday_rules);
  return either_day ? by_month || by_week : by_month && by_week;
}

bool Calendar::matches(std::int64_t local) const {
  const std::int64_t days = floor_div(local, kDay);
  const auto rest = std::size_t(local - days * kDay);
  return second[rest % 60] && minute[rest / 60 % 60] && hour[rest / 3'600] && matches_day(days);
}

std::optional<std::int64_t> Calendar::next(std::int64_t from, std::int64_t end) const {
  std::int64_t days = floor_div(from, kDay);
  int h = int((from - days * kDay) / 3'600);
  int m = int((from - days * kDay) / 60 % 60);
  int s = int((from - days * kDay) % 60);
  while (days * kDay < end) {
    const auto date = date_of(days);
    const int y = int(date.year());
    if (y > kLastYear) return std::nullopt;
    if (y < kFirstYear || !year[std::size_t(y - kFirstYear)]) {
      days = chr::sys_days((date.year() + chr::years(1)) / chr::January / 1).time_since_epoch().count();
      h = m = s = 0;
      continue;
    }
    if (!month[unsigned(date.month())]) {
      days = chr::sys_days(chr::year_month_day((date.year() / date.month() + chr::months(1)) / 1))
                 .time_since_epoch()
                 .count();
      h = m = s = 0;
      continue;
    }
    if (matches_day(days)) {
      for (int hh = next_bit(hour, h); hh >= 0; hh = next_bit(hour, hh + 1)) {
        for (int mm = next_bit(minute, hh == h ? m : 0); mm >= 0; mm = next_bit(minute, mm + 1)) {
          const int ss = next_bit(second, hh == h && mm == m ? s : 0);
          if (ss < 0) continue;
          const std::int64_t found = days * kDay + hh * 3'600 + mm * 60 + ss;
          if (found >= end) return std::nullopt;
          return found;
        }
      }
    }
    ++days;
    h = m = s = 0;
  }
  return std::nullopt;
}

}  // namespace millrace::engine
