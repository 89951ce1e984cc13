#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "calendar/cron.h"

namespace millrace::calendar {

namespace {

constexpr std::size_t kMaxText = 1'000;

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

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// Whole, or their first three letters.
const std::vector<std::string> kMonths = {"JANUARY", "FEBRUARY", "MARCH",     "APRIL",   "MAY",      "JUNE",
                                          "JULY",    "AUGUST",   "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"};
const std::vector<std::string> kDays = {"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"};

struct Shape {
  const char* name;
  int low;
  int high;
  const std::vector<std::string>* names = nullptr;
  int first_name = 0;
  bool wraps = false;  // FRI-MON, 22-2
};

std::optional<int> plain_number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<int> number_of(const std::string& text, const Shape& shape) {
  if (shape.names != nullptr) {
    const std::string word = upper(text);
    for (std::size_t i = 0; i < shape.names->size(); ++i)
      if (word == (*shape.names)[i] || word == (*shape.names)[i].substr(0, 3))
        return shape.first_name + static_cast<int>(i);
  }
  return plain_number(text);
}

struct Parsed {
  std::vector<int> values;
  bool star = false;  // begins with *
};

// "", or what is wrong.
std::string parse_part(const std::string& part, const Shape& shape, Parsed& out) {
  const auto fault = [&](const std::string& what) { return std::string("the ") + shape.name + " field: " + what; };
  const auto with_step = split(part, '/');
  if (with_step.size() > 2) return fault("\"" + part + "\" has two steps");
  int step = 1;
  if (with_step.size() == 2) {
    const auto n = plain_number(with_step[1]);
    if (!n || *n < 1) return fault("\"" + with_step[1] + "\" is no step");
    step = std::min(*n, kLastYear);  // no field is wider
  }
  int low = shape.low, high = shape.high;
  if (with_step[0] != "*") {
    const auto ends = split(with_step[0], '-');
    if (ends.size() > 2) return fault("\"" + part + "\" is no range");
    std::array<int, 2> n{};
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto value = number_of(ends[i], shape);
      if (!value) return fault("\"" + ends[i] + "\" is no number");
      if (*value < shape.low || *value > shape.high)
        return fault(ends[i] + " is not within " + std::to_string(shape.low) + " and " + std::to_string(shape.high));
      n[i] = *value;
    }
    low = n[0];
    high = ends.size() == 2 ? n[1] : with_step.size() == 2 ? shape.high : n[0];
    if (high < low) {
      if (!shape.wraps) return fault("\"" + part + "\" ends before it begins");
      const int size = shape.high - shape.low + 1;
      for (int i = 0; low + i <= high + size; i += step) out.values.push_back(shape.low + (low - shape.low + i) % size);
      return "";
    }
  } else {
    out.star = true;
  }
  for (int i = low; i <= high; i += step) out.values.push_back(i);
  return "";
}

}  // namespace

class CronReader {
 public:
  explicit CronReader(Cron& cron) : c(cron) {}

  template <class Mask>
  std::string field(const std::string& text, const Shape& shape, Mask& mask, bool* star = nullptr) {
    Parsed parsed;
    for (const auto& part : split(text, ',')) {
      auto fault = parse_part(part, shape, parsed);
      if (!fault.empty()) return fault;
    }
    for (const int v : parsed.values) mask = static_cast<Mask>(mask | (Mask{1} << v));
    if (star != nullptr) *star = parsed.star;
    return "";
  }

  std::string years(const std::string& text) {
    Parsed parsed;
    const Shape shape{"year", kFirstYear, kLastYear};
    for (const auto& part : split(text, ',')) {
      auto fault = parse_part(part, shape, parsed);
      if (!fault.empty()) return fault;
    }
    for (const int v : parsed.values) c.years_.set(static_cast<std::size_t>(v - kFirstYear));
    return "";
  }

