#include "engine/worker_run.h"

#include <charconv>

#include <fmt/format.h>

namespace millrace::engine {

std::string WorkerToken::text() const {
  return fmt::format("{}.{}.{}.{:016x}", run_id, scheduled_event_id, attempt, stamp);
}

std::optional<WorkerToken> WorkerToken::parse(std::string_view text) {
  std::optional<WorkerToken> token;
  WorkerToken t;
  const auto number = [&text](auto& value, int base) {
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view part = text.substr(dot + 1);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (error != std::errc() || end != part.data() + part.size() || part.empty()) return false;
    text = text.substr(0, dot);
    return true;
  };
  if (!number(t.stamp, 16) || !number(t.attempt, 10) || !number(t.scheduled_event_id, 10) || text.empty()) return token;
  t.run_id = text;
  token = std::move(t);
  return token;
}

}  // namespace millrace::engine
