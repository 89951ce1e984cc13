// The steps that look and change nothing: get_spec, check, discover.
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "resources/known_streams.h"
#include "workflows/queue_defaults.h"
#include "workflows/schema_look.h"
#include "workflows/steps.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;

namespace {

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// Closes what a step has opened, whatever it ended with.
template <class EndPtr>
asio::awaitable<void> close_end(EndPtr end) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await end->close();
  } catch (const std::exception& e) {
    log_debug("closing a connector failed", {{"error", e.what()}});
  }
}

json check_json(const connectors::CheckResult& result) {
  json out = {{"status", result.ok ? "succeeded" : "failed"}};
  if (!result.ok) {
    out["code"] = result.code;
    out["message"] = result.message;
    out["remedy"] = result.remedy;
  }
  if (!result.warnings.empty()) out["warnings"] = result.warnings;
  return out;
}

asio::awaitable<json> check_end(engine::StepContext& ctx, ResourcesPtr resources, Kind kind, ResourceAt at) {
  const auto resource = co_await resources->get_revision(kind, at.id, at.revision);
  const auto& connector = resources->connector_of(resource);
  const std::string configuration = co_await resources->configuration_with_secrets(kind, at.id, at.revision);
  std::exception_ptr error;
  connectors::CheckResult result;
  if (kind == Kind::source) {
    std::shared_ptr<connectors::Source> source = connector.make_source(ctx.runtime(), configuration);
    try {
      result = co_await source->check();
    } catch (...) {
      error = std::current_exception();
    }
    co_await close_end(source);
  } else {
    std::shared_ptr<connectors::Destination> destination = connector.make_destination(ctx.runtime(), configuration);
    try {
      result = co_await destination->check();
    } catch (...) {
      error = std::current_exception();
    }
    co_await close_end(destination);
  }
  if (error) std::rethrow_exception(error);
  ctx.log(result.ok ? LogLevel::info : LogLevel::error, std::string(to_string(kind)) + " \"" + resource.name +
                                                            "\": " + (result.ok ? "check succeeded" : result.message));
  for (const auto& warning : result.warnings)
    ctx.log(LogLevel::warn, std::string(to_string(kind)) + " \"" + resource.name + "\": " + warning);
  co_return check_json(result);
}

// A failed check as a failure of its own code, retried where the catalogue says that waiting may help.
[[noreturn]] void throw_check(const char* end, const json& check) {
  engine::Failure failure;
  failure.type = check.value("code", "internal");
  failure.message = std::string(end) + ": " + check.value("message", "the check failed");
  failure.retryable = !is_known_error(failure.type) || error_info(failure.type).kind != ErrorKind::config;
  failure.details = dump({{"remedy", check.value("remedy", "")}, {"detail", check.value("message", "")}});
  throw engine::FailureError(std::move(failure));
}

asio::awaitable<json> spec_of(ResourcesPtr resources, Kind kind, ResourceAt at) {
  const auto resource = co_await resources->get_revision(kind, at.id, at.revision);
  const auto& connector = resources->connector_of(resource);
  json out = {{"connector", connector.name},
              {"definitionId", connector.definition_id_of(kind == Kind::source)},
              {"title", connector.title},
              {"name", resource.name},
              {"revision", resource.revision}};
  if (kind == Kind::source && connector.pushes_filters) out["pushesFilters"] = true;
  const json spec = json::parse(resource.spec);
  const std::string key = host_key(to_string(kind), spec.value("configuration", json::object()).dump());
  if (!key.empty()) out["limitKey"] = key;
  co_return out;
}

// The destination's own namespace: its configuration's `schema`, or the default that its specification gives that
// field.
std::string default_namespace(const connectors::Connector& connector, const resources::Resource& destination) {
  const json spec = json::parse(destination.spec);
  const json configuration = spec.value("configuration", json::object());
  if (configuration.contains("schema") && configuration["schema"].is_string()) return configuration["schema"];
  const json schema = json::parse(connector.destination_spec);
  const json::json_pointer at("/properties/schema/default");
  return schema.contains(at) && schema[at].is_string() ? schema[at].get<std::string>() : std::string();
}

}  // namespace

asio::awaitable<Endpoints> make_endpoints(Runtime runtime, ResourcesPtr resources, JobInput job) {
  Endpoints ends;
  if (!job.source.id.empty()) {
    const auto source = co_await resources->get_revision(Kind::source, job.source.id, job.source.revision);
    const auto* connector = &resources->connector_of(source);
    const std::string configuration =
        co_await resources->configuration_with_secrets(Kind::source, job.source.id, job.source.revision);
    ends.make_source = [connector, runtime, configuration] { return connector->make_source(runtime, configuration); };
  }
  if (!job.destination.id.empty()) {
    const auto destination =
        co_await resources->get_revision(Kind::destination, job.destination.id, job.destination.revision);
    const auto* connector = &resources->connector_of(destination);
    const std::string configuration =
        co_await resources->configuration_with_secrets(Kind::destination, job.destination.id, job.destination.revision);
    ends.make_destination = [connector, runtime, configuration] {
      return connector->make_destination(runtime, configuration);
    };
  }
  co_return ends;
}

