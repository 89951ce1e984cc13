#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace millrace {
namespace {

struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

Sink make_sink(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  switch (options.level) {
    case LogLevel::debug: logger->set_level(spdlog::level::debug); break;
    case LogLevel::info: logger->set_level(spdlog::level::info); break;
    case LogLevel::warn: logger->set_level(spdlog::level::warn); break;
    case LogLevel::error: logger->set_level(spdlog::level::err); break;
    case LogLevel::off: logger->set_level(spdlog::level::off); break;
  }
  logger->flush_on(spdlog::level::debug);
  logger->set_pattern(options.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})" : "%H:%M:%S.%e %-5l %v",
                      spdlog::pattern_time_type::utc);
  return {std::move(logger), options.json};
}

Sink& sink() {
  static Sink s = make_sink([] {
    LogOptions o;
    o.level = LogLevel::warn;
    return o;
  }());
  return s;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20) {
      out += fmt::format("\\u{:04x}", u);
    } else {
      out += c;
    }
  }
  out += '"';
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

LogField::LogField(std::string_view k, double v) : key(k), value(fmt::format("{:.6g}", v)), bare(true) {}

LogLevel parse_log_level(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  return LogLevel::info;
}

void set_up_logging(LogOptions options) { sink() = make_sink(options); }

void log_line(LogLevel level, std::string_view event, LogFields fields) {
  Sink& s = sink();
  const auto spd = to_spdlog(level);
  if (!s.logger->should_log(spd)) return;
  std::string line;
  if (s.json) {
    line += "\"event\":";
    append_json_string(line, event);
    for (const LogField& f : fields) {
      line += ',';
      append_json_string(line, f.key);
      line += ':';
      if (f.bare) {
        line += f.value;
      } else {
        append_json_string(line, f.value);
      }
    }
  } else {
    line = event;
    for (const LogField& f : fields) {
      line += ' ';
      line += f.key;
      line += '=';
      if (f.bare || f.value.find_first_of(" \"\n=") == std::string::npos) {
        line += f.value;
      } else {
        append_json_string(line, f.value);
      }
    }
  }
  s.logger->log(spd, "{}", line);
}

}  // namespace millrace
