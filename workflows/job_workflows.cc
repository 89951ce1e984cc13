#include "workflows/job_workflows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/schema.h"
#include "resources/stream_selection.h"
#include "workflows/follow_plan.h"
#include "workflows/job_input.h"
#include "workflows/queue_defaults.h"
#include "workflows/stream_failure.h"
#include "workflows/stream_outcomes.h"
#include "workflows/sync_plan.h"

namespace millrace::workflows {

using engine::Context;
using engine::Payload;
using engine::StepOptions;
using engine::Workflow;
using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// For steps that look and change nothing.
StepOptions look_options(Duration at_most) {
  StepOptions options;
  options.retry.initial_interval = seconds(1);
  options.retry.maximum_interval = seconds(30);
  options.retry.maximum_attempts_without_progress = 5;
  options.timeouts.start_to_close = at_most;
  return options;
}

// For steps that move data: as long as they take, but never silent. Deaths of the process don't count, progress counts
// anew.
StepOptions work_options() {
  StepOptions options;
  options.retry.initial_interval = seconds(1);
  options.retry.maximum_interval = minutes(1);
  options.retry.maximum_attempts_without_progress = 5;
  options.timeouts.heartbeat = minutes(1);
  return options;
}

// Loads take turns by connection, and are counted by the hosts they load.
StepOptions queued(StepOptions options, const JobInput& job, const json& spec) {
  options.queue = kSyncQueue;
  options.fairness_key = job.connection.id;
  for (const char* end : {"source", "destination"})
    if (const std::string key = spec.value(end, json::object()).value("limitKey", ""); !key.empty())
      options.limit_keys.push_back(key);
  return options;
}

// The short steps of a job, in the engine's own queue.
StepOptions of_connection(StepOptions options, const JobInput& job) {
  options.fairness_key = job.connection.id;
  return options;
}

// publish() of one table may wait for a lock or build a key: it has no heartbeat inside.
StepOptions normalize_options() {
  StepOptions options = work_options();
  options.timeouts.heartbeat.reset();
  return options;
}

[[noreturn]] void fail_job(engine::Failure failure, const json& streams) {
  json details = failure.details.empty() ? json::object() : json::parse(failure.details, nullptr, false);
  if (!details.is_object()) details = json::object();
  details["partial"] = any_complete(streams);
  details["streams"] = streams;
  failure.details = dump(details);
  failure.retryable = false;
  throw engine::FailureError(std::move(failure));
}

Payload finish_job(json streams) {
  if (auto failure = first_failure(streams)) fail_job(std::move(*failure), streams);
  return dump({{"streams", std::move(streams)}});
}

// A raw stream's documents are typed anew, all of them, by the casts that its connection has now.
void type_anew(json& target, const json& connection) {
  const auto name = name_from_json(target.at("source"));
  const auto entries = resources::stream_entries(connection);
  for (const auto& match : resources::select_streams(entries, {name}).matches) {
    json casts = json::array();
    const auto& entry = entries[match.entry];
    if (!entry.mappers.empty())
      for (const auto& mapper : json::parse(entry.mappers))
        if (mapper["type"] == "cast") casts.push_back(mapper);
    target["typed"]["casts"] = std::move(casts);
  }
  target["typed"]["rebuild"] = true;
}

// New streams are told in the plan's notes, changed fields are in its input.
std::string why_stopped(const PlanInput& in, const SyncPlan& plan) {
  std::string out = in.left_out.empty() ? "" : plan.notes.front();
  for (const auto& [name, changes] : in.changes)
    for (const auto& change : changes)
      if (change.decision == "stop") out += (out.empty() ? "" : "; ") + name.text() + ": " + describe(change);
  return out;
}

PlanInput plan_input(const JobInput& job, const json& spec, const Payload& catalog, WallTime now) {
  PlanInput in;
  in.connection_id = job.connection.id;
  in.connection_spec = dump(spec.at("connection"));
  in.default_namespace = spec.value("defaultNamespace", "");
  in.catalog = connectors::catalog_from_json(catalog);
  in.only = job.streams;
  in.job_id = job.job_id;
  in.started_us = to_micros(now);
  in.connection_name = spec.value("connectionName", "");
  in.job_type = job.job_type;
  in.options = job.options;
  in.source_filters = spec.value("source", json::object()).value("pushesFilters", false);
  if (spec.contains("states")) in.states = dump(spec["states"]);
  in.states_stand = !job.states.empty();
  return in;
}

}  // namespace