  // L  L-3  LW  15W
  bool day_word(const std::string& part) {
    const std::string word = upper(part);
    if (word == "L") return c.last_days_ |= 1, true;
    if (word == "LW") return c.last_weekday_ = true, true;
    if (word.rfind("L-", 0) == 0) {
      const auto n = plain_number(word.substr(2));
      if (!n || *n > 30) return false;
      c.last_days_ |= std::uint32_t{1} << *n;
      return true;
    }
    if (word.size() > 1 && word.back() == 'W') {
      const auto n = plain_number(word.substr(0, word.size() - 1));
      if (!n || *n < 1 || *n > 31) return false;
      c.near_days_ |= std::uint32_t{1} << *n;
      return true;
    }
    return false;
  }
  std::string days(const std::string& text, bool* star) {
    std::string rest;
    for (const auto& part : split(text, ','))
      if (!day_word(part)) rest += (rest.empty() ? "" : ",") + (part.empty() ? std::string("\"\"") : part);
    if (rest.empty()) return "";
    return field(rest, Shape{"day of month", 1, 31}, c.days_, star);
  }

  // L  6L  6#3, beside what a field is. `first`: the number of Sunday.
  std::string week(const std::string& text, int first, bool* star) {
    Shape shape{"day of week", first, 7, &kDays, first, first == 1};
    std::string rest;
    for (const auto& part : split(text, ',')) {
      const std::string word = upper(part);
      if (word == "L" && first == 1) {
        c.week_ |= 1 << 6;  // Quartz: Saturday
        continue;
      }
      const auto hash = word.find('#');
      const bool last = word.size() > 1 && word.back() == 'L';
      if (hash != std::string::npos || last) {
        const auto day = number_of(word.substr(0, hash != std::string::npos ? hash : word.size() - 1), shape);
        if (day && *day >= first && *day <= 7) {
          const int index = (*day - first) % 7;
          if (last && hash == std::string::npos) {
            c.last_week_ = static_cast<std::uint8_t>(c.last_week_ | (1 << index));
            continue;
          }
          const auto nth = plain_number(word.substr(hash + 1));
          if (nth && *nth >= 1 && *nth <= 5) {
            c.nth_week_[index] = static_cast<std::uint8_t>(c.nth_week_[index] | (1 << (*nth - 1)));
            continue;
          }
        }
      }
      rest += (rest.empty() ? "" : ",") + (part.empty() ? std::string("\"\"") : part);
    }
    if (rest.empty()) return "";
    std::uint32_t mask = 0;
    auto fault = field(rest, shape, mask, star);
    if (!fault.empty()) return fault;
    for (int v = first; v <= 7; ++v)
      if ((mask >> v & 1) != 0) c.week_ = static_cast<std::uint8_t>(c.week_ | (1 << (v - first) % 7));
    return "";
  }
  void any_day() { c.days_ = ~std::uint32_t{0}; }
  void any_week() { c.week_ = 0x7f; }
  void any_year() { c.years_.set(); }

  Cron& c;
};

