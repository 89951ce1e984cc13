// Time zones by IANA name: when the offset from UTC changes, and to what.
//
// Rules come from the system's zone files (Debian's tzdata) through the `date` library. It ignores the rule in a zone
// file's footer, which holds after the last change that the file lists (2037); Debian's files list all up to then.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace date {
class time_zone;
}

namespace millrace::calendar {

using Seconds = std::chrono::sys_seconds;  // an instant
using Local = std::chrono::local_seconds;  // what a clock on the wall shows

// A stretch of time in which a zone keeps one offset.
struct Stretch {
  Seconds begin;  // far in the past for the first
  Seconds end;    // exclusive
  std::chrono::seconds offset{0};
  std::string abbreviation;  // "CEST"
};

// A value; thread-safe. Names live as long as the process.
class Zone {
 public:
  Zone();  // UTC
  // Empty: there is no zone of this name.
  static std::optional<Zone> find(const std::string& name);
  const std::string& name() const { return name_; }
  Stretch at(Seconds when) const;

 private:
  std::string name_ = "UTC";
  const date::time_zone* zone_ = nullptr;  // null: UTC
};

}  // namespace millrace::calendar
