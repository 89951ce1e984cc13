#include "workflows/job_input.h"

#include <nlohmann/json.hpp>

namespace millrace::workflows {

using nlohmann::json;

namespace {

json at_json(const ResourceAt& at) { return {{"id", at.id}, {"revision", at.revision}}; }

ResourceAt at_from_json(const json& value, const char* field) {
  ResourceAt at;
  if (!value.contains(field)) return at;
  at.id = value[field].value("id", "");
  at.revision = value[field].value("revision", std::int64_t{0});
  return at;
}

}  // namespace

json replay_json(const ReplayOf& replay) {
  json out = {{"mode", replay.mode},    {"jobId", replay.job_id},        {"workflowId", replay.workflow_id},
              {"runId", replay.run_id}, {"principal", replay.principal}, {"reason", replay.reason},
              {"time", replay.time}};
  if (replay.event_id != 0) out["eventId"] = replay.event_id;
  if (!replay.step.empty()) out["step"] = replay.step;
  return out;
}

namespace {

ReplayOf replay_from_json(const json& value) {
  ReplayOf replay;
  replay.mode = value.value("mode", "");
  replay.job_id = value.value("jobId", std::int64_t{0});
  replay.workflow_id = value.value("workflowId", "");
  replay.run_id = value.value("runId", "");
  replay.event_id = value.value("eventId", std::int64_t{0});
  replay.step = value.value("step", "");
  replay.principal = value.value("principal", "");
  replay.reason = value.value("reason", "");
  replay.time = value.value("time", "");
  return replay;
}

}  // namespace

json name_json(const connectors::StreamName& name) { return {{"namespace", name.ns}, {"name", name.name}}; }

connectors::StreamName name_from_json(const json& value) {
  return connectors::StreamName(value.value("namespace", ""), value.value("name", ""));
}

std::string to_json(const JobInput& input) {
  json out = {{"jobId", input.job_id}, {"jobType", input.job_type}};
  if (!input.connection.id.empty()) out["connection"] = at_json(input.connection);
  if (!input.source.id.empty()) out["source"] = at_json(input.source);
  if (!input.destination.id.empty()) out["destination"] = at_json(input.destination);
  if (!input.connector.empty()) out["connector"] = input.connector;
  for (const auto& name : input.streams) out["streams"].push_back(name_json(name));
  for (const auto& target : input.targets) out["targets"].push_back(json::parse(target));
  json options = json::object();
  if (input.options.streams_parallel != 0) options["streamsParallel"] = input.options.streams_parallel;
  if (input.options.splits_parallel != 0) options["splitsParallel"] = input.options.splits_parallel;
  if (input.options.rows_per_split != 0) options["rowsPerSplit"] = input.options.rows_per_split;
  if (input.options.adopt) options["adopt"] = true;
  if (input.options.keep) options["keep"] = true;
  if (input.options.dry_run) options["dryRun"] = true;
  if (!input.options.from.empty()) options["from"] = input.options.from;
  if (!input.options.to.empty()) options["to"] = input.options.to;
  if (!input.options.field.empty()) options["field"] = input.options.field;
  if (!input.options.filter.empty()) options["filter"] = input.options.filter;
  if (!options.empty()) out["options"] = options;
  if (!input.replay.mode.empty()) out["replay"] = replay_json(input.replay);
  if (!input.states.empty()) out["states"] = json::parse(input.states);
  if (input.of_job != 0) out["ofJob"] = input.of_job;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

JobInput job_input_from_json(const std::string& text) {
  const json value = json::parse(text);
  JobInput input;
  input.job_id = value.value("jobId", std::int64_t{0});
  input.job_type = value.value("jobType", "");
  input.connection = at_from_json(value, "connection");
  input.source = at_from_json(value, "source");
  input.destination = at_from_json(value, "destination");
  input.connector = value.value("connector", "");
  for (const auto& name : value.value("streams", json::array())) input.streams.push_back(name_from_json(name));
  for (const auto& target : value.value("targets", json::array())) input.targets.push_back(target.dump());
  input.of_job = value.value("ofJob", std::int64_t{0});
  const json options = value.value("options", json::object());
  input.options.streams_parallel = options.value("streamsParallel", std::size_t{0});
  input.options.splits_parallel = options.value("splitsParallel", std::size_t{0});
  input.options.rows_per_split = options.value("rowsPerSplit", std::int64_t{0});
  input.options.adopt = options.value("adopt", false);
  input.replay = replay_from_json(value.value("replay", json::object()));
  if (value.contains("states")) input.states = value["states"].dump();
  input.options.keep = options.value("keep", false);
  input.options.dry_run = options.value("dryRun", false);
  input.options.from = options.value("from", "");
  input.options.to = options.value("to", "");
  input.options.field = options.value("field", "");
  input.options.filter = options.value("filter", "");
  return input;
}

}  // namespace millrace::workflows
