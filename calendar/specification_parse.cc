#include <charconv>

#include <nlohmann/json.hpp>

#include "calendar/specification.h"
#include "common/time_point.h"

namespace millrace::calendar {

using nlohmann::json;

namespace {

constexpr std::size_t kMostRules = 100;
constexpr std::int64_t kLongest = 100LL * 366 * 86'400;  // of an interval, seconds

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// A name as a token of a JSON pointer.
std::string escaped(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// "1h30m", "90s", "2d", "90": seconds.
std::optional<std::int64_t> parse_span(const std::string& text) {
  std::int64_t sum = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  if (at == end) return {};
  while (at != end) {
    std::int64_t n = 0;
    const auto [rest, error] = std::from_chars(at, end, n);
    if (error != std::errc() || n < 0 || n > kLongest) return {};
    at = rest;
    std::int64_t unit = 1;
    if (at != end) {
      const char c = *at++;
      unit = c == 's' ? 1 : c == 'm' ? 60 : c == 'h' ? 3'600 : c == 'd' ? 86'400 : c == 'w' ? 604'800 : 0;
    }
    if (unit == 0 || n > kLongest / unit) return {};
    sum += n * unit;
    if (sum > kLongest) return {};
  }
  return sum;
}

std::optional<Interval> parse_every(const std::string& text, std::string& fault) {
  const auto slash = text.find('/');
  Interval out;
  const auto every = parse_span(text.substr(0, slash));
  const auto phase = slash == std::string::npos ? std::optional<std::int64_t>(0) : parse_span(text.substr(slash + 1));
  if (!every || *every < 1 || !phase) {
    fault = "\"" + text + "\" is no time span such as 90s, 15m, 1h30m or 1h/5m";
    return {};
  }
  if (*phase >= *every) {
    fault = "the phase must be shorter than the interval";
    return {};
  }
  out.every = *every;
  out.phase = *phase;
  return out;
}

// One specification while it is read.
struct SpecificationReader {
  SpecificationReader(const json& b, std::string p, Specification& o, std::vector<Fault>& f)
      : body(b), pointer(std::move(p)), out(o), faults(f) {}

  void fault(const std::string& at, std::string detail) { faults.emplace_back(pointer + at, std::move(detail)); }

  void expression(const json& value, const std::string& at, std::vector<Rule>& into) {
    if (!value.is_string()) return fault(at, "must be a string");
    std::string why;
    auto rule = parse_rule(value.get_ref<const std::string&>(), why);
    if (!rule) return fault(at, why);
    into.push_back(std::move(*rule));
  }

  void calendar(const json& value, const std::string& at, bool any_time, std::vector<Rule>& into) {
    if (!value.is_object()) return fault(at, "must be an object");
    std::map<std::string, std::string> fields;
    for (const auto& [name, field] : value.items()) {
      if (field.is_number_integer())
        fields[name] = std::to_string(field.get<std::int64_t>());
      else if (field.is_string())
        fields[name] = field.get<std::string>();
      else
        return fault(at, "\"" + name + "\" must be a string such as \"1-5\" or a number");
    }
    std::string why;
    const auto cron = Cron::of_calendar(fields, any_time, why);
    if (!cron) return fault(at, why);
    Rule rule;
    rule.cron = *cron;
    into.push_back(std::move(rule));
  }

  void interval(const json& value, const std::string& at) {
    if (!value.is_object()) return fault(at, "must be an object");
    Rule rule;
    Interval span;
    bool has_every = false;
    for (const auto& [name, field] : value.items()) {
      if ((name != "everySeconds" && name != "phaseSeconds") || !field.is_number_integer())
        return fault(at, "takes everySeconds and phaseSeconds, whole numbers");
      (name == "everySeconds" ? span.every : span.phase) = field.get<std::int64_t>();
      has_every = has_every || name == "everySeconds";
    }
    if (!has_every || span.every < 1 || span.every > kLongest)
      return fault(at + "/everySeconds", "must be between 1 and " + std::to_string(kLongest));
    if (span.phase < 0 || span.phase >= span.every)
      return fault(at + "/phaseSeconds", "must be at least 0 and less than everySeconds");
    rule.interval = span;
    out.rules.push_back(std::move(rule));
  }

  template <class One>
  void list(const char* name, One each) {
    const auto it = body.find(name);
    if (it == body.end() || it->is_null()) return;
    const std::string at = std::string("/") + name;
    if (!it->is_array()) return fault(at, "must be a list");
    if (it->size() > kMostRules) return fault(at, "has more than " + std::to_string(kMostRules) + " items");
    for (std::size_t i = 0; i < it->size(); ++i) each((*it)[i], at + "/" + std::to_string(i));
  }

  std::optional<std::string> text(const char* name) {
    const auto it = body.find(name);
    if (it == body.end() || it->is_null()) return {};
    if (it->is_string()) return it->get<std::string>();
    fault(std::string("/") + name, "must be a string");
    return {};
  }
  bool choice(const char* name, const char* otherwise, const char* other) {
    const auto value = text(name);
    if (!value || *value == otherwise) return false;
    if (*value != other) fault(std::string("/") + name, std::string("must be one of ") + otherwise + ", " + other);
    return true;
  }
  std::optional<Seconds> time(const char* name) {
    const auto value = text(name);
    if (!value) return {};
    const auto t = parse_time(*value);
    if (!t) {
      fault(std::string("/") + name, "must be a time such as 2026-01-31T08:00:00Z");
      return {};
    }
    return std::chrono::floor<std::chrono::seconds>(*t);
  }

  void read() {
    if (!body.is_object()) return fault("", "must be an object");
    static const char* kKnown[] = {"crons",   "intervals", "calendars", "exclusions", "timeZone",
                                   "skipped", "repeated",  "startAt",   "endAt",      "jitterSeconds"};
    for (const auto& [name, _] : body.items()) {
      bool known = false;
      for (const char* k : kKnown) known = known || name == k;
      if (!known) fault("/" + escaped(name), "is not a known field");
    }
    list("crons", [&](const json& v, const std::string& at) { expression(v, at, out.rules); });
    list("intervals", [&](const json& v, const std::string& at) { interval(v, at); });
    list("calendars", [&](const json& v, const std::string& at) { calendar(v, at, false, out.rules); });
    list("exclusions", [&](const json& v, const std::string& at) {
      if (v.is_string()) {
        expression(v, at, out.exclusions);
        if (!out.exclusions.empty()) out.exclusions.back().cron.cover_whole_minutes();
        return;
      }
      calendar(v, at, true, out.exclusions);
    });
    if (const auto name = text("timeZone")) {
      if (const auto zone = Zone::find(*name))
        out.zone = *zone;
      else
        fault("/timeZone", "must be an IANA time zone such as Europe/Berlin");
    }
    out.run_after_gap = choice("skipped", "skip", "run-after");
    out.first_only = choice("repeated", "both", "first");
    out.start = time("startAt");
    out.end = time("endAt");
    if (out.start && out.end && *out.start > *out.end) fault("/endAt", "is before startAt");
    if (const auto it = body.find("jitterSeconds"); it != body.end() && !it->is_null()) {
      if (!it->is_number_integer() || it->get<std::int64_t>() < 0 || it->get<std::int64_t>() > kLongest)
        fault("/jitterSeconds", "must be a whole number, at least 0");
      else
        out.jitter = it->get<std::int64_t>();
    }
    if (out.rules.empty() && faults.empty()) fault("", "needs at least one of crons, intervals and calendars");
  }

  const json& body;
  const std::string pointer;
  Specification& out;
  std::vector<Fault>& faults;
};

}  // namespace

std::optional<Rule> parse_rule(const std::string& expression, std::string& fault) {
  Rule out;
  std::string text = expression;
  for (const char* prefix : {"TZ=", "CRON_TZ="}) {
    if (text.rfind(prefix, 0) != 0) continue;
    const auto blank = text.find(' ');
    const std::string name = text.substr(std::string(prefix).size(), blank - std::string(prefix).size());
    out.zone = Zone::find(name);
    if (!out.zone || blank == std::string::npos) {
      fault = "\"" + name + "\" is not an IANA time zone such as Europe/Berlin";
      return {};
    }
    text = text.substr(blank + 1);
    break;
  }
  if (lower(text.substr(0, 7)) == "@every ") {
    out.interval = parse_every(text.substr(7), fault);
    if (!out.interval) return {};
    return out;
  }
  const auto cron = Cron::parse(text, fault);
  if (!cron) return {};
  out.cron = *cron;
  return out;
}

std::optional<std::int64_t> parse_basic_timing(const std::string& text) {
  const std::string word = lower(text);
  if (word.rfind("every ", 0) != 0) return {};
  int n = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data() + 6, end, n);
  if (error != std::errc() || n < 1 || n > 9'999 || rest == end || *rest != ' ' || word[6] == '0') return {};
  std::string unit(rest + 1, end);
  if (!unit.empty() && unit.back() == 's') unit.pop_back();
  if (unit == "minute") return n * 60LL;
  if (unit == "hour") return n * 3'600LL;
  if (unit == "day") return n * 86'400LL;
  if (unit == "week") return n * 604'800LL;
  return {};
}

Specification Specification::parse(const json& body, const std::string& pointer, std::vector<Fault>& faults) {
  Specification out;
  SpecificationReader(body, pointer, out, faults).read();
  return out;
}

}  // namespace millrace::calendar
