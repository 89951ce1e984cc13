#include "workflows/sync_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "resources/stream_selection.h"
#include "workflows/job_input.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {
namespace {

using connectors::Schema;
using connectors::Stream;
using connectors::StreamName;
using nlohmann::json;
using resources::StreamEntry;

constexpr std::string_view kSourceNamespace = "${SOURCE_NAMESPACE}";

std::string target_namespace(const json& spec, const std::string& source_ns, const std::string& default_ns) {
  const std::string definition = spec.value("namespaceDefinition", "destination");
  std::string ns;
  if (definition == "source") ns = source_ns;
  if (definition == "custom_format") {
    ns = spec.value("namespaceFormat", "");
    for (auto at = ns.find(kSourceNamespace); at != std::string::npos;
         at = ns.find(kSourceNamespace, at + source_ns.size()))
      ns.replace(at, kSourceNamespace.size(), source_ns);
    if (ns.find_first_not_of(' ') == std::string::npos) ns.clear();
  }
  return ns.empty() ? default_ns : ns;
}

bool needs_key(connectors::SyncMode mode) {
  return mode == connectors::SyncMode::full_refresh_overwrite_deduped ||
         mode == connectors::SyncMode::incremental_deduped_history;
}

// The stream's fields that are selected, in the stream's order; a fault if one is unknown.
std::optional<engine::Failure> select_fields(const Stream& stream, const std::vector<std::string>& selected,
                                             Schema& out) {
  if (selected.empty()) {
    out = stream.schema;
    return std::nullopt;
  }
  for (const auto& name : selected)
    if (!stream.schema.index_of(name))
      return failure_of_code("stream.field_unknown", stream.name.text() + " has no field \"" + name + "\"");
  for (const auto& field : stream.schema.fields)
    if (std::find(selected.begin(), selected.end(), field.name) != selected.end()) out.fields.push_back(field);
  return std::nullopt;
}

std::optional<engine::Failure> choose_key(const Stream& stream, const StreamEntry& entry, const Schema& schema,
                                          std::vector<std::string>& key) {
  key = entry.primary_key.empty() ? stream.primary_key : entry.primary_key;
  for (const auto& field : key)
    if (!stream.schema.index_of(field))
      return failure_of_code("stream.field_unknown",
                             "the key of " + stream.name.text() + " names \"" + field + "\", which it does not have");
  const bool whole = std::all_of(key.begin(), key.end(), [&](const auto& f) { return schema.index_of(f).has_value(); });
  if (!whole) key.clear();
  if (key.empty() && (needs_key(entry.sync_mode) || entry.keys))
    return failure_of_code(
        "stream.key_missing",
        stream.name.text() + (whole ? " has no primary key" : ": its key is not among the selected fields"));
  return std::nullopt;
}

std::optional<engine::Failure> check_cursor(const Stream& stream, const StreamEntry& entry, const Schema& schema) {
  if (!connectors::is_incremental(entry.sync_mode)) return std::nullopt;
  std::string candidates;
  for (const auto& name : stream.cursor_candidates) candidates += (candidates.empty() ? "" : ", ") + name;
  if (entry.cursor_field.empty())
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + " has no cursorField; it may be one of " + candidates);
  const std::string& cursor = entry.cursor_field.front();
  const auto& usable = stream.cursor_candidates;
  if (entry.cursor_field.size() > 1 || std::find(usable.begin(), usable.end(), cursor) == usable.end())
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + " can't be ordered by \"" + cursor + "\"; it may be by " + candidates);
  if (!schema.index_of(cursor))
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + ": its cursor \"" + cursor + "\" is not among the selected fields");
  return std::nullopt;
}

StreamPlan plan_stream(const PlanInput& input, const json& spec, const Stream& stream, const StreamEntry& entry) {
  StreamPlan plan;
  auto& t = plan.target;
  t.connection_id = input.connection_id;
  t.source_name = stream.name;
  t.ns = target_namespace(spec, stream.name.ns, input.default_namespace);
  t.name = spec.value("prefix", "") +
           (entry.destination_object_name.empty() ? stream.name.name : entry.destination_object_name);
  t.sync_mode = entry.sync_mode;
  t.add_keys = entry.keys || needs_key(entry.sync_mode);
  t.metadata_columns = spec.value("metadataColumns", "minimal") != "none";
  t.generation = input.job_id;
  t.load_id = input.job_id;
  t.extracted_at_us = input.started_us;
  t.adopt = input.adopt;
  if (connectors::is_incremental(entry.sync_mode)) t.cursor_field = entry.cursor_field;
  plan.rows_estimate = stream.rows_estimate;
  if (std::find(stream.sync_modes.begin(), stream.sync_modes.end(), entry.sync_mode) == stream.sync_modes.end())
    plan.failure = failure_of_code("stream.mode_unsupported", stream.name.text() + " can't be read as " +
                                                                  std::string(connectors::to_string(entry.sync_mode)));
  Schema schema;
  if (!plan.failure) plan.failure = select_fields(stream, entry.selected_fields, schema);
  if (!plan.failure) plan.failure = choose_key(stream, entry, schema, t.primary_key);
  if (!plan.failure) plan.failure = check_cursor(stream, entry, schema);
  t.schema = std::make_shared<const Schema>(std::move(schema));
  return plan;
}

// Where each incremental stream's last job ended.
void take_states(std::vector<StreamPlan>& streams, const std::string& states) {
  if (states.empty()) return;
  for (const auto& one : json::parse(states)) {
    const StreamName name = name_from_json(one);
    for (StreamPlan& plan : streams) {
      if (plan.target.source_name != name || !connectors::is_incremental(plan.target.sync_mode)) continue;
      plan.state_job = one.value("job", std::int64_t{0});
      if (one.contains("state") && !one["state"].is_null()) plan.state = one["state"].dump();
    }
  }
}

