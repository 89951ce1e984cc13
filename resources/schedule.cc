#include "resources/schedule.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calendar/specification.h"

namespace millrace::resources {

using nlohmann::json;

json normalise_schedule(const json& schedule, const std::string& pointer, Faults& faults) {
  json out = {{"scheduleType", "manual"}};
  if (!schedule.is_object()) {
    faults.add(pointer, "must be an object with scheduleType");
    return out;
  }
  const auto type = schedule.find("scheduleType");
  if (type == schedule.end() || !type->is_string()) {
    faults.add(pointer + "/scheduleType", "is required: one of manual, cron, basic, continuous");
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
      std::string fault;
      const auto rule = calendar::parse_rule(expression, fault);
      if (rule && rule->zone) fault = "names a time zone: that belongs into cronTimeZone";
      if (!fault.empty()) faults.add(pointer + "/cronExpression", fault);
    }
    std::string zone = text("cronTimeZone", false);
    if (zone.empty()) zone = "UTC";
    if (!calendar::Zone::find(zone))
      faults.add(pointer + "/cronTimeZone", "must be an IANA time zone such as Europe/Berlin");
    out = {{"scheduleType", "cron"}, {"cronExpression", expression}, {"cronTimeZone", zone}};
  } else if (name == "basic") {
    const std::string timing = text("basicTiming", true);
    if (schedule.contains("basicTiming") && !calendar::parse_basic_timing(timing))
      faults.add(pointer + "/basicTiming", "must have the form \"Every 15 minutes\" (minutes, hours, days or weeks)");
    out = {{"scheduleType", "basic"}, {"basicTiming", timing}};
  } else if (name == "continuous") {
    out = {{"scheduleType", "continuous"}};
  } else if (name != "manual") {
    faults.add(pointer + "/scheduleType", "must be one of manual, cron, basic, continuous" + instead_of(*type));
    return out;
  }
  for (const auto& [field, _] : schedule.items())
    if (std::find(known.begin(), known.end(), field) == known.end())
      faults.add(pointer + pointer_token(field), "is not a known field of a schedule of type " + name);
  return out;
}

}  // namespace millrace::resources