asio::awaitable<engine::Payload> get_spec_step(engine::StepContext& ctx, engine::Payload input,
                                               ResourcesPtr resources) {
  const JobInput job = job_input_from_json(input);
  json out = json::object();
  if (!job.connector.empty()) {
    const auto* connector = resources->registry().by_name(job.connector);
    if (!connector) throw Error("resource.unknown_reference", "there is no connector \"" + job.connector + "\"");
    out = {{"name", connector->name}, {"definitionId", connector->definition_id}, {"title", connector->title}};
    if (!connector->source_spec.empty()) out["sourceSpecification"] = json::parse(connector->source_spec);
    if (!connector->destination_spec.empty())
      out["destinationSpecification"] = json::parse(connector->destination_spec);
    ctx.log(LogLevel::info, "specification of " + connector->name);
    co_return dump(out);
  }
  if (!job.source.id.empty()) out["source"] = co_await spec_of(resources, Kind::source, job.source);
  if (!job.destination.id.empty()) {
    out["destination"] = co_await spec_of(resources, Kind::destination, job.destination);
    const auto destination =
        co_await resources->get_revision(Kind::destination, job.destination.id, job.destination.revision);
    out["defaultNamespace"] = default_namespace(resources->connector_of(destination), destination);
  }
  if (!job.connection.id.empty()) {
    const auto connection =
        co_await resources->get_revision(Kind::connection, job.connection.id, job.connection.revision);
    out["connection"] = json::parse(connection.spec);
    out["connectionName"] = connection.name;
    // Where each stream's job starts from: in the history from here on, so that a re-run starts there too.
    json states = json::array();
    if (!job.states.empty()) {
      states = json::parse(job.states);
    } else {
      const auto kept = co_await resources->stream_states(job.connection.id);
      for (const auto& s : kept) {
        json one = name_json(s.stream);
        one["job"] = s.job;
        one["state"] = s.state.empty() ? json() : json::parse(s.state);
        states.push_back(std::move(one));
      }
    }
    if (!states.empty()) out["states"] = std::move(states);
    ctx.log(LogLevel::info, "connection \"" + connection.name + "\", revision " + std::to_string(connection.revision) +
                                ": " + out["source"].value("connector", "") + " to " +
                                out["destination"].value("connector", ""));
  }
  co_return dump(out);
}

asio::awaitable<engine::Payload> check_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const JobInput job = job_input_from_json(input);
  const bool answer = job.job_type == "check";
  json out = json::object();
  if (!job.source.id.empty()) {
    out["source"] = co_await check_end(ctx, resources, Kind::source, job.source);
    if (!answer && out["source"]["status"] != "succeeded") throw_check("source", out["source"]);
  }
  if (!job.destination.id.empty()) {
    out["destination"] = co_await check_end(ctx, resources, Kind::destination, job.destination);
    if (!answer && out["destination"]["status"] != "succeeded") throw_check("destination", out["destination"]);
  }
  co_return dump(out);
}

asio::awaitable<engine::Payload> discover_step(engine::StepContext& ctx, engine::Payload input,
                                               ResourcesPtr resources) {
  const JobInput job = job_input_from_json(input);
  const auto resource = co_await resources->get_revision(Kind::source, job.source.id, job.source.revision);
  const auto& connector = resources->connector_of(resource);
  const std::string configuration =
      co_await resources->configuration_with_secrets(Kind::source, job.source.id, job.source.revision);
  std::shared_ptr<connectors::Source> source = connector.make_source(ctx.runtime(), configuration);
  std::exception_ptr error;
  connectors::Catalog catalog;
  try {
    catalog = co_await source->discover();
  } catch (...) {
    error = std::current_exception();
  }
  co_await close_end(source);
  if (error) std::rethrow_exception(error);
  ctx.log(LogLevel::info, "source \"" + resource.name + "\": " + std::to_string(catalog.streams.size()) + " streams");
  if (job.connection.id.empty()) co_return connectors::to_json(catalog);

  // A job of a connection also learns which streams its patterns meet for the first time, and what has changed.
  resources::NewStreams found;
  if (!job.options.dry_run) {
    std::vector<connectors::StreamName> names;
    for (const auto& stream : catalog.streams) names.push_back(stream.name);
    found = co_await resources->new_streams(job.connection.id, job.connection.revision, std::move(names), job.job_id);
  }
  for (const auto& name : found.taken) ctx.log(LogLevel::info, name.text() + " is new, and taken");
  const auto changed = co_await look_at_schemas(ctx, resources, job, catalog);
  if (found.left_out.empty() && changed.changes.empty()) co_return connectors::to_json(catalog);
  json out = json::parse(connectors::to_json(catalog));
  for (const auto& name : found.left_out) out["leftOut"].push_back(name_json(name));
  if (!changed.changes.empty()) out["changes"] = changed.changes;
  if (found.disable || changed.stops) out["disabled"] = true;
  co_return dump(out);
}

}  // namespace millrace::workflows
