// The steps clear, undo and preview. A stream's failure is its own; one that may pass makes the step fail retryably,
// and the next attempt does again what was done, which changes nothing.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "common/errors.h"
#include "resources/stream_selection.h"
#include "workflows/steps.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using connectors::Destination;
using connectors::OwnedTable;
using connectors::StreamName;
using connectors::StreamTarget;
using nlohmann::json;

namespace {

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

asio::awaitable<void> close_destination(std::shared_ptr<Destination> destination) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await destination->close();
  } catch (const std::exception& e) {
    log_debug("closing a destination failed", {{"error", e.what()}});
  }
}

// What the step has come to so far.
struct Outcome {
  json streams = json::array();
  std::optional<engine::Failure> retryable;

  void fail(json one, engine::Failure failure) {
    if (!retryable && failure.retryable) retryable = failure;
    one["status"] = "failed";
    one["failure"] = failure_json(failure);
    streams.push_back(std::move(one));
  }
  engine::Payload finish(const engine::StepContext& ctx) const {
    if (retryable && !ctx.is_last_attempt()) throw engine::FailureError(*retryable);
    return dump({{"streams", streams}});
  }
};

bool same_stream(const StreamName& wanted, const StreamName& name) {
  return wanted.name == name.name && (wanted.ns.empty() || wanted.ns == name.ns);
}

// The tables to clear, by stream; a stream without a table is there with none.
struct ToClear {
  StreamName name;
  std::vector<OwnedTable> tables;
  bool known = true;
};

std::vector<ToClear> choose(const JobInput& job, const json& connection, const std::vector<OwnedTable>& owned,
                            const std::vector<resources::StreamState>& states) {
  std::vector<StreamName> names;
  const auto add = [&](const StreamName& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const auto& table : owned) add(table.stream);
  for (const auto& state : states) add(state.stream);
  std::vector<ToClear> out;
  const auto take = [&](const StreamName& name) {
    ToClear one;
    one.name = name;
    for (const auto& table : owned)
      if (table.stream == name) one.tables.push_back(table);
    out.push_back(std::move(one));
  };
  if (job.streams.empty()) {
    for (const auto& name : names) take(name);
    return out;
  }
  const auto entries = resources::stream_entries(connection);
  for (const auto& wanted : job.streams) {
    const auto before = out.size();
    for (const auto& name : names)
      if (same_stream(wanted, name)) take(name);
    if (out.size() > before) continue;
    take(wanted);
    out.back().known = !resources::select_streams(entries, {wanted}).matches.empty();
  }
  return out;
}

asio::awaitable<std::int64_t> clear_one(std::shared_ptr<Destination> destination, JobInput job, ToClear stream) {
  StreamTarget target;
  target.connection_id = job.connection.id;
  target.source_name = stream.name;
  target.schema = std::make_shared<const connectors::Schema>();
  target.sync_mode = connectors::SyncMode::full_refresh_append;
  target.generation = target.load_id = job.job_id;
  std::int64_t rows = 0;
  if (stream.tables.empty()) rows = co_await destination->clear(target);
  for (const auto& table : stream.tables) {
    target.ns = table.ns;
    target.name = table.name;
    rows += co_await destination->clear(target);
  }
  co_return rows;
}

// The next job of the stream starts from `state` (JSON; empty: from nothing).
asio::awaitable<void> put_state(ResourcesPtr resources, std::string connection_id, StreamName name, std::string state,
                                std::int64_t job, WallTime now) {
  resources::StreamState s;
  s.stream = std::move(name);
  s.state = std::move(state);
  s.job = job;
  s.author = "job";
  s.time = now;
  co_await resources->put_stream_state(std::move(connection_id), std::move(s));
}

// An undone load was the newest: the next job starts from where that one started.
asio::awaitable<void> state_before(ResourcesPtr resources, JobInput job, StreamName name, WallTime now) {
  const auto history = co_await resources->stream_state_history(job.connection.id, name);
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history[i].job != job.of_job || history[i].author != "job") continue;
    const std::string state = i + 1 < history.size() ? history[i + 1].state : "";
    co_await put_state(resources, job.connection.id, name, state, job.job_id, now);
    co_return;
  }
}

}  // namespace

