// Dates and times. Binary forms: date_send (days since 2000-01-01), time_send (microseconds of the day), timetz_send
// (and seconds west of Greenwich), timestamp_send (microseconds since 2000-01-01), interval_send (microseconds, days,
// months). The calendar is the proleptic Gregorian one; year 0 is 1 BC.
#include <array>
#include <cstdio>
#include <limits>

#include "common/byte_order.h"
#include "connectors/values/parts.h"

namespace millrace::connectors::values {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kEpochDays = 10'957;  // 2000-01-01 since 1970-01-01
constexpr std::int64_t kMinYear = -4'712, kMaxDateYear = 5'874'897, kMaxStampYear = 294'276;

struct Civil {
  std::int64_t year = 0;
  int month = 1, day = 1;
};

// Days since 1970-01-01: the year begins in March, so that the leap day is its last.
std::int64_t days_of(const Civil& c) {
  const std::int64_t y = c.month <= 2 ? c.year - 1 : c.year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

Civil civil_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t doe = days - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  Civil c;
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
  return c;
}

std::string date_text(const Civil& c) {
  char out[64];
  std::snprintf(out, sizeof out, "%04lld-%02d-%02d", static_cast<long long>(c.year > 0 ? c.year : 1 - c.year), c.month,
                c.day);
  return out;
}

std::string time_text(std::int64_t us) {
  char out[64];
  std::snprintf(out, sizeof out, "%02lld:%02lld:%02lld", static_cast<long long>(us / kHour),
                static_cast<long long>(us / kMinute % 60), static_cast<long long>(us / kSecond % 60));
  std::string text = out;
  if (us % kSecond != 0) {
    std::snprintf(out, sizeof out, ".%06lld", static_cast<long long>(us % kSecond));
    text += out;
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

std::string zone_text(std::int32_t seconds_west) {
  const std::int32_t east = -seconds_west, size = east < 0 ? -east : east;
  char out[32];
  std::snprintf(out, sizeof out, "%c%02d:%02d", east < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  std::string text = out;
  if (size % 60 != 0) {
    std::snprintf(out, sizeof out, ":%02d", size % 60);
    text += out;
  }
  return text;
}

std::string timestamp_text(std::int64_t us, bool zone, TimeStyle style) {
  std::int64_t day = us / kDay, rest = us % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  const Civil c = civil_of(day + kEpochDays);
  std::string out = date_text(c) + (style == TimeStyle::iso ? "T" : " ") + time_text(rest);
  if (zone) out += "+00:00";
  if (c.year <= 0) out += " BC";
  return out;
}

// An ISO 8601 duration, as PostgreSQL's intervalstyle iso_8601.
std::string interval_text(std::int64_t us, std::int32_t days, std::int32_t months) {
  std::string out = "P";
  const auto part = [&](std::int64_t n, char unit) {
    if (n != 0) out += std::to_string(n) + unit;
  };
  part(months / 12, 'Y');
  part(months % 12, 'M');
  part(days, 'D');
  if (us != 0) {
    out += 'T';
    part(us / kHour, 'H');
    part(us / kMinute % 60, 'M');
    const std::int64_t rest = us % kMinute;
    if (rest != 0) {
      const auto size = static_cast<unsigned long long>(rest < 0 ? -rest : rest);
      char text[48];
      std::snprintf(text, sizeof text, "%s%llu.%06llu", rest < 0 ? "-" : "", size / 1'000'000, size % 1'000'000);
      std::string seconds = text;
      seconds.erase(seconds.find_last_not_of('0') + 1);
      if (seconds.back() == '.') seconds.pop_back();
      out += seconds + "S";
    }
  }
  return out == "P" ? "PT0S" : out;
}

// Reads a text from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // `least` to `most` digits.
  bool number(std::int64_t& out, int least, int most) {
    int n = 0;
    out = 0;
    while (n < most && peek() >= '0' && peek() <= '9') {
      out = out * 10 + (peek() - '0');
      rest_.remove_prefix(1);
      ++n;
    }
    return n >= least;
  }
  // ".123456789" in microseconds, rounded; 0 where there is no point.
  bool fraction(std::int64_t& us) {
    us = 0;
    if (!take('.')) return true;
    std::int64_t scale = kSecond;
    bool any = false, round = false;
    while (peek() >= '0' && peek() <= '9') {
      const int digit = peek() - '0';
      if (scale > 1) {
        scale /= 10;
        us += digit * scale;
      } else if (scale == 1) {
        round = digit >= 5;
        scale = 0;
      }
      any = true;
      rest_.remove_prefix(1);
    }
    if (round) ++us;
    return any;
  }

 private:
  std::string_view rest_;
};

int days_in(std::int64_t year, int month) {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

bool parse_date(Scanner& in, bool before_christ, Civil& c) {
  std::int64_t month = 0, day = 0;
  if (!in.number(c.year, 4, 7) || !in.take('-') || !in.number(month, 2, 2) || !in.take('-') || !in.number(day, 2, 2))
    return false;
  if (c.year == 0) return false;
  if (before_christ) c.year = 1 - c.year;
  if (month < 1 || month > 12 || day < 1 || day > days_in(c.year, static_cast<int>(month))) return false;
  c.month = static_cast<int>(month);
  c.day = static_cast<int>(day);
  return c.year >= kMinYear && c.year <= kMaxDateYear;
}

bool parse_time(Scanner& in, std::int64_t& us) {
  std::int64_t hours = 0, minutes = 0, seconds = 0, rest = 0;
  if (!in.number(hours, 2, 2) || !in.take(':') || !in.number(minutes, 2, 2)) return false;
  if (in.take(':') && (!in.number(seconds, 2, 2) || !in.fraction(rest))) return false;
  if (hours > 24 || minutes > 59 || seconds > 60) return false;
  us = hours * kHour + minutes * kMinute + seconds * kSecond + rest;
  return us <= kDay;
}

// Z, +02, +0200, +02:00, +02:00:30; `east` in seconds.
bool parse_zone(Scanner& in, std::int32_t& east) {
  if (in.take('Z') || in.take('z')) return true;
  const bool negative = in.peek() == '-';
  if (!in.take('+') && !in.take('-')) return false;
  std::int64_t hours = 0, minutes = 0, seconds = 0;
  if (!in.number(hours, 2, 2)) return false;
  const bool colon = in.take(':');
  if (in.number(minutes, 2, 2)) {
    if (in.take(':') && !in.number(seconds, 2, 2)) return false;
  } else if (colon) {
    return false;
  }
  if (hours > 15 || minutes > 59 || seconds > 59) return false;
  east = static_cast<std::int32_t>(hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
  return true;
}

// Takes " BC" off the end.
bool take_era(std::string_view& text) {
  if (text.size() < 3 || !equals_ignoring_case(text.substr(text.size() - 3), " bc")) return false;
  text.remove_suffix(3);
  return true;
}

// 1: infinity, -1: -infinity, 0: neither.
int infinite(std::string_view text) {
  if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "+infinity")) return 1;
  return equals_ignoring_case(text, "-infinity") ? -1 : 0;
}

bool date_from(std::string_view text, std::string& out) {
  std::int32_t days = 0;
  if (const int sign = infinite(text); sign != 0) {
    days = sign > 0 ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::int32_t>::min();
  } else {
    const bool bc = take_era(text);
    Scanner in(text);
    Civil c;
    if (!parse_date(in, bc, c)) return false;
    // A timestamp at midnight is a date too.
    std::int64_t us = 0;
    if (!in.done() && ((!in.take(' ') && !in.take('T')) || !parse_time(in, us) || us != 0)) return false;
    if (!in.done()) return false;
    days = static_cast<std::int32_t>(days_of(c) - kEpochDays);
  }
  append_big_endian(out, days);
  return true;
}

bool timestamp_from(std::string_view text, bool zone, std::string& out) {
  std::int64_t stamp = 0;
  if (const int sign = infinite(text); sign != 0) {
    stamp = sign > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  } else {
    const bool bc = take_era(text);
    Scanner in(text);
    Civil c;
    std::int64_t us = 0;
    std::int32_t east = 0;
    if (!parse_date(in, bc, c) || c.year > kMaxStampYear) return false;
    if (!in.done() && ((!in.take(' ') && !in.take('T') && !in.take('t')) || !parse_time(in, us))) return false;
    if (!in.done()) in.take(' ');
    if (!in.done() && !parse_zone(in, east)) return false;
    if (!in.done()) return false;
    stamp = (days_of(c) - kEpochDays) * kDay + us;
    // A zone in a type without one is dropped, and the clock kept.
    if (zone) stamp -= east * kSecond;
  }
  append_big_endian(out, stamp);
  return true;
}

bool time_from(std::string_view text, bool zone, std::string& out) {
  Scanner in(text);
  std::int64_t us = 0;
  std::int32_t east = 0;
  if (!parse_time(in, us)) return false;
  if (!in.done() && !parse_zone(in, east)) return false;
  if (!in.done()) return false;
  append_big_endian(out, us);
  if (zone) append_big_endian(out, -east);
  return true;
}

bool interval_from(std::string_view text, std::string& out) {
  Scanner in(text);
  if (!in.take('P') || in.done()) return false;
  std::int64_t us = 0, days = 0, months = 0;
  bool time = false;
  while (!in.done()) {
    if (!time && in.take('T')) {
      time = true;
      if (in.done()) return false;
      continue;
    }
    const bool negative = in.take('-');
    if (!negative) in.take('+');
    std::int64_t n = 0, fraction = 0;
    if (!in.number(n, 1, 18) || !in.fraction(fraction)) return false;
    const std::int64_t sign = negative ? -1 : 1;
    std::int64_t unit = 0;
    if (time && in.take('H'))
      unit = kHour;
    else if (time && in.take('M'))
      unit = kMinute;
    else if (time && in.take('S'))
      unit = kSecond;
    if (unit != 0) {
      if (n > std::numeric_limits<std::int64_t>::max() / unit - kSecond || (fraction != 0 && unit != kSecond))
        return false;
      us += sign * (n * unit + fraction);
      continue;
    }
    if (fraction != 0 || n > 100'000'000) return false;
    if (!time && in.take('Y'))
      months += sign * n * 12;
    else if (!time && in.take('M'))
      months += sign * n;
    else if (!time && in.take('W'))
      days += sign * n * 7;
    else if (!time && in.take('D'))
      days += sign * n;
    else
      return false;
  }
  append_big_endian(out, us);
  append_big_endian(out, static_cast<std::int32_t>(days));
  append_big_endian(out, static_cast<std::int32_t>(months));
  return true;
}

}  // namespace

std::string temporal_to_text(Kind kind, std::string_view bytes, TimeStyle style) {
  ValueReader in(bytes);
  std::string out;
  if (kind == Kind::date) {
    const std::int32_t days = in.int32();
    if (days == std::numeric_limits<std::int32_t>::max()) return "infinity";
    if (days == std::numeric_limits<std::int32_t>::min()) return "-infinity";
    const Civil c = civil_of(days + kEpochDays);
    out = date_text(c) + (c.year <= 0 ? " BC" : "");
  } else if (kind == Kind::time) {
    out = time_text(in.int64());
  } else if (kind == Kind::timetz) {
    const std::int64_t us = in.int64();
    out = time_text(us) + zone_text(in.int32());
  } else if (kind == Kind::interval) {
    const std::int64_t us = in.int64();
    const std::int32_t days = in.int32();
    out = interval_text(us, days, in.int32());
  } else {
    const std::int64_t stamp = in.int64();
    if (stamp == std::numeric_limits<std::int64_t>::max()) return "infinity";
    if (stamp == std::numeric_limits<std::int64_t>::min()) return "-infinity";
    out = timestamp_text(stamp, kind == Kind::timestamptz, style);
  }
  if (!in.empty()) bad_value("date or time");
  return out;
}

bool temporal_from_text(Kind kind, std::string_view text, std::string& out) {
  text = trimmed(text);
  switch (kind) {
    case Kind::date:
      return date_from(text, out);
    case Kind::time:
    case Kind::timetz:
      return time_from(text, kind == Kind::timetz, out);
    case Kind::interval:
      return interval_from(text, out);
    default:
      return timestamp_from(text, kind == Kind::timestamptz, out);
  }
}

}  // namespace millrace::connectors::values
