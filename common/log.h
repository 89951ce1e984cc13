// Logging: one line an event, structured. spdlog does the work; this is its set-up and the one way to call it.
//
//   log_info("sync started", {{"job", job_id}, {"connection", name}});
//
// The event is a short constant text (no values in it, so that lines can be counted by it); values go into fields.
// Never pass a secret. Thread-safe. Lines go to stderr, as text on a terminal and as JSON elsewhere.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace millrace {

enum class LogLevel { debug, info, warn, error, off };

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), bare(true) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), bare(true) {}
  LogField(std::string_view k, double v);
  std::string_view key;
  std::string value;
  bool bare = false;  // written without quotes in JSON
};
using LogFields = std::initializer_list<LogField>;

struct LogOptions {
  LogOptions() = default;
  LogLevel level = LogLevel::info;
  bool json = false;
};
// Once, at start. Without it lines below warn are dropped.
void set_up_logging(LogOptions options);
LogLevel parse_log_level(std::string_view name);  // unknown: info

void log_line(LogLevel level, std::string_view event, LogFields fields);
inline void log_debug(std::string_view event, LogFields fields = {}) { log_line(LogLevel::debug, event, fields); }
inline void log_info(std::string_view event, LogFields fields = {}) { log_line(LogLevel::info, event, fields); }
inline void log_warn(std::string_view event, LogFields fields = {}) { log_line(LogLevel::warn, event, fields); }
inline void log_error(std::string_view event, LogFields fields = {}) { log_line(LogLevel::error, event, fields); }

}  // namespace millrace