asio::awaitable<engine::Payload> clear_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  const Endpoints endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  std::shared_ptr<Destination> destination = endpoints.make_destination();
  const auto states = co_await resources->stream_states(job.connection.id);
  Outcome outcome;
  std::exception_ptr error;
  try {
    const auto owned = co_await destination->owned_tables(job.connection.id);
    for (const auto& stream : choose(job, value.value("connection", json::object()), owned, states)) {
      json one = name_json(stream.name);
      std::exception_ptr failed;
      try {
        if (!stream.known) throw Error("stream.not_found", "the connection has no stream " + stream.name.text());
        one["rowsRemoved"] = co_await clear_one(destination, job, stream);
      } catch (...) {
        failed = std::current_exception();
      }
      if (is_cancelled(failed)) std::rethrow_exception(failed);
      if (failed) {
        outcome.fail(std::move(one), engine::failure_from_exception(failed));
        continue;
      }
      const bool had =
          std::any_of(states.begin(), states.end(), [&](const auto& s) { return s.stream == stream.name; });
      if (had) co_await put_state(resources, job.connection.id, stream.name, "", job.job_id, ctx.runtime().now());
      ctx.log(LogLevel::info, stream.name.text() + ": cleared, " + one["rowsRemoved"].dump() + " rows removed");
      one["status"] = "complete";
      outcome.streams.push_back(std::move(one));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await close_destination(destination);
  if (error) std::rethrow_exception(error);
  co_return outcome.finish(ctx);
}

asio::awaitable<engine::Payload> undo_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  const Endpoints endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  std::shared_ptr<Destination> destination = endpoints.make_destination();
  Outcome outcome;
  std::exception_ptr error;
  try {
    for (const auto& text : job.targets) {
      StreamTarget target = connectors::stream_target_from_json(text);
      target.generation = job.job_id;
      json one = name_json(target.source_name);
      std::exception_ptr failed;
      connectors::TakenBack back;
      try {
        back = co_await destination->undo(target, job.of_job);
      } catch (...) {
        failed = std::current_exception();
      }
      if (is_cancelled(failed)) std::rethrow_exception(failed);
      if (failed) {
        outcome.fail(std::move(one), engine::failure_from_exception(failed));
        continue;
      }
      if (back.newest) co_await state_before(resources, job, target.source_name, ctx.runtime().now());
      for (const auto& note : back.notes) ctx.log(LogLevel::info, target.source_name.text() + ": " + note);
      one["rowsRemoved"] = back.rows;
      if (!back.notes.empty()) one["notes"] = back.notes;
      one["status"] = "complete";
      outcome.streams.push_back(std::move(one));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await close_destination(destination);
  if (error) std::rethrow_exception(error);
  co_return outcome.finish(ctx);
}

asio::awaitable<engine::Payload> preview_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  const SyncPlan plan = sync_plan_from_json(value.at("plan").dump());
  const Endpoints endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  std::shared_ptr<Destination> destination = endpoints.make_destination();
  Outcome outcome;
  std::exception_ptr error;
  try {
    for (const auto& stream : plan.streams) {
      const StreamTarget& target = stream.target;
      json one = name_json(target.source_name);
      if (stream.failure) {
        outcome.fail(std::move(one), *stream.failure);
        continue;
      }
      const auto preview = co_await destination->preview(target);
      one["status"] = "planned";
      one["syncMode"] = connectors::to_string(target.sync_mode);
      one["destination"] = {{"namespace", target.ns}, {"name", target.name}};
      one["action"] = preview.action;
      one["changes"] = preview.changes;
      if (!preview.problems.empty()) one["problems"] = preview.problems;
      if (stream.rows_estimate >= 0) one["rowsEstimate"] = stream.rows_estimate;
      if (stream.bytes_estimate >= 0) one["bytesEstimate"] = stream.bytes_estimate;
      if (!stream.changes.empty()) one["schemaChanges"] = to_json(stream.changes);
      if (!stream.filter.empty()) one["filter"] = stream.filter;
      if (!stream.state.empty()) one["startsFrom"] = json::parse(stream.state);
      outcome.streams.push_back(std::move(one));
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await close_destination(destination);
  if (error) std::rethrow_exception(error);
  json out = {{"streams", outcome.streams}};
  if (!plan.notes.empty()) out["notes"] = plan.notes;
  co_return dump(out);
}

}  // namespace millrace::workflows