Workflow<Payload> get_spec_workflow(Context& ctx, Payload input) {
  co_return co_await ctx.step("get_spec", std::move(input), look_options(minutes(1)));
}

Workflow<Payload> check_workflow(Context& ctx, Payload input) {
  co_return co_await ctx.step("check", std::move(input), look_options(minutes(5)));
}

Workflow<Payload> discover_workflow(Context& ctx, Payload input) {
  co_return co_await ctx.step("discover", std::move(input), look_options(minutes(30)));
}

namespace {

// Changes arrive for as long as they are wanted: a continuous job is tried without end.
StepOptions follow_options(bool continuous) {
  StepOptions options = work_options();
  if (continuous) options.retry.maximum_attempts_without_progress = 0;
  return options;
}

bool has_failed(const json& streams, const connectors::StreamName& name) {
  const json named = name_json(name);
  for (const auto& s : streams)
    if (name_from_json(s) == name_from_json(named) && s.value("status", "") == "failed") return true;
  return false;
}

bool is_schema_change(const engine::FailureError& e) { return e.failure().type == "cdc.schema_changed"; }

// What a round of a job has of its plan: streams to load (also those that can't be moved, which tell why), and those to
// follow afterwards.
struct Round {
  SyncPlan load;
  std::vector<StreamPlan> follow;
};

// `plan` has the streams that the job is about. All that were loaded before are followed with them: the connection has
// one position in the log, and nothing may be passed over.
Round split_plan(const SyncPlan& plan, const PlanInput& input) {
  Round round;
  round.load.notes = plan.notes;
  bool any = false;
  for (const auto& s : plan.streams) {
    const bool follows = s.follow && !s.failure;
    any = any || follows;
    if (!follows || !s.follow->loaded) round.load.streams.push_back(s);
    if (follows) round.follow.push_back(s);
  }
  if (!any || input.only.empty()) return round;
  PlanInput everything = input;
  everything.only.clear();
  for (auto& s : make_sync_plan(everything).streams) {
    const bool here = std::any_of(round.follow.begin(), round.follow.end(),
                                  [&](const StreamPlan& f) { return f.target.source_name == s.target.source_name; });
    if (!here && s.follow && !s.failure && s.follow->loaded) round.follow.push_back(std::move(s));
  }
  return round;
}

// Times that a job looks at the source again because a table got another shape while its log was read.
constexpr int kSchemaRounds = 20;

}  // namespace

