// Points in time and spans. Only Runtime reads a clock; everybody else is handed one of these.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

using Duration = std::chrono::microseconds;
// UTC, microseconds since the Unix epoch. May jump when the machine's clock is set.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;
// Never jumps; comparable within one process only.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline std::int64_t to_micros(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime from_micros(std::int64_t us) { return WallTime(Duration(us)); }
inline double to_seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

// RFC 3339 in UTC with microseconds: 2026-11-24T21:37:51.000123Z
std::string format_time(WallTime t);
// Accepts what format_time writes, fewer or no fraction digits, and +hh:mm offsets. Empty if it is not a time.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace millrace
