#include "cli/serve/queue_options.h"

#include <cstdlib>

#include "cli/context.h"
#include "workflows/queue_defaults.h"

namespace millrace::serve {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw cli::CommandError(cli::kUsage, "'" + text + "' is no limit", why,
                          "Write it as NAME=8 or NAME=concurrency:8,ratePerSecond:5.", "queue.invalid");
}

std::pair<std::string, engine::Limits> parse(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals > 200) refuse(text, "a name and '=' are missing");
  engine::Limits limits;
  std::string rest = text.substr(equals + 1);
  if (rest.empty()) refuse(text, "the limits are missing");
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string part = rest.substr(0, comma);
    rest = comma == std::string::npos ? std::string() : rest.substr(comma + 1);
    const auto colon = part.find(':');
    const std::string what = colon == std::string::npos ? "concurrency" : part.substr(0, colon);
    const std::string number = colon == std::string::npos ? part : part.substr(colon + 1);
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || !(value >= 0) || value > 1e6) refuse(text, "'" + number + "' is no number");
    if (what == "concurrency") {
      if (value != static_cast<double>(static_cast<std::size_t>(value))) refuse(text, "concurrency is a whole number");
      limits.concurrency = static_cast<std::size_t>(value);
    } else if (what == "ratePerSecond") {
      limits.rate_per_second = value;
    } else {
      refuse(text, "'" + what + "' is neither concurrency nor ratePerSecond");
    }
  }
  return {text.substr(0, equals), limits};
}

}  // namespace

engine::QueueSettings queue_settings(const std::vector<std::string>& queues, const std::vector<std::string>& limits) {
  engine::QueueSettings settings = workflows::default_queues();
  for (const std::string& text : queues) {
    const auto [name, one] = parse(text);
    if (name == "*")
      settings.otherwise = one;
    else
      settings.queues[name] = one;
  }
  for (const std::string& text : limits) {
    const auto [name, one] = parse(text);
    settings.keys[name] = one;
  }
  return settings;
}

}  // namespace millrace::serve
