#include "workflows/stream_outcomes.h"

#include <map>
#include <nlohmann/json.hpp>

#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;

namespace {
std::pair<std::string, std::string> name_of(const json& stream) {
  return {stream.value("namespace", ""), stream.value("name", "")};
}
}  // namespace

json* find_stream(json& streams, const json& name) {
  for (auto& s : streams)
    if (name_of(s) == name_of(name)) return &s;
  return nullptr;
}

void apply_published(json& streams, const json& published) {
  std::map<std::pair<std::string, std::string>, json*> by_name;
  for (auto& s : streams) by_name[name_of(s)] = &s;
  for (const auto& p : published) {
    const auto it = by_name.find(name_of(p));
    if (it == by_name.end()) continue;
    json& s = *it->second;
    if (p.contains("failure")) {
      s["status"] = "failed";
      s["failure"] = p["failure"];
      continue;
    }
    s["status"] = "complete";
    s["rowsPublished"] = p.value("rows", std::int64_t{0});
    if (p.contains("notes")) s["notes"] = p["notes"];
  }
}

void apply_followed(json& streams, const json& followed) {
  for (const auto& f : followed) {
    json* s = find_stream(streams, f);
    if (s == nullptr) {
      streams.push_back(f);
      continue;
    }
    if (s->value("status", "") == "failed") continue;
    for (const char* field : {"rowsRead", "rowsCommitted", "bytesRead", "bytesCommitted"})
      (*s)[field] = s->value(field, std::int64_t{0}) + f.value(field, std::int64_t{0});
    (*s)["status"] = f.value("status", "complete");
  }
}

bool any_complete(const json& streams) {
  for (const auto& s : streams)
    if (s.value("status", "") == "complete") return true;
  return false;
}

std::optional<engine::Failure> first_failure(const json& streams) {
  std::optional<engine::Failure> first;
  std::size_t failed = 0;
  for (const auto& s : streams) {
    if (s.value("status", "") != "failed") continue;
    ++failed;
    if (!first) first = failure_from_view(s.value("failure", json::object()));
  }
  if (first && streams.size() > 1)
    first->message = std::to_string(failed) + " of " + std::to_string(streams.size()) +
                     " streams failed; the first: " + first->message;
  return first;
}

}  // namespace millrace::workflows
