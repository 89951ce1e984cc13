#include "common/log.h"

#include <algorithm>
#include <cmath>

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
    case LogLevel::debug:
      logger->set_level(spdlog::level::debug);
      break;
    case LogLevel::info:
      logger->set_level(spdlog::level::info);
      break;
    case LogLevel::warn:
      logger->set_level(spdlog::level::warn);
      break;
    case LogLevel::error:
      logger->set_level(spdlog::level::err);
      break;
    case LogLevel::off:
      logger->set_level(spdlog::level::off);
      break;
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

// Bytes of the UTF-8 character that begins at `at`; 0 if there is none (RFC 3629, section 4).
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned a = byte(0), b = byte(1);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf && follows(1)) return 2;
  if (a >= 0xe0 && a <= 0xef && follows(1) && follows(2) && !(a == 0xe0 && b < 0xa0) && !(a == 0xed && b > 0x9f))
    return 3;
  if (a >= 0xf0 && a <= 0xf4 && follows(1) && follows(2) && follows(3) && !(a == 0xf0 && b < 0x90) &&
      !(a == 0xf4 && b > 0x8f))
    return 4;
  return 0;
}

// What is not UTF-8 (a server's message in another encoding) becomes U+FFFD: the line stays JSON.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto u = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (u == '"' || u == '\\') {
      out += '\\';
      out += text[at];
    } else if (u < 0x20) {
      out += fmt::format("\\u{:04x}", u);
    } else {
      out += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  out += '"';
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

LogField::LogField(std::string_view k, double v) : key(k), value(fmt::format("{:.6g}", v)), bare(std::isfinite(v)) {}

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
