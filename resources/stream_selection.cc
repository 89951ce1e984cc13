#include "resources/stream_selection.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::resources {

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // Greedy with one point of return: linear for each `*`, no recursion.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

namespace {

std::vector<std::size_t> matching(const std::vector<connectors::StreamName>& streams,
                                  const std::optional<std::string>& ns, std::string_view name) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < streams.size(); ++i)
    if ((!ns || matches_pattern(*ns, streams[i].ns)) && matches_pattern(name, streams[i].name)) out.push_back(i);
  return out;
}

}  // namespace

StreamSelection select_streams(const std::vector<StreamEntry>& entries,
                               const std::vector<connectors::StreamName>& streams) {
  StreamSelection selection;
  std::vector<std::optional<std::size_t>> decided(streams.size());
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const auto& entry = entries[e];
    auto found = matching(streams, entry.ns, entry.name);
    bool pattern = entry.name.find('*') != std::string::npos || (entry.ns && entry.ns->find('*') != std::string::npos);
    if (found.empty() && !entry.ns) {
      const auto dot = entry.name.find('.');
      if (dot != std::string::npos)
        found = matching(streams, entry.name.substr(0, dot), std::string_view(entry.name).substr(dot + 1));
    }
    if (found.empty()) selection.unmatched.push_back(e);
    if (found.size() > 1 && !pattern) {
      selection.ambiguous.push_back(e);
      continue;
    }
    for (auto s : found) decided[s] = e;
  }
  for (std::size_t s = 0; s < streams.size(); ++s)
    if (decided[s]) selection.matches.push_back({s, *decided[s]});
  return selection;
}

std::vector<StreamEntry> stream_entries(const nlohmann::json& spec) {
  std::vector<StreamEntry> out;
  const auto configurations = spec.find("configurations");
  if (configurations == spec.end() || !configurations->contains("streams")) {
    out.emplace_back();
    return out;
  }
  for (const auto& e : configurations->at("streams")) {
    StreamEntry entry;
    if (e.contains("namespace")) entry.ns = e["namespace"].get<std::string>();
    entry.name = e.value("name", "*");
    entry.sync_mode =
        connectors::parse_sync_mode(e.value("syncMode", "")).value_or(connectors::SyncMode::full_refresh_overwrite);
    if (e.contains("cursorField")) entry.cursor_field = e["cursorField"].get<std::vector<std::string>>();
    if (e.contains("primaryKey"))
      for (const auto& path : e["primaryKey"]) entry.primary_key.push_back(path.at(0));
    if (e.contains("selectedFields"))
      for (const auto& f : e["selectedFields"]) entry.selected_fields.push_back(f.at("fieldPath").at(0));
    entry.destination_object_name = e.value("destinationObjectName", "");
    entry.keys = e.value("keys", false);
    entry.filter = e.value("filter", "");
    entry.limit = e.value("limit", std::int64_t{0});
    if (e.contains("mappers") && !e["mappers"].empty()) entry.mappers = e["mappers"].dump();
    entry.strict = e.value("strict", false);
    entry.keep_history = e.value("keepHistory", false);
    entry.raw = e.value("raw", false);
    entry.soft_delete = e.value("softDelete", false);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace millrace::resources
