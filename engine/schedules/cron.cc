#include "engine/schedules/cron.h"

#include <charconv>
#include <vector>

namespace millrace::engine {

namespace {

constexpr std::int64_t kMaxEvery = std::int64_t{100} * 366 * 86'400;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t') {
      inside = false;
    } else {
      if (!inside) out.emplace_back();
      out.back() += c;
      inside = true;
    }
  }
  return out;
}

// "1h30m" in seconds; 0: it is none.
std::int64_t span_of(const std::string& text) {
  std::int64_t sum = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    std::int64_t n = 0;
    const auto [next, error] = std::from_chars(at, end, n);
    if (error != std::errc() || next == end || n < 0 || n > kMaxEvery) return 0;
    const std::int64_t unit = *next == 's' ? 1 : *next == 'm' ? 60 : *next == 'h' ? 3'600 : *next == 'd' ? 86'400 : 0;
    if (unit == 0) return 0;
    sum += n * unit;
    if (sum > kMaxEvery) return 0;
    at = next + 1;
  }
  return sum;
}

const char* nickname(const std::string& word) {
  if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
  if (word == "@monthly") return "0 0 1 * *";
  if (word == "@weekly") return "0 0 * * 0";
  if (word == "@daily" || word == "@midnight") return "0 0 * * *";
  if (word == "@hourly") return "0 * * * *";
  return nullptr;
}

}  // namespace

std::optional<CronLine> parse_cron(const std::string& text, std::string& fault) {
  CronLine line;
  auto fields = words_of(text);
  if (!fields.empty()) {
    for (const std::string prefix : {"TZ=", "CRON_TZ="}) {
      if (!fields[0].starts_with(prefix)) continue;
      line.zone = fields[0].substr(prefix.size());
      fields.erase(fields.begin());
      break;
    }
  }
  if (fields.size() == 2 && fields[0] == "@every") {
    line.every = span_of(fields[1]);
    if (line.every > 0) return line;
    fault = "@every needs a span such as 90s, 15m or 1h30m";
    return std::nullopt;
  }
  if (fields.size() == 1 && fields[0].starts_with("@")) {
    const char* plain = nickname(fields[0]);
    if (plain == nullptr) {
      fault = "\"" + fields[0] + "\" is none of @yearly, @monthly, @weekly, @daily, @hourly and @every";
      return std::nullopt;
    }
    fields = words_of(plain);
  }
  if (fields.size() < 5 || fields.size() > 7) {
    fault = "has " + std::to_string(fields.size()) + " fields: 5 (Unix) or 6 or 7 (Quartz) are wanted";
    return std::nullopt;
  }
  const bool quartz = fields.size() > 5;
  const std::size_t first = quartz ? 1 : 0;
  CalendarFields f;
  if (quartz) f.second = fields[0];
  f.minute = fields[first];
  f.hour = fields[first + 1];
  f.day = fields[first + 2];
  f.month = fields[first + 3];
  f.weekday = fields[first + 4];
  if (fields.size() == 7) f.year = fields[6];
  if (quartz && (f.day == "?") == (f.weekday == "?")) {
    fault = "needs ? in one of day of month and day of week, as Quartz does";
    return std::nullopt;
  }
  line.calendar = parse_calendar(f, quartz ? FieldStyle::quartz : FieldStyle::unix, fault);
  if (!line.calendar) return std::nullopt;
  line.calendar->either_day = !quartz && f.day[0] != '*' && f.weekday[0] != '*';
  return line;
}

}  // namespace millrace::engine
