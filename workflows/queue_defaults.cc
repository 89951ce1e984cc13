#include "workflows/queue_defaults.h"

#include <nlohmann/json.hpp>

namespace millrace::workflows {

engine::QueueSettings default_queues() {
  engine::QueueSettings settings;
  settings.queues[engine::kDefaultQueue] = engine::Limits(engine::kDefaultConcurrency);
  settings.queues[kSyncQueue] = engine::Limits(32);
  settings.keys["source:*"] = engine::Limits(8);
  settings.keys["destination:*"] = engine::Limits(8);
  return settings;
}

std::string host_key(std::string_view end, const std::string& configuration) {
  const auto json = nlohmann::json::parse(configuration, nullptr, false);
  if (!json.is_object() || !json.contains("host") || !json["host"].is_string()) return {};
  std::string host = json["host"];
  if (host.empty()) return {};
  for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return std::string(end) + ":" + host;
}

}  // namespace millrace::workflows
