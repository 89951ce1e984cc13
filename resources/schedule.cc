#include "resources/schedule.h"

#include <re2/re2.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace millrace::resources {
namespace {

using nlohmann::json;

struct CronField {
  const char* name;
  int low;
  int high;
  std::vector<std::string> words;  // words[i] stands for low_of_words + i
  int first_word = 0;
};

const std::vector<std::string> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
const std::vector<std::string> kDays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out(1);
  for (char c : text) {
    if (c == separator)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::vector<std::string> split_blanks(const std::string& text) {
  std::vector<std::string> out;
  for (auto& part : split(text, ' '))
    if (!part.empty()) out.push_back(part);
  return out;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::optional<int> number_of(const std::string& text, const CronField& field) {
  for (std::size_t i = 0; i < field.words.size(); ++i)
    if (upper(text) == field.words[i]) return field.first_word + static_cast<int>(i);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "", or what is wrong with one part of a list: *  a  a-b  */n  a/n  a-b/n
std::string part_fault(const std::string& part, const CronField& field) {
  const auto fault = [&](const std::string& what) { return std::string("the ") + field.name + " field: " + what; };
  const auto with_step = split(part, '/');
  if (with_step.size() > 2) return fault("\"" + part + "\" has two steps");
  if (with_step.size() == 2) {
    CronField plain{field.name, 0, 0, {}, 0};
    const auto step = number_of(with_step[1], plain);
    if (!step || *step < 1) return fault("\"" + with_step[1] + "\" is no step");
  }
  if (with_step[0] == "*") return "";
  const auto ends = split(with_step[0], '-');
  if (ends.size() > 2) return fault("\"" + part + "\" is no range");
  for (const auto& end : ends) {
    const auto n = number_of(end, field);
    if (!n) return fault("\"" + end + "\" is no number");
    if (*n < field.low || *n > field.high)
      return fault(end + " is not within " + std::to_string(field.low) + " and " + std::to_string(field.high));
  }
  return "";
}

// Quartz's own words for days: L, LW, 15W, 6L, 6#3.
bool quartz_day(const std::string& part, bool of_week) {
  static const RE2 month("L|LW|L-[0-9]{1,2}|[0-9]{1,2}W");
  static const RE2 week("L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])");
  return RE2::FullMatch(upper(part), of_week ? week : month);
}

std::string field_fault(const std::string& text, const CronField& field, bool quartz_days, bool of_week) {
  for (const auto& part : split(text, ',')) {
    if (quartz_days && quartz_day(part, of_week)) continue;
    auto fault = part_fault(part, field);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace

std::string cron_fault(const std::string& expression) {
  const auto fields = split_blanks(expression);
  if (fields.size() < 5 || fields.size() > 7)
    return "has " + std::to_string(fields.size()) + " fields: 5 (Unix) or 6 or 7 (Quartz) are wanted";
  const bool quartz = fields.size() > 5;
  std::vector<CronField> shape;
  if (quartz) shape.push_back({"second", 0, 59, {}, 0});
  shape.push_back({"minute", 0, 59, {}, 0});
  shape.push_back({"hour", 0, 23, {}, 0});
  shape.push_back({"day of month", 1, 31, {}, 0});
  shape.push_back({"month", 1, 12, kMonths, 1});
  shape.push_back({"day of week", quartz ? 1 : 0, 7, kDays, quartz ? 1 : 0});
  if (fields.size() == 7) shape.push_back({"year", 1970, 2099, {}, 0});
  const std::size_t dom = quartz ? 3 : 2;
  const std::size_t dow = quartz ? 5 : 4;
  if (quartz && (fields[dom] == "?") == (fields[dow] == "?"))
    return "needs ? in one of day of month and day of week, as Quartz does";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (quartz && (i == dom || i == dow) && fields[i] == "?") continue;
    auto fault = field_fault(fields[i], shape[i], quartz && (i == dom || i == dow), i == dow);
    if (!fault.empty()) return fault;
  }
  return "";
}

json normalise_schedule(const json& schedule, const std::string& pointer, Faults& faults) {
  json out = {{"scheduleType", "manual"}};
  if (!schedule.is_object()) {
    faults.add(pointer, "must be an object with scheduleType");
    return out;
  }
  const auto type = schedule.find("scheduleType");
  if (type == schedule.end() || !type->is_string()) {
    faults.add(pointer + "/scheduleType", "is required: one of manual, cron, basic");
    return out;
  }
  const std::string& name = type->get_ref<const std::string&>();
  std::vector<std::string> known = {"scheduleType"};
  const auto text = [&](const char* field, bool required) -> std::string {
    known.push_back(field);
    const auto it = schedule.find(field);
    if (it == schedule.end()) {
      if (required) faults.add(pointer + "/" + field, "is required with scheduleType " + name);
      return "";
    }
    if (!it->is_string()) {
      faults.add(pointer + "/" + field, "must be of type string");
      return "";
    }
    return it->get<std::string>();
  };
  if (name == "cron") {
    const std::string expression = text("cronExpression", true);
    if (schedule.contains("cronExpression") && schedule["cronExpression"].is_string()) {
      const auto fault = cron_fault(expression);
      if (!fault.empty()) faults.add(pointer + "/cronExpression", fault);
    }
    std::string zone = text("cronTimeZone", false);
    if (zone.empty()) zone = "UTC";
    static const RE2 zone_form("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}");
    if (!RE2::FullMatch(zone, zone_form))
      faults.add(pointer + "/cronTimeZone", "must be an IANA time zone such as Europe/Berlin");
    out = {{"scheduleType", "cron"}, {"cronExpression", expression}, {"cronTimeZone", zone}};
  } else if (name == "basic") {
    const std::string timing = text("basicTiming", true);
    static const RE2 form("(?i)every [1-9][0-9]{0,3} (minute|hour|day|week)s?");
    if (schedule.contains("basicTiming") && !RE2::FullMatch(timing, form))
      faults.add(pointer + "/basicTiming", "must have the form \"Every 15 minutes\" (minutes, hours, days or weeks)");
    out = {{"scheduleType", "basic"}, {"basicTiming", timing}};
  } else if (name == "continuous") {
    faults.add(pointer + "/scheduleType", "continuous needs change data capture, which this version does not have");
  } else if (name != "manual") {
    faults.add(pointer + "/scheduleType", "must be one of manual, cron, basic" + instead_of(*type));
    return out;
  }
  for (const auto& [field, _] : schedule.items())
    if (std::find(known.begin(), known.end(), field) == known.end())
      faults.add(pointer + pointer_token(field), "is not a known field of a schedule of type " + name);
  return out;
}

}  // namespace millrace::resources
