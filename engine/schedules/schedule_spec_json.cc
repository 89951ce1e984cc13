// The JSON form of a schedule's times.
#include <set>

#include "engine/schedules/cron.h"
#include "engine/schedules/schedule_spec.h"

namespace millrace::engine {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxEntries = 100;  // of each list
constexpr std::int64_t kMaxSpan = std::int64_t{100} * 366 * 86'400;

class SpecReader {
 public:
  SpecReader(std::string pointer, std::vector<SpecFault>& faults) : pointer_(std::move(pointer)), faults_(faults) {}

  void fault(const std::string& at, std::string detail) { faults_.emplace_back(pointer_ + at, std::move(detail)); }

  void unknown(const json& object, const std::string& at, const std::set<std::string>& known) {
    for (const auto& [name, _] : object.items())
      if (!known.contains(name)) fault(at + "/" + name, "is not a known field");
  }
  std::int64_t number(const json& object, const std::string& at, const char* name, std::int64_t least,
                      std::int64_t otherwise, bool required = false) {
    const auto it = object.find(name);
    if (it == object.end()) {
      if (required) fault(at + "/" + name, "is required");
      return otherwise;
    }
    if (!it->is_number_integer() || it->get<std::int64_t>() < least || it->get<std::int64_t>() > kMaxSpan) {
      fault(at + "/" + name, "must be a whole number of seconds, at least " + std::to_string(least));
      return otherwise;
    }
    return it->get<std::int64_t>();
  }
  std::string text(const json& object, const std::string& at, const char* name) {
    const auto it = object.find(name);
    if (it == object.end()) return {};
    if (it->is_string()) return it->get<std::string>();
    if (it->is_number_unsigned()) return std::to_string(it->get<std::uint64_t>());
    fault(at + "/" + name, "must be a string");
    return {};
  }
  const json& list(const json& object, const char* name) {
    static const json nothing = json::array();
    const auto it = object.find(name);
    if (it == object.end()) return nothing;
    if (!it->is_array() || it->size() > kMaxEntries) {
      fault(std::string("/") + name, "must be a list of at most " + std::to_string(kMaxEntries));
      return nothing;
    }
    return *it;
  }
  std::optional<std::int64_t> moment(const json& object, const char* name) {
    const std::string given = text(object, "", name);
    if (given.empty()) return std::nullopt;
    const auto t = parse_time(given);
    if (!t) {
      fault(std::string("/") + name, "must be a time such as 2026-11-24T21:00:00Z");
      return std::nullopt;
    }
    return seconds_floor(*t);
  }
  std::optional<Calendar> calendar(const json& object, const std::string& at) {
    if (!object.is_object()) {
      fault(at, "must be an object with second, minute, hour, dayOfMonth, month, dayOfWeek, year");
      return std::nullopt;
    }
    unknown(object, at, {"second", "minute", "hour", "dayOfMonth", "month", "dayOfWeek", "year"});
    CalendarFields fields;
    fields.second = text(object, at, "second");
    fields.minute = text(object, at, "minute");
    fields.hour = text(object, at, "hour");
    fields.day = text(object, at, "dayOfMonth");
    fields.month = text(object, at, "month");
    fields.weekday = text(object, at, "dayOfWeek");
    fields.year = text(object, at, "year");
    std::string what;
    auto out = parse_calendar(fields, FieldStyle::unix, what);
    if (!out) fault(at, what);
    return out;
  }

 private:
  std::string pointer_;
  std::vector<SpecFault>& faults_;
};

}  // namespace

ScheduleSpec ScheduleSpec::parse(const json& given, const std::string& pointer, std::vector<SpecFault>& faults) {
  ScheduleSpec out;
  SpecReader reader(pointer, faults);
  if (!given.is_object()) {
    reader.fault("", "must be an object with intervals, calendars or crons");
    return out;
  }
  reader.unknown(given, "",
                 {"intervals", "calendars", "crons", "exclusions", "startAt", "endAt", "timeZone", "skipped",
                  "repeated", "jitterSeconds"});
  std::string zone_name = reader.text(given, "", "timeZone");
  if (zone_name.empty()) zone_name = "UTC";
  const auto zone = TimeZone::find(zone_name);
  if (!zone) {
    reader.fault("/timeZone", "\"" + zone_name + "\" is no IANA time zone such as Europe/Berlin");
    return out;
  }
  const auto take_cron = [&](const json& value, const std::string& at, std::vector<ZonedCalendar>& to, bool excludes) {
    std::string what;
    const auto line = value.is_string() ? parse_cron(value.get<std::string>(), what) : std::nullopt;
    if (!line) {
      reader.fault(at, value.is_string() ? what : "must be a cron line");
      return;
    }
    auto its_zone = zone;
    if (!line->zone.empty()) its_zone = TimeZone::find(line->zone);
    if (!its_zone) {
      reader.fault(at, "\"" + line->zone + "\" is no IANA time zone such as Europe/Berlin");
    } else if (line->calendar) {
      to.emplace_back(*line->calendar, *its_zone);
    } else if (excludes) {
      reader.fault(at, "@every can't be an exclusion");
    } else {
      Interval interval;
      interval.every = line->every;
      out.intervals.push_back(interval);
    }
  };

  std::size_t i = 0;
  for (const json& one : reader.list(given, "intervals")) {
    const std::string at = "/intervals/" + std::to_string(i++);
    if (!one.is_object()) {
      reader.fault(at, "must be an object with everySeconds");
      continue;
    }
    reader.unknown(one, at, {"everySeconds", "phaseSeconds"});
    Interval interval;
    interval.every = reader.number(one, at, "everySeconds", 1, 1, true);
    interval.phase = reader.number(one, at, "phaseSeconds", 0, 0) % interval.every;
    out.intervals.push_back(interval);
  }
  i = 0;
  for (const json& one : reader.list(given, "calendars")) {
    const auto calendar = reader.calendar(one, "/calendars/" + std::to_string(i++));
    if (calendar) out.calendars.emplace_back(*calendar, *zone);
  }
  i = 0;
  for (const json& one : reader.list(given, "crons"))
    take_cron(one, "/crons/" + std::to_string(i++), out.calendars, false);
  i = 0;
  for (const json& one : reader.list(given, "exclusions")) {
    const std::string at = "/exclusions/" + std::to_string(i++);
    if (one.is_string()) {
      take_cron(one, at, out.exclusions, true);
      continue;
    }
    const auto calendar = reader.calendar(one, at);
    if (calendar) out.exclusions.emplace_back(*calendar, *zone);
  }
  out.start = reader.moment(given, "startAt");
  out.end = reader.moment(given, "endAt");
  if (out.start && out.end && *out.start > *out.end) reader.fault("/endAt", "is before startAt");
  out.jitter = std::chrono::seconds(reader.number(given, "", "jitterSeconds", 0, 0));
  const std::string skipped = reader.text(given, "", "skipped");
  if (skipped == "run-after")
    out.skipped = SkippedTimes::run_after;
  else if (!skipped.empty() && skipped != "skip")
    reader.fault("/skipped", "must be one of skip, run-after");
  const std::string repeated = reader.text(given, "", "repeated");
  if (repeated == "first")
    out.repeated = RepeatedTimes::first;
  else if (!repeated.empty() && repeated != "both")
    reader.fault("/repeated", "must be one of both, first");
  if (out.intervals.empty() && out.calendars.empty() && faults.empty())
    reader.fault("", "needs at least one of intervals, calendars and crons");
  return out;
}

}  // namespace millrace::engine
