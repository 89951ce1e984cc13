#include "resources/known_streams.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "common/errors.h"
#include "resources/stream_selection.h"
#include "state/keys.h"

namespace millrace::resources {

using connectors::StreamName;
using nlohmann::json;

namespace {

constexpr int kTries = 8;

using Pattern = std::pair<std::optional<std::string>, std::string>;  // namespace, name
using Names = std::set<std::pair<std::string, std::string>>;

struct Known {
  Known() = default;
  std::map<Pattern, Names> entries;
  std::int64_t stopped_job = 0;
  Names stopped;
};

json names_json(const Names& names) {
  json out = json::array();
  for (const auto& [ns, name] : names) out.push_back({ns, name});
  return out;
}

Names names_from(const json& list) {
  Names out;
  for (const auto& one : list) out.insert({one.at(0).get<std::string>(), one.at(1).get<std::string>()});
  return out;
}

Known decode(const std::string& row) {
  Known known;
  try {
    const json value = json::parse(row);
    if (value.at("v") != 1) throw Error("store.corrupt", "known streams of another version");
    for (const auto& entry : value.at("entries")) {
      Pattern pattern;
      if (entry.contains("namespace")) pattern.first = entry["namespace"].get<std::string>();
      pattern.second = entry.at("name").get<std::string>();
      known.entries[pattern] = names_from(entry.at("streams"));
    }
    if (value.contains("stopped")) {
      known.stopped_job = value["stopped"].at("job").get<std::int64_t>();
      known.stopped = names_from(value["stopped"].at("streams"));
    }
  } catch (const json::exception& e) {
    throw Error("store.corrupt", std::string("known streams: ") + e.what());
  }
  return known;
}

std::string encode(const Known& known) {
  json out = {{"v", 1}, {"entries", json::array()}};
  for (const auto& [pattern, names] : known.entries) {
    json entry = {{"name", pattern.second}, {"streams", names_json(names)}};
    if (pattern.first) entry["namespace"] = *pattern.first;
    out["entries"].push_back(std::move(entry));
  }
  if (known.stopped_job != 0) out["stopped"] = {{"job", known.stopped_job}, {"streams", names_json(known.stopped)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_pattern(const StreamEntry& entry) {
  return entry.name.find('*') != std::string::npos || (entry.ns && entry.ns->find('*') != std::string::npos);
}

// What has to be known after this look, and what it found new.
struct Look {
  Look() = default;
  Known known;
  NewStreams found;
};

Look look_at(const Known& before, const json& spec, const std::vector<StreamName>& discovered, std::int64_t job_id) {
  const std::string policy = spec.value("nonBreakingSchemaUpdatesBehavior", "propagate_columns");
  const auto entries = stream_entries(spec);
  Look out;
  if (before.stopped_job == job_id) {  // this very look was made before, by an attempt that died
    out.known = before;
    for (const auto& [ns, name] : before.stopped) out.found.left_out.emplace_back(ns, name);
    out.found.disable = true;
    return out;
  }
  Names fresh;  // match a pattern that did not match them when it was last looked at
  for (const auto& entry : entries) {
    if (!is_pattern(entry)) continue;
    const Pattern pattern(entry.ns, entry.name);
    Names matched;
    for (const auto& match : select_streams({entry}, discovered).matches)
      matched.insert({discovered[match.stream].ns, discovered[match.stream].name});
    const auto known = before.entries.find(pattern);
    if (known == before.entries.end()) {
      out.known.entries[pattern] = std::move(matched);
      continue;
    }
    out.known.entries[pattern] = known->second;
    for (const auto& name : matched)
      if (!known->second.contains(name)) fresh.insert(name);
  }
  // A later entry beats an earlier one: only where a pattern that met the stream for the first time decides about it.
  for (const auto& match : select_streams(entries, discovered).matches) {
    const auto& entry = entries[match.entry];
    const auto& name = discovered[match.stream];
    if (!is_pattern(entry) || !fresh.contains({name.ns, name.name})) continue;
    if (out.known.entries[Pattern(entry.ns, entry.name)].contains({name.ns, name.name})) continue;
    if (policy == "propagate_fully")
      out.found.taken.push_back(name);
    else
      out.found.left_out.push_back(name);
  }
  out.found.disable = policy == "disable_connection" && !out.found.left_out.empty();
  const auto& accepted = out.found.disable ? out.found.left_out : out.found.taken;
  for (const auto& entry : entries)
    if (is_pattern(entry))
      for (const auto& match : select_streams({entry}, accepted).matches)
        out.known.entries[Pattern(entry.ns, entry.name)].insert(
            {accepted[match.stream].ns, accepted[match.stream].name});
  if (out.found.disable) {
    out.known.stopped_job = job_id;
    for (const auto& name : out.found.left_out) out.known.stopped.insert({name.ns, name.name});
  }
  return out;
}

}  // namespace

std::string known_streams_key(const std::string& connection_id) {
  return state::keys::resource("known_streams", connection_id);
}

asio::awaitable<NewStreams> find_new_streams(std::shared_ptr<state::Store> store, std::string connection_id,
                                             std::string connection_spec, std::vector<StreamName> discovered,
                                             std::int64_t job_id) {
  const json spec = json::parse(connection_spec);
  const std::string key = known_streams_key(connection_id);
  for (int tries = 0; tries < kTries; ++tries) {
    const auto row = co_await store->get(key);
    Known before;
    if (row) before = decode(*row);
    Look look = look_at(before, spec, discovered, job_id);
    std::string after = encode(look.known);
    if (row && *row == after) co_return look.found;
    state::Batch batch;
    if (row)
      batch.expect(key, *row);
    else
      batch.expect_absent(key);
    batch.put(key, std::move(after));
    const auto commit = co_await store->commit(std::move(batch));
    if (commit == state::Commit::done) co_return look.found;
  }
  throw Error("resource.conflict", "the known streams of the connection are being changed by others");
}

}  // namespace millrace::resources
