#include "workflows/sync_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "resources/stream_selection.h"
#include "workflows/follow_plan.h"
#include "workflows/job_input.h"
#include "workflows/stream_failure.h"
#include "workflows/stream_planner.h"

namespace millrace::workflows {
namespace {

using connectors::Schema;
using connectors::Stream;
using connectors::StreamName;
using nlohmann::json;
using resources::StreamEntry;

// Where each incremental stream's last job ended.
void take_states(std::vector<StreamPlan>& streams, const std::string& states) {
  if (states.empty()) return;
  for (const auto& one : json::parse(states)) {
    const StreamName name = name_from_json(one);
    for (StreamPlan& plan : streams) {
      if (plan.target.source_name != name) continue;
      if (plan.follow)
        plan.follow->loaded =
            one.contains("state") && one["state"].is_object() && one["state"].value("state_type", "") == "cdc";
      if (!connectors::is_incremental(plan.target.sync_mode)) continue;
      if (plan.state_job != 0) continue;  // a refresh or backfill: no earlier job's state counts
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
    if (s.bytes_estimate >= 0) one["bytesEstimate"] = s.bytes_estimate;
    if (s.failure) one["failure"] = failure_json(*s.failure);
    json read = json::object();
    if (s.read_schema) read["schema"] = json::parse(connectors::to_json(*s.read_schema));
    if (!s.read_key.empty()) read["primaryKey"] = s.read_key;
    if (!s.read_cursor.empty()) read["cursorField"] = s.read_cursor;
    if (s.read_mode) read["syncMode"] = connectors::to_string(*s.read_mode);
    if (!s.filter.empty()) read["filter"] = s.filter;
    if (s.limit != 0) read["limit"] = s.limit;
    if (!read.empty()) one["read"] = std::move(read);
    if (!s.mappers.empty()) one["mappers"] = json::parse(s.mappers);
    if (s.strict) one["strict"] = true;
    if (s.raw) one["raw"] = true;
    if (!s.notes.empty()) one["notes"] = s.notes;
    if (!s.changes.empty()) one["changes"] = to_json(s.changes);
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
    s.bytes_estimate = one.value("bytesEstimate", std::int64_t{-1});
    if (one.contains("failure")) s.failure = failure_from_view(one["failure"]);
    const json read = one.value("read", json::object());
    if (read.contains("schema"))
      s.read_schema = std::make_shared<const connectors::Schema>(connectors::schema_from_json(read["schema"].dump()));
    s.read_key = read.value("primaryKey", std::vector<std::string>());
    s.read_cursor = read.value("cursorField", std::vector<std::string>());
    if (read.contains("syncMode")) s.read_mode = connectors::parse_sync_mode(read["syncMode"].get<std::string>());
    s.filter = read.value("filter", "");
    s.limit = read.value("limit", std::int64_t{0});
    if (one.contains("mappers")) s.mappers = one["mappers"].dump();
    s.strict = one.value("strict", false);
    s.raw = one.value("raw", false);
    s.notes = one.value("notes", std::vector<std::string>());
    s.changes = schema_changes_from_json(one.value("changes", json::array()));
    plan.streams.push_back(std::move(s));
  }
  plan.notes = value.value("notes", std::vector<std::string>());
  return plan;
}

}  // namespace millrace::workflows
