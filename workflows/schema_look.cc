#include "workflows/schema_look.h"

#include <map>

#include "resources/stream_selection.h"
#include "workflows/schema_changes.h"

namespace millrace::workflows {

using nlohmann::json;

asio::awaitable<SchemaLook> look_at_schemas(engine::StepContext& ctx, ResourcesPtr resources, JobInput job,
                                            connectors::Catalog catalog) {
  SchemaLook out;
  const auto known = co_await resources->stream_schemas(job.connection.id);
  if (known.empty()) co_return out;
  const auto connection =
      co_await resources->get_revision(resources::Kind::connection, job.connection.id, job.connection.revision);
  const json spec = json::parse(connection.spec);
  const std::string policy = spec.value("nonBreakingSchemaUpdatesBehavior", "propagate_columns");
  const auto entries = resources::stream_entries(spec);
  std::vector<connectors::StreamName> names;
  for (const auto& stream : catalog.streams) names.push_back(stream.name);
  std::map<connectors::StreamName, resources::StreamMatch> matches;
  for (const auto& match : resources::select_streams(entries, names).matches) matches[names[match.stream]] = match;

  for (const auto& schema : known) {
    const auto at = matches.find(schema.stream);
    if (at == matches.end()) continue;
    const auto& stream = catalog.streams[at->second.stream];
    const auto changes = changes_of(schema, stream, entries[at->second.entry].selected_fields, policy, job.job_id);
    if (changes.empty()) continue;
    bool stops = false;
    for (const auto& change : changes) {
      stops = stops || change.decision == "stop";
      ctx.log(LogLevel::warn, schema.stream.text() + ": " + describe(change) + " at the source: " + change.decision);
    }
    json one = name_json(schema.stream);
    one["changes"] = to_json(changes);
    out.changes.push_back(std::move(one));
    if (!stops) continue;
    out.stops = true;
    if (job.options.dry_run || schema.stopped_job == job.job_id) continue;
    resources::StreamSchema kept = schema;
    kept.stopped_job = job.job_id;
    kept.stopped = resources::fields_of(stream.schema);
    co_await resources->put_stream_schema(job.connection.id, kept);
  }
  if (out.stops && !job.options.dry_run) {
    const resources::Principal principal("nonBreakingSchemaUpdatesBehavior");
    co_await resources->deactivate(job.connection.id, principal);
  }
  co_return out;
}

}  // namespace millrace::workflows
