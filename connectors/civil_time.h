// Days and dates of the proleptic Gregorian calendar over PostgreSQL's whole range (4713 BC to 294276 AD), which is
// beyond what std::chrono's years hold. Algorithms: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
#pragma once

#include <cstdint>

namespace millrace::connectors {

struct CivilDate {
  std::int64_t year;  // astronomical: 0 is 1 BC
  unsigned month, day;
};

// Days since 2000-01-01, PostgreSQL's epoch.
constexpr std::int64_t days_from_civil(CivilDate date) {
  const std::int64_t y = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<std::int64_t>(y - era * 400);
  const std::int64_t shifted = static_cast<std::int64_t>(date.month) + (date.month > 2 ? -3 : 9);
  const std::int64_t doy = (153 * shifted + 2) / 5 + static_cast<std::int64_t>(date.day) - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146'097 + doe - 719'468 - 10'957;
}

constexpr CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t z = days + 10'957 + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  CivilDate out{};
  out.day = static_cast<unsigned>(doy - (153 * mp + 2) / 5 + 1);
  out.month = static_cast<unsigned>(mp < 10 ? mp + 3 : mp - 9);
  out.year = yoe + era * 400 + (out.month <= 2 ? 1 : 0);
  return out;
}

constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

static_assert(days_from_civil({2000, 1, 1}) == 0 && days_from_civil({1970, 1, 1}) == -10'957);
static_assert(civil_from_days(60).month == 3 && civil_from_days(60).day == 1);

}  // namespace millrace::connectors