std::optional<Cron> Cron::parse(const std::string& expression, std::string& fault) {
  const auto refuse = [&](std::string why) {
    fault = std::move(why);
    return std::optional<Cron>();
  };
  if (expression.size() > kMaxText) return refuse("has more than " + std::to_string(kMaxText) + " bytes");
  auto words = words_of(expression);
  if (words.size() == 1 && words[0][0] == '@') {
    static const std::map<std::string, std::string> kNames = {
        {"@YEARLY", "0 0 1 1 *"}, {"@ANNUALLY", "0 0 1 1 *"}, {"@MONTHLY", "0 0 1 * *"}, {"@WEEKLY", "0 0 * * 0"},
        {"@DAILY", "0 0 * * *"},  {"@MIDNIGHT", "0 0 * * *"}, {"@HOURLY", "0 * * * *"}};
    const auto known = kNames.find(upper(words[0]));
    if (known == kNames.end())
      return refuse("\"" + words[0] + "\" is none of @yearly, @monthly, @weekly, @daily, @hourly, @every");
    words = words_of(known->second);
  }
  if (words.size() < 5 || words.size() > 7)
    return refuse("has " + std::to_string(words.size()) + " fields: 5 (Unix) or 6 or 7 (Quartz) are wanted");
  const bool quartz = words.size() > 5;
  Cron out;
  CronReader reader(out);
  std::size_t at = 0;
  if (quartz)
    fault = reader.field(words[at++], Shape{"second", 0, 59, nullptr, 0, true}, out.seconds_);
  else
    out.seconds_ = 1;
  if (fault.empty()) fault = reader.field(words[at], Shape{"minute", 0, 59, nullptr, 0, quartz}, out.minutes_);
  if (fault.empty()) fault = reader.field(words[at + 1], Shape{"hour", 0, 23, nullptr, 0, quartz}, out.hours_);
  const std::string& day = words[at + 2];
  const std::string& week = words[at + 4];
  if (fault.empty() && quartz && (day == "?") == (week == "?"))
    fault = "needs ? in one of day of month and day of week, as Quartz does";
  bool day_star = true, week_star = true;
  if (fault.empty()) {
    if (quartz && day == "?") {
      reader.any_day();
    } else if (quartz) {
      fault = reader.days(day, &day_star);
    } else {
      fault = reader.field(day, Shape{"day of month", 1, 31}, out.days_, &day_star);
    }
  }
  if (fault.empty()) fault = reader.field(words[at + 3], Shape{"month", 1, 12, &kMonths, 1, quartz}, out.months_);
  if (fault.empty()) {
    if (quartz && week == "?") {
      reader.any_week();
    } else if (quartz) {
      fault = reader.week(week, 1, &week_star);
    } else {
      std::uint32_t mask = 0;
      fault = reader.field(week, Shape{"day of week", 0, 7, &kDays, 0}, mask, &week_star);
      for (int v = 0; v <= 7; ++v)
        if ((mask >> v & 1) != 0) out.week_ = static_cast<std::uint8_t>(out.week_ | (1 << v % 7));
    }
  }
  if (fault.empty()) {
    if (words.size() == 7)
      fault = reader.years(words[6]);
    else
      reader.any_year();
  }
  if (!fault.empty()) return {};
  out.unix_ = !quartz;
  out.either_day_ = !quartz && !day_star && !week_star;
  return out;
}

std::optional<Cron> Cron::of_calendar(const std::map<std::string, std::string>& fields, bool any_time,
                                      std::string& fault) {
  static const std::array<const char*, 7> kNames = {"second", "minute",    "hour", "dayOfMonth",
                                                    "month",  "dayOfWeek", "year"};
  for (const auto& [name, text] : fields) {
    bool known = false;
    for (const char* n : kNames) known = known || name == n;
    if (!known) fault = "\"" + name + "\" is not a field of a calendar";
    if (text.size() > kMaxText) fault = name + " is too long";
    if (!fault.empty()) return {};
  }
  const auto text = [&](const char* name, const char* otherwise) {
    const auto it = fields.find(name);
    return it == fields.end() || it->second.empty() ? std::string(otherwise) : it->second;
  };
  const char* clock = any_time ? "*" : "0";
  Cron out;
  CronReader reader(out);
  fault = reader.field(text("second", clock), Shape{"second", 0, 59}, out.seconds_);
  if (fault.empty()) fault = reader.field(text("minute", clock), Shape{"minute", 0, 59}, out.minutes_);
  if (fault.empty()) fault = reader.field(text("hour", clock), Shape{"hour", 0, 23}, out.hours_);
  if (fault.empty()) fault = reader.days(text("dayOfMonth", "*"), nullptr);
  if (fault.empty()) fault = reader.field(text("month", "*"), Shape{"month", 1, 12, &kMonths, 1}, out.months_);
  if (fault.empty()) fault = reader.week(text("dayOfWeek", "*"), 0, nullptr);
  if (fault.empty()) fault = reader.years(text("year", "*"));
  if (!fault.empty()) return {};
  return out;
}

}  // namespace millrace::calendar
