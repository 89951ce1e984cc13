#include "calendar/cron.h"

namespace millrace::calendar {

namespace chrono = std::chrono;

namespace {

template <class Mask>
bool has(Mask mask, unsigned bit) {
  return (mask >> bit & 1) != 0;
}

unsigned last_of(chrono::year_month_day day) {
  return static_cast<unsigned>((day.year() / day.month() / chrono::last).day());
}
unsigned weekday_of(chrono::year_month_day day) { return chrono::weekday(chrono::local_days(day)).c_encoding(); }

// The weekday (Monday to Friday) nearest to `wanted` within its month.
unsigned near_weekday(chrono::year_month_day day, unsigned wanted) {
  const unsigned last = last_of(day);
  const unsigned w = weekday_of(day.year() / day.month() / chrono::day(wanted));
  if (w == 6) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (w == 0) return wanted < last ? wanted + 1 : wanted - 2;
  return wanted;
}

// The first bit at or after `from`; empty: none below `size`.
std::optional<unsigned> bit_from(std::uint64_t mask, unsigned from, unsigned size) {
  for (unsigned i = from; i < size; ++i)
    if (has(mask, i)) return i;
  return {};
}

}  // namespace

bool Cron::day_matches(chrono::year_month_day day) const {
  const int year = static_cast<int>(day.year());
  if (year < kFirstYear || year > kLastYear || !years_[static_cast<std::size_t>(year - kFirstYear)]) return false;
  if (!has(months_, static_cast<unsigned>(day.month()))) return false;
  const unsigned d = static_cast<unsigned>(day.day());
  const unsigned last = last_of(day);
  const unsigned w = weekday_of(day);

  bool by_day = has(days_, d) || has(last_days_, last - d);
  if (!by_day && last_weekday_) by_day = d == near_weekday(day, last);
  for (unsigned wanted = 1; !by_day && near_days_ != 0 && wanted <= last; ++wanted)
    by_day = has(near_days_, wanted) && d == near_weekday(day, wanted);

  const bool by_week = has(week_, w) || (has(last_week_, w) && d + 7 > last) || has(nth_week_[w], (d - 1) / 7);
  return either_day_ ? by_day || by_week : by_day && by_week;
}

bool Cron::matches(Local t) const {
  const auto day = chrono::floor<chrono::days>(t);
  const auto second = static_cast<unsigned>((t - day).count());
  return has(seconds_, second % 60) && has(minutes_, second / 60 % 60) && has(hours_, second / 3600) &&
         day_matches(chrono::year_month_day(day));
}

Local Cron::matches_until(Local t) const {
  constexpr std::uint64_t kAllOf60 = (std::uint64_t{1} << 60) - 1;
  constexpr std::uint32_t kAllOf24 = (std::uint32_t{1} << 24) - 1;
  if (seconds_ != kAllOf60) return t + chrono::seconds(1);
  if (minutes_ != kAllOf60) return chrono::floor<chrono::minutes>(t) + chrono::minutes(1);
  if (hours_ != kAllOf24) return chrono::floor<chrono::hours>(t) + chrono::hours(1);
  return chrono::floor<chrono::days>(t) + chrono::days(1);
}

std::optional<Local> Cron::next(Local from, Local end) const {
  auto day = chrono::floor<chrono::days>(from);
  unsigned second = static_cast<unsigned>((from - day).count());
  const chrono::local_days stop = chrono::local_days(chrono::year(kLastYear + 1) / 1 / 1);
  for (; day < end && day < stop; day += chrono::days(1), second = 0) {
    if (!day_matches(chrono::year_month_day(day))) continue;
    unsigned h = second / 3600, m = second / 60 % 60, s = second % 60;
    for (;;) {
      const auto hour = bit_from(hours_, h, 24);
      if (!hour) break;
      if (*hour != h) m = s = 0;
      h = *hour;
      const auto minute = bit_from(minutes_, m, 60);
      if (!minute) {
        ++h;
        m = s = 0;
        continue;
      }
      if (*minute != m) s = 0;
      m = *minute;
      const auto found = bit_from(seconds_, s, 60);
      if (!found) {
        ++m;
        s = 0;
        continue;
      }
      const Local at = day + chrono::hours(h) + chrono::minutes(m) + chrono::seconds(*found);
      if (at >= end) return {};
      return at;
    }
  }
  return {};
}

}  // namespace millrace::calendar
