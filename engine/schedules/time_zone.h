// A time zone by its IANA name, from the system's zone files (package tzdata), by way of the date library.
//
// Times here are whole seconds since the epoch; a local time is what the clock on the wall shows, counted as if it were
// UTC. The date library does not read the rule at the end of a zone file: transitions are exact as far as the file
// lists them (to 2037 in Debian's), later times keep the last offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace millrace::engine {

class TimeZone {
 public:
  // Empty: there is no such zone. Thread-safe; the first call reads the list of zones.
  static std::optional<TimeZone> find(const std::string& name);

  // A stretch of time with one offset from UTC: local = utc + offset for begin <= utc < end.
  struct Segment {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t offset = 0;
  };
  Segment segment_at(std::int64_t utc) const;
  std::int64_t to_local(std::int64_t utc) const { return utc + segment_at(utc).offset; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  const void* zone_ = nullptr;  // a date::time_zone of the library's list, which lives as long as the process
};

}  // namespace millrace::engine