StreamPlan failed_plan(const PlanInput& input, StreamName name, engine::Failure failure) {
  StreamPlan plan;
  plan.target.connection_id = input.connection_id;
  plan.target.source_name = std::move(name);
  plan.target.schema = std::make_shared<const Schema>();
  plan.target.generation = plan.target.load_id = input.job_id;
  plan.failure = std::move(failure);
  return plan;
}

StreamName name_of(const StreamEntry& entry) { return StreamName(entry.ns.value_or(""), entry.name); }
bool is_pattern(const StreamEntry& entry) { return name_of(entry).text().find('*') != std::string::npos; }

// The names, or the first of them and how many more there are.
std::string list_of(const std::vector<StreamName>& names) {
  constexpr std::size_t kNamed = 10;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) out += (i == 0 ? "" : ", ") + names[i].text();
  if (names.size() > kNamed) out += " and " + std::to_string(names.size() - kNamed) + " more";
  return out;
}

// Two streams must not write one table: neither is moved, since which of them is meant is not ours to say.
void refuse_collisions(std::vector<StreamPlan>& streams) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> by_target;
  for (std::size_t i = 0; i < streams.size(); ++i)
    if (!streams[i].failure) by_target[{streams[i].target.ns, streams[i].target.name}].push_back(i);
  for (const auto& [target, indexes] : by_target) {
    if (indexes.size() < 2) continue;
    std::string names;
    for (auto i : indexes) names += (names.empty() ? "" : ", ") + streams[i].target.source_name.text();
    for (auto i : indexes)
      streams[i].failure = failure_of_code(
          "stream.target_collision", names + " would all go to " + StreamName(target.first, target.second).text());
  }
}

}  // namespace

SyncPlan make_sync_plan(const PlanInput& input) {
  SyncPlan plan;
  const json spec = json::parse(input.connection_spec);
  const auto entries = resources::stream_entries(spec);
  std::vector<StreamName> names;
  names.reserve(input.catalog.streams.size());
  for (const auto& stream : input.catalog.streams) names.push_back(stream.name);
  const auto selection = resources::select_streams(entries, names);
  for (const auto& match : selection.matches) {
    const auto& name = input.catalog.streams[match.stream].name;
    const bool left = std::find(input.left_out.begin(), input.left_out.end(), name) != input.left_out.end();
    const bool asked = std::find(input.only.begin(), input.only.end(), name) != input.only.end();
    if (left && !asked) continue;
    plan.streams.push_back(plan_stream(input, spec, input.catalog.streams[match.stream], entries[match.entry]));
  }
  if (!input.left_out.empty())
    plan.notes.push_back("new at the source and left out, as nonBreakingSchemaUpdatesBehavior " +
                         spec.value("nonBreakingSchemaUpdatesBehavior", "propagate_columns") +
                         " says: " + list_of(input.left_out) +
                         "; name them in the connection, or set propagate_fully, to take them");
  for (auto e : selection.unmatched) {
    if (is_pattern(entries[e]))
      plan.notes.push_back("no stream fits " + name_of(entries[e]).text());
    else
      plan.streams.push_back(
          failed_plan(input, name_of(entries[e]),
                      failure_of_code("stream.not_found", "the source has no stream " + name_of(entries[e]).text())));
  }
  for (auto e : selection.ambiguous)
    plan.streams.push_back(
        failed_plan(input, name_of(entries[e]),
                    failure_of_code("stream.ambiguous", "several namespaces have a stream " + entries[e].name)));
  // Judged over all streams of the connection, also those that this job leaves out: they share the tables.
  refuse_collisions(plan.streams);
  take_states(plan.streams, input.states);
  if (input.states_stand)
    for (StreamPlan& stream : plan.streams)
      if (connectors::is_incremental(stream.target.sync_mode)) stream.state_job = input.job_id - 1;
  if (!input.only.empty()) {
    std::vector<StreamPlan> wanted;
    for (const auto& name : input.only) {
      const auto it = std::find_if(plan.streams.begin(), plan.streams.end(),
                                   [&](const auto& s) { return s.target.source_name == name; });
      if (it != plan.streams.end())
        wanted.push_back(*it);
      else
        wanted.push_back(failed_plan(
            input, name, failure_of_code("stream.not_found", "the connection has no stream " + name.text())));
    }
    plan.streams = std::move(wanted);
  }
  return plan;
}

std::string to_json(const SyncPlan& plan) {
  json out = {{"streams", json::array()}};
  for (const auto& s : plan.streams) {
    json one = {{"target", json::parse(connectors::to_json(s.target))}};
    if (!s.state.empty()) one["state"] = s.state;
    if (s.state_job != 0) one["stateJob"] = s.state_job;
    if (s.rows_estimate >= 0) one["rowsEstimate"] = s.rows_estimate;
    if (s.failure) one["failure"] = failure_json(*s.failure);
    out["streams"].push_back(std::move(one));
  }
  if (!plan.notes.empty()) out["notes"] = plan.notes;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

SyncPlan sync_plan_from_json(const std::string& text) {
  SyncPlan plan;
  const json value = json::parse(text);
  for (const auto& one : value.at("streams")) {
    StreamPlan s;
    s.target = connectors::stream_target_from_json(one.at("target").dump());
    s.state = one.value("state", "");
    s.state_job = one.value("stateJob", std::int64_t{0});
    s.rows_estimate = one.value("rowsEstimate", std::int64_t{-1});
    if (one.contains("failure")) s.failure = failure_from_view(one["failure"]);
    plan.streams.push_back(std::move(s));
  }
  plan.notes = value.value("notes", std::vector<std::string>());
  return plan;
}

}  // namespace millrace::workflows
