#include "calendar/zone.h"

#include <stdexcept>

#include <date/tz.h>

namespace millrace::calendar {

namespace {

// Beyond any time that a schedule may have, on both sides; arithmetic with offsets stays in range.
constexpr std::int64_t kFar = 100'000'000'000;

Seconds clamp(date::sys_seconds t) {
  const auto n = t.time_since_epoch().count();
  return Seconds(std::chrono::seconds(n < -kFar ? -kFar : n > kFar ? kFar : n));
}

}  // namespace

Zone::Zone() = default;

std::optional<Zone> Zone::find(const std::string& name) {
  Zone out;
  if (name == "UTC") return out;
  // The library opens files by this name: only what can be a zone's is asked for.
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.find("..") != std::string::npos) return {};
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                      c == '_' || c == '-' || c == '+';
    if (!fits) return {};
  }
  try {
    out.zone_ = date::locate_zone(name);
  } catch (const std::exception&) {
    return {};
  }
  out.name_ = name;
  return out;
}

Stretch Zone::at(Seconds when) const {
  Stretch out;
  if (zone_ == nullptr) {
    out.begin = Seconds(std::chrono::seconds(-kFar));
    out.end = Seconds(std::chrono::seconds(kFar));
    out.abbreviation = "UTC";
    return out;
  }
  const date::sys_info info = zone_->get_info(date::sys_seconds(when.time_since_epoch()));
  out.begin = clamp(info.begin);
  out.end = clamp(info.end);
  out.offset = info.offset;
  out.abbreviation = info.abbrev;
  return out;
}

}  // namespace millrace::calendar
