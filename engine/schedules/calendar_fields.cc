// Reading the fields of calendars and cron lines.
#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "engine/schedules/calendar.h"

namespace millrace::engine {

namespace {

constexpr std::size_t kMaxFieldBytes = 1'000;

struct FieldShape {
  const char* name;
  int low;
  int high;
  const std::vector<std::string>* words = nullptr;  // words[i] stands for first_word + i
  int first_word = 0;
};

const std::vector<std::string>& months() {
  static const std::vector<std::string> all = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                               "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  return all;
}
const std::vector<std::string>& weekdays() {
  static const std::vector<std::string> all = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
  return all;
}
bool long_name_of(const std::string& text, const std::string& word) {
  static const std::vector<std::string> all = {"SUNDAY",   "MONDAY",  "TUESDAY",   "WEDNESDAY", "THURSDAY", "FRIDAY",
                                               "SATURDAY", "JANUARY", "FEBRUARY",  "MARCH",     "APRIL",    "JUNE",
                                               "JULY",     "AUGUST",  "SEPTEMBER", "OCTOBER",   "NOVEMBER", "DECEMBER"};
  return text.starts_with(word) && std::find(all.begin(), all.end(), text) != all.end();
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == separator)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = char(c - 'a' + 'A');
  return text;
}

std::optional<int> whole(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> number_of(const std::string& text, const FieldShape& field) {
  if (field.words != nullptr) {
    for (std::size_t i = 0; i < field.words->size(); ++i) {
      const std::string& word = (*field.words)[i];
      if (text == word || long_name_of(text, word)) return field.first_word + int(i);
    }
  }
  return whole(text);
}

// Reads a list of  *  a  a-b  */n  a/n  a-b/n  and calls `add` for each number of it.
class ListReader {
 public:
  ListReader(const FieldShape& field, FieldStyle style, std::string& fault)
      : field_(field), style_(style), fault_(fault) {}

  bool read(const std::string& part, const std::function<void(int)>& add) {
    const auto with_step = split(part, '/');
    if (with_step.size() > 2) return fail("\"" + part + "\" has two steps");
    int step = 1;
    if (with_step.size() == 2) {
      const auto n = whole(with_step[1]);
      if (!n || *n < 1) return fail("\"" + with_step[1] + "\" is no step");
      step = std::min(*n, 10'000);
    }
    int from = field_.low;
    int to = field_.high;
    if (with_step[0] != "*") {
      const auto ends = split(with_step[0], '-');
      if (ends.size() > 2) return fail("\"" + part + "\" is no range");
      std::array<int, 2> numbers{};
      for (std::size_t i = 0; i < ends.size(); ++i) {
        const auto n = number_of(ends[i], field_);
        if (!n) return fail("\"" + ends[i] + "\" is no number");
        if (*n < field_.low || *n > field_.high)
          return fail(ends[i] + " is not within " + std::to_string(field_.low) + " and " + std::to_string(field_.high));
        numbers[i] = *n;
      }
      from = numbers[0];
      if (ends.size() == 2)
        to = numbers[1];
      else if (with_step.size() == 1)
        to = from;
    }
    if (from > to) {
      if (style_ != FieldStyle::quartz || std::string_view(field_.name) == "year")
        return fail("the range " + part + " goes backwards");
      to += field_.high - field_.low + 1;
    }
    for (int i = from; i <= to; i += step) add(i > field_.high ? i - (field_.high - field_.low + 1) : i);
    return true;
  }
  bool fail(const std::string& what) {
    fault_ = std::string("the ") + field_.name + " field: " + what;
    return false;
  }

 private:
  const FieldShape& field_;
  FieldStyle style_;
  std::string& fault_;
};

// L, L-3, LW, 15W
std::optional<DayRule> day_rule(const std::string& part) {
  using Kind = DayRule::Kind;
  if (part == "L") return DayRule(Kind::last_of_month, 0);
  if (part == "LW") return DayRule(Kind::last_weekday_of_month, 0);
  if (part.starts_with("L-")) {
    const auto n = whole(part.substr(2));
    if (n && *n <= 30) return DayRule(Kind::last_of_month, *n);
  }
  if (part.size() > 1 && part.back() == 'W') {
    const auto n = whole(part.substr(0, part.size() - 1));
    if (n && *n >= 1 && *n <= 31) return DayRule(Kind::nearest_weekday, *n);
  }
  return std::nullopt;
}

// 6L, FRIL, 6#3. L alone is Saturday, 7.
std::optional<DayRule> weekday_rule(const std::string& part, const FieldShape& field) {
  using Kind = DayRule::Kind;
  const auto day_of = [&](const std::string& text) -> std::optional<int> {
    const auto n = number_of(text, field);
    if (!n || *n < field.low || *n > field.high) return std::nullopt;
    return (*n - field.first_word) % 7;
  };
  if (part.size() > 1 && part.back() == 'L') {
    if (const auto day = day_of(part.substr(0, part.size() - 1))) return DayRule(Kind::last_of_week, *day);
  }
  const auto hash = part.find('#');
  if (hash != std::string::npos) {
    const auto day = day_of(part.substr(0, hash));
    const auto nth = whole(part.substr(hash + 1));
    if (day && nth && *nth >= 1 && *nth <= 5) return DayRule(Kind::nth_of_week, *day, *nth);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Calendar> parse_calendar(const CalendarFields& fields, FieldStyle style, std::string& fault) {
  const bool quartz = style == FieldStyle::quartz;
  Calendar c;
  const auto field = [&](const std::string& given, const char* otherwise, const FieldShape& shape,
                         const std::function<void(int)>& add, const std::function<bool(const std::string&)>& special) {
    const std::string text = upper(given.empty() ? otherwise : given);
    ListReader reader(shape, style, fault);
    if (text.size() > kMaxFieldBytes) return reader.fail("is longer than " + std::to_string(kMaxFieldBytes) + " bytes");
    for (const std::string& part : split(text, ',')) {
      if (special && special(part)) continue;
      if (!reader.read(part, add)) return false;
    }
    return true;
  };
  const FieldShape second{"second", 0, 59}, minute{"minute", 0, 59}, hour{"hour", 0, 23}, day{"day of month", 1, 31},
      month{"month", 1, 12, &months(), 1}, year{"year", Calendar::kFirstYear, Calendar::kLastYear};
  const FieldShape weekday{"day of week", quartz ? 1 : 0, 7, &weekdays(), quartz ? 1 : 0};
  const auto day_special = [&](const std::string& part) {
    if (part == "?" && quartz) {
      c.day.set();
      return true;
    }
    const auto rule = quartz ? day_rule(part) : std::nullopt;
    if (rule) c.day_rules.push_back(*rule);
    return rule.has_value();
  };
  const auto week_special = [&](const std::string& part) {
    if (part == "?" && quartz) {
      c.weekday.set();
      return true;
    }
    if (part == "L" && quartz) {
      c.weekday.set(6);
      return true;
    }
    const auto rule = quartz ? weekday_rule(part, weekday) : std::nullopt;
    if (rule) c.weekday_rules.push_back(*rule);
    return rule.has_value();
  };
  const bool good =
      field(fields.second, "0", second, [&](int n) { c.second.set(std::size_t(n)); }, {}) &&
      field(fields.minute, "0", minute, [&](int n) { c.minute.set(std::size_t(n)); }, {}) &&
      field(fields.hour, "0", hour, [&](int n) { c.hour.set(std::size_t(n)); }, {}) &&
      field(
          fields.day, "*", day, [&](int n) { c.day.set(std::size_t(n)); }, day_special) &&
      field(fields.month, "*", month, [&](int n) { c.month.set(std::size_t(n)); }, {}) &&
      field(
          fields.weekday, "*", weekday, [&](int n) { c.weekday.set(std::size_t(n - weekday.first_word) % 7); },
          week_special) &&
      field(fields.year, "*", year, [&](int n) { c.year.set(std::size_t(n - Calendar::kFirstYear)); }, {});
  if (!good) return std::nullopt;
  return c;
}

}  // namespace millrace::engine