Workflow<Payload> sync_workflow(Context& ctx, Payload input) {
  const JobInput job = job_input_from_json(input);
  const WallTime started = ctx.now();
  for (int round_number = 1;; ++round_number) {
    const json spec = json::parse(co_await ctx.step("get_spec", input, of_connection(look_options(minutes(1)), job)));
    co_await ctx.step("check", input, of_connection(look_options(minutes(5)), job));
    const Payload catalog = co_await ctx.step("discover", input, of_connection(look_options(minutes(30)), job));

    PlanInput in = plan_input(job, spec, catalog, started);
    const json discovered = json::parse(catalog);
    for (const auto& name : discovered.value("leftOut", json::array())) in.left_out.push_back(name_from_json(name));
    for (const auto& one : discovered.value("changes", json::array()))
      in.changes[name_from_json(one)] = schema_changes_from_json(one.at("changes"));
    const SyncPlan plan = make_sync_plan(in);
    if (discovered.value("disabled", false) && !job.options.dry_run)
      fail_job(failure_of_code("sync.schema_changed", why_stopped(in, plan)), json::array());
    if (plan.streams.empty())
      fail_job(failure_of_code("sync.no_streams", "no stream of the source fits the connection"), json::array());
    const std::string name = spec.value("connectionName", job.connection.id);
    if (job.options.dry_run) {
      json preview_input = {{"job", json::parse(input)}, {"plan", json::parse(to_json(plan))}};
      co_return co_await ctx.step("preview", dump(preview_input), of_connection(look_options(minutes(30)), job));
    }
    const Round round = split_plan(plan, in);
    json streams = json::array();
    if (!round.load.streams.empty()) {
      json sync_input = {
          {"job", json::parse(input)}, {"plan", json::parse(to_json(round.load))}, {"connectionName", name}};
      const json loaded = json::parse(co_await ctx.step("sync", dump(sync_input), queued(work_options(), job, spec)));
      streams = loaded.at("streams");
      if (loaded.at("targets").empty() && round.follow.empty()) co_return finish_job(std::move(streams));
      if (!loaded.at("targets").empty()) {
        json normalize_input = {{"job", json::parse(input)},
                                {"targets", loaded.at("targets")},
                                {"connectionName", name},
                                {"complete", !first_failure(streams).has_value()}};
        const json published =
            json::parse(co_await ctx.step("normalize", dump(normalize_input), queued(normalize_options(), job, spec)));
        apply_published(streams, published.at("streams"));
      }
    }
    json follow_input = {{"job", json::parse(input)}, {"connectionName", name}, {"streams", json::array()}};
    for (const auto& s : round.follow)
      if (!has_failed(streams, s.target.source_name)) follow_input["streams"].push_back(follow_json(s));
    if (follow_input["streams"].empty()) co_return finish_job(std::move(streams));

    const bool continuous =
        spec.at("connection").value("schedule", json::object()).value("scheduleType", "") == "continuous";
    follow_input["continuous"] = continuous;
    engine::Future followed =
        ctx.start_step("follow", dump(follow_input), queued(follow_options(continuous), job, spec));
    json told;
    bool again = false;
    try {
      told = json::parse(co_await followed);
    } catch (const engine::FailureError& e) {
      // A table has another shape than we looked at: look again, and go on from the position.
      if (!is_schema_change(e) || (!continuous && round_number >= kSchemaRounds)) throw;
      again = true;
    }
    // A history that has grown long is ended: the keeper (continuous.h) begins the next job where this one stands.
    if (!ctx.continue_as_new_suggested() && (again || told.value("reason", "end") == "round")) continue;
    if (again) co_return finish_job(std::move(streams));
    apply_followed(streams, told.at("streams"));
    co_return finish_job(std::move(streams));
  }
}

Workflow<Payload> normalize_workflow(Context& ctx, Payload input) {
  const JobInput job = job_input_from_json(input);
  const json spec = json::parse(co_await ctx.step("get_spec", input, of_connection(look_options(minutes(1)), job)));
  json normalize_input = {{"job", json::parse(input)},
                          {"targets", json::array()},
                          {"connectionName", spec.value("connectionName", job.connection.id)},
                          {"complete", true}};
  for (const auto& text : job.targets) {
    json target = json::parse(text);
    if (target.contains("typed")) type_anew(target, spec.value("connection", json::object()));
    normalize_input["targets"].push_back(std::move(target));
  }
  const json published =
      json::parse(co_await ctx.step("normalize", dump(normalize_input), queued(normalize_options(), job, spec)));
  json streams = json::array();
  for (const auto& target : normalize_input["targets"]) {
    json one = target.at("source");
    one["status"] = "loaded";
    streams.push_back(std::move(one));
  }
  apply_published(streams, published.at("streams"));
  co_return finish_job(std::move(streams));
}

}  // namespace millrace::workflows
