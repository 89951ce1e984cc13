// The step normalize: the final table of each stream that is loaded. A stream that was published before is left alone,
// so that the step may be run again at any time.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/mapper.h"
#include "workflows/job_starts.h"
#include "workflows/steps.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;

namespace {

asio::awaitable<json> publish_one(engine::StepContext& ctx, std::shared_ptr<connectors::Destination> destination,
                                  connectors::StreamTarget target) {
  json out = name_json(target.source_name);
  std::exception_ptr error;
  connectors::PublishResult result;
  try {
    result = co_await destination->publish(target);
  } catch (...) {
    error = std::current_exception();
  }
  if (is_cancelled(error)) std::rethrow_exception(error);
  const std::string name = scope_of(target.source_name);
  if (error) {
    const auto failure = engine::failure_from_exception(error);
    ctx.log(LogLevel::error, name + ": " + failure.message);
    out["failure"] = failure_json(failure);
    co_return out;
  }
  out["rows"] = result.rows;
  out["alreadyDone"] = result.already_done;
  if (!result.notes.empty()) out["notes"] = result.notes;
  ctx.log(LogLevel::info, name + (result.already_done ? ": was published before"
                                                      : ": published, " + std::to_string(result.rows) + " rows"));
  for (const auto& note : result.notes) ctx.log(LogLevel::info, name + ": " + note);
  co_return out;
}

// What the destination has taken of the stream: what the next job's look at the source is compared with.
resources::StreamSchema schema_taken(const connectors::StreamTarget& given) {
  const bool raw = !given.typed.empty();
  const connectors::StreamTarget target =
      raw ? connectors::stream_target_from_json(json::parse(given.typed).at("target").dump()) : given;
  resources::StreamSchema out;
  out.stream = target.source_name;
  out.job = target.generation;
  out.key = target.source_key;
  for (const auto& field : target.schema->fields) {
    if (field.name == connectors::kErrorsField) continue;
    resources::KnownField known;
    known.id = field.source_id;
    known.name = field.source_name.empty() ? field.name : field.source_name;
    known.column = field.name;
    known.type = field.source_type.empty() ? field.type.pg_type : field.source_type;
    out.fields.push_back(std::move(known));
  }
  return out;
}

// Where the next job of each published stream starts from. The destination holds the same since the publication itself:
// a job that ends before this is done loses nothing.
asio::awaitable<void> keep_states(ResourcesPtr resources, std::string connection_id,
                                  std::vector<connectors::StreamTarget> targets, std::string result, WallTime now) {
  const json streams = json::parse(result).at("streams");
  for (const auto& target : targets) {
    const auto failed = [&](const json& one) {
      return one.contains("failure") && name_from_json(one) == target.source_name;
    };
    if (std::any_of(streams.begin(), streams.end(), failed)) continue;
    co_await resources->put_stream_schema(connection_id, schema_taken(target));
    if (target.state.empty() || target.keep_state) continue;
    resources::StreamState state;
    state.stream = target.source_name;
    state.state = target.state;
    state.job = target.generation;
    state.author = "job";
    state.time = now;
    co_await resources->put_stream_state(connection_id, std::move(state));
  }
}

}  // namespace

asio::awaitable<engine::Payload> run_normalize(engine::StepContext& ctx, std::shared_ptr<const Endpoints> endpoints,
                                               std::vector<connectors::StreamTarget> targets, bool complete) {
  std::shared_ptr<connectors::Destination> destination = endpoints->make_destination();
  json out = {{"streams", json::array()}};
  std::optional<engine::Failure> retryable;
  std::exception_ptr error;
  try {
    for (const auto& target : targets) {
      ctx.heartbeat(out.dump(-1, ' ', false, json::error_handler_t::replace));
      json one = co_await publish_one(ctx, destination, target);
      if (one.contains("failure")) {
        complete = false;
        if (!retryable && one["failure"].value("retryable", false)) retryable = failure_from_view(one["failure"]);
      }
      out["streams"].push_back(std::move(one));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await destination->close();
  } catch (const std::exception& e) {
    log_debug("closing a destination failed", {{"error", e.what()}});
  }
  if (error) std::rethrow_exception(error);
  if (retryable && !ctx.is_last_attempt()) throw engine::FailureError(*retryable);
  if (complete) set_last_success(endpoints->connection_name, ctx.runtime().now());
  co_return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

asio::awaitable<engine::Payload> normalize_step(engine::StepContext& ctx, engine::Payload input,
                                                ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  std::vector<connectors::StreamTarget> targets;
  for (const auto& target : value.at("targets")) targets.push_back(connectors::stream_target_from_json(target.dump()));
  auto endpoints = std::make_shared<Endpoints>();
  *endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  endpoints->connection_name = value.value("connectionName", job.connection.id);
  std::shared_ptr<const Endpoints> ends = endpoints;
  const auto published = targets;
  const engine::Payload result = co_await run_normalize(ctx, ends, std::move(targets), value.value("complete", false));
  co_await keep_states(resources, job.connection.id, published, result, ctx.runtime().now());
  co_return result;
}

}  // namespace millrace::workflows
