#include "common/time_point.h"

#include <fmt/format.h>

namespace millrace {

std::string format_time(WallTime t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day ymd{day};
  const hh_mm_ss<Duration> hms{t - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", int(ymd.year()), unsigned(ymd.month()),
                     unsigned(ymd.day()), hms.hours().count(), hms.minutes().count(), hms.seconds().count(),
                     hms.subseconds().count());
}

namespace {

// `digits` digits at `at`, which moves on behind them.
std::optional<int> number(std::string_view s, std::size_t& at, std::size_t digits) {
  if (s.size() < at + digits) return std::nullopt;
  int value = 0;
  for (std::size_t end = at + digits; at < end; ++at) {
    if (s[at] < '0' || s[at] > '9') return std::nullopt;
    value = value * 10 + (s[at] - '0');
  }
  return value;
}

bool skip(std::string_view s, std::size_t& at, std::string_view any_of) {
  if (at >= s.size() || any_of.find(s[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view s) {
  std::size_t at = 0;
  const auto y = number(s, at, 4);
  if (!y || !skip(s, at, "-")) return std::nullopt;
  const auto mo = number(s, at, 2);
  if (!mo || !skip(s, at, "-")) return std::nullopt;
  const auto d = number(s, at, 2);
  if (!d || !skip(s, at, "Tt ")) return std::nullopt;
  const auto h = number(s, at, 2);
  if (!h || !skip(s, at, ":")) return std::nullopt;
  const auto mi = number(s, at, 2);
  if (!mi || !skip(s, at, ":")) return std::nullopt;
  const auto sec = number(s, at, 2);
  if (!sec) return std::nullopt;
  std::int64_t micros = 0;
  if (skip(s, at, ".")) {
    std::int64_t scale = 100'000;
    std::size_t digits = 0;
    for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, ++digits) {
      micros += (s[at] - '0') * scale;
      scale /= 10;
    }
    if (digits == 0) return std::nullopt;
  }
  std::int64_t offset_minutes = 0;
  if (!skip(s, at, "Zz")) {
    const bool west = at < s.size() && s[at] == '-';
    if (!skip(s, at, "+-")) return std::nullopt;
    const auto oh = number(s, at, 2);
    if (!oh || !skip(s, at, ":")) return std::nullopt;
    const auto om = number(s, at, 2);
    if (!om || *oh > 23 || *om > 59) return std::nullopt;
    offset_minutes = (*oh * 60 + *om) * (west ? -1 : 1);
  }
  using namespace std::chrono;
  const year_month_day ymd{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (at != s.size() || !ymd.ok() || *h > 23 || *mi > 59 || *sec > 60) return std::nullopt;
  return WallTime(time_point_cast<Duration>(sys_days{ymd})) + hours(*h) + minutes(*mi) + seconds(*sec) +
         Duration(micros) - minutes(offset_minutes);
}

}  // namespace millrace
