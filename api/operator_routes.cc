// /v1/workflows/{id}/reset, /pause, /unpause and /activities/{activityId}/…: what a person does to an execution.
#include <nlohmann/json.hpp>

#include "api/execution_json.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

constexpr std::int64_t kMostEvents = 1'000'000'000'000;
constexpr std::int64_t kMostMs = 10LL * 365 * 86'400 * 1'000;

Route operator_route(std::string path, std::string summary, std::string schema) {
  Route route("POST", std::move(path), std::move(summary));
  route.tag = "Workflows";
  route.scope = Scope::admin;
  route.body_schema = std::move(schema);
  route.query.emplace_back("runId", "string", "a run; the current one by default");
  return route;
}

engine::ResetRequest read_reset(const Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::ResetRequest reset;
  reset.workflow_id = request.path_values.at("id");
  reset.run_id = request.query_value("runId").value_or("");
  using Kind = engine::ResetPoint::Kind;
  const auto event = fields.integer("eventId", 1, kMostEvents);
  reset.point.step = fields.text("step");
  const std::string to = fields.choice("to", {"", "firstTurn", "lastTurn", "lastFailedStep"});
  const std::string time = fields.text("time");
  const int named =
      (event ? 1 : 0) + (reset.point.step.empty() ? 0 : 1) + (to.empty() ? 0 : 1) + (time.empty() ? 0 : 1);
  if (named != 1) fields.fault("eventId", "exactly one of eventId, step, to and time says where to");
  if (event) reset.point.event_id = static_cast<std::uint64_t>(*event);
  if (!reset.point.step.empty()) reset.point.kind = Kind::step;
  if (to == "firstTurn") reset.point.kind = Kind::first_turn;
  if (to == "lastTurn") reset.point.kind = Kind::last_turn;
  if (to == "lastFailedStep") reset.point.kind = Kind::last_failed_step;
  if (!time.empty()) {
    reset.point.kind = Kind::time;
    const auto parsed = parse_time(time);
    if (!parsed) fields.fault("time", "must be a time such as 2026-01-02T03:04:05Z");
    reset.point.time = parsed.value_or(WallTime());
  }
  if (const auto n = fields.integer("occurrence", 1, 1'000'000))
    reset.point.occurrence = static_cast<std::uint32_t>(*n);
  const std::string point = fields.choice("point", {"", "before", "after"});
  // A step is done again, an event stays.
  reset.point.after = point.empty() ? event.has_value() : point == "after";
  const std::string children = fields.choice("children", {"adopt", "terminate", "abandon"});
  if (children == "terminate") reset.children = engine::ResetChildren::terminate;
  if (children == "abandon") reset.children = engine::ResetChildren::abandon;
  const std::string reapply = fields.choice("reapply", {"all", "none", "signals", "updates"});
  reset.reapply_signals = reapply == "all" || reapply == "signals";
  reset.reapply_updates = reapply == "all" || reapply == "updates";
  reset.reason = fields.text("reason");
  reset.request_id = read_request_id(request, fields, "requestId");
  fields.finish();
  reset.identity = request.caller.name;
  return reset;
}

asio::awaitable<Response> reset(const Services services, Request& request) {
  engine::ResetRequest asked = read_reset(request);
  const std::string id = asked.workflow_id;
  const engine::ResetResult made = co_await services.engine->reset(std::move(asked));
  Response response = json_response(made.made ? 201 : 200, JsonObject()
                                                               .text("workflowId", id)
                                                               .text("runId", made.run_id)
                                                               .number("keptEventId", std::int64_t(made.kept_event_id))
                                                               .take());
  response.headers.emplace_back("Location", "/v1/workflows/" + percent_encode(id));
  co_return response;
}

asio::awaitable<Response> set_paused(const Services services, const bool paused, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const std::string reason = fields.text("reason");
  const std::string request_id = read_request_id(request, fields, "requestId");
  fields.finish();
  const std::string id = request.path_values.at("id");
  const std::string run = request.query_value("runId").value_or("");
  if (paused)
    co_await services.engine->pause(id, run, reason, request.caller.name, request_id);
  else
    co_await services.engine->unpause(id, run, reason, request.caller.name, request_id);
  const engine::ExecutionDetail detail = co_await services.engine->describe(id, run);
  co_return json_response(200, execution_outcome_json(detail.execution));
}

std::optional<Duration> read_ms(FieldReader& fields, const char* name) {
  const auto ms = fields.integer(name, 1, kMostMs);
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

void read_options(FieldReader& fields, engine::StepCommand& command) {
  if (const auto* timeouts = fields.value("timeouts")) {
    FieldReader inner(*timeouts, "/timeouts", true);
    engine::StepTimeouts t;
    t.schedule_to_start = read_ms(inner, "scheduleToStartMs");
    t.start_to_close = read_ms(inner, "startToCloseMs");
    t.schedule_to_close = read_ms(inner, "scheduleToCloseMs");
    t.heartbeat = read_ms(inner, "heartbeatMs");
    inner.finish();
    command.timeouts = t;
  }
  if (const auto* policy = fields.value("retryPolicy")) {
    FieldReader inner(*policy, "/retryPolicy", true);
    engine::RetryPolicy p;
    if (const auto d = read_ms(inner, "initialMs")) p.initial_interval = *d;
    if (const auto d = read_ms(inner, "maximumMs")) p.maximum_interval = *d;
    if (const auto n = inner.integer("maximumAttempts", 0, 1'000'000'000))
      p.maximum_attempts = static_cast<std::uint32_t>(*n);
    if (const auto* c = inner.value("coefficient")) {
      if (c->is_number() && c->get<double>() >= 1)
        p.backoff_coefficient = c->get<double>();
      else
        inner.fault("coefficient", "must be a number of at least 1");
    }
    if (const auto* types = inner.value("nonRetryableTypes")) {
      if (!types->is_array()) inner.fault("nonRetryableTypes", "must be an array of strings");
      for (const auto& type : *types)
        if (type.is_string()) p.non_retryable_types.push_back(type.get<std::string>());
    }
    inner.finish();
    command.retry = p;
  }
}

using Verb = engine::StepCommand::Verb;

asio::awaitable<Response> command_step(const Services services, const Verb verb, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::StepCommand command;
  command.workflow_id = request.path_values.at("id");
  command.run_id = request.query_value("runId").value_or("");
  command.activity_id = request.path_values.at("activityId");
  command.verb = verb;
  command.identity = request.caller.name;
  if (verb == Verb::complete) {
    if (const auto* result = fields.value("result"))
      command.result = result->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else if (verb == Verb::fail) {
    const auto* failure = fields.value("failure");
    if (failure == nullptr || !failure->is_object())
      fields.fault("failure", "must be an object {type, message, details?}");
    else
      command.failure = engine::failure_from_json(failure->dump());
    if (command.failure.type.empty()) command.failure.type = "FailedByHand";
    command.failure.retryable = false;
  } else if (verb == Verb::options) {
    read_options(fields, command);
  } else {
    command.reason = fields.text("reason");
    if (verb == Verb::reset) command.reset_heartbeat = fields.boolean("resetHeartbeat");
  }
  command.request_id = read_request_id(request, fields, "requestId");
  fields.finish();
  const std::string id = command.workflow_id, run = command.run_id;
  co_await services.engine->command_step(std::move(command));
  const engine::ExecutionDetail detail = co_await services.engine->describe(id, run);
  co_return json_response(200, execution_detail_json(detail));
}

}  // namespace

void add_operator_routes(Router& router, const Services& services) {
  Route cut = operator_route(
      "/v1/workflows/{id}/reset",
      "Begin a new run with the history up to an event or step; an open run is terminated with it", "WorkflowReset");
  cut.success = 201;
  cut.own_idempotency = true;
  cut.handler = [services](Request& request) { return reset(services, request); };
  router.add(std::move(cut));

  for (const bool paused : {true, false}) {
    Route route = operator_route(
        paused ? "/v1/workflows/{id}/pause" : "/v1/workflows/{id}/unpause",
        paused ? "No turn runs and no attempt starts until unpause; what comes in is kept" : "Go on after a pause",
        "WorkflowPause");
    route.handler = [services, paused](Request& request) { return set_paused(services, paused, request); };
    router.add(std::move(route));
  }

  const auto verb = [&](const char* name, Verb v, const char* summary, const char* schema) {
    Route route = operator_route(std::string("/v1/workflows/{id}/activities/{activityId}/") + name, summary, schema);
    route.handler = [services, v](Request& request) { return command_step(services, v, request); };
    router.add(std::move(route));
  };
  verb("retry", Verb::retry, "Start the next attempt of a pending step now", "ActivityReason");
  verb("pause", Verb::pause, "Start no further attempt of a pending step; one that runs may finish", "ActivityReason");
  verb("unpause", Verb::unpause, "Let a paused step go on", "ActivityReason");
  verb("reset", Verb::reset, "Count a pending step's attempts from nothing again, and start the next now",
       "ActivityReset");
  verb("complete", Verb::complete, "End a pending step by hand with a result", "ActivityComplete");
  verb("fail", Verb::fail, "End a pending step by hand with a failure", "ActivityFail");
  verb("options", Verb::options, "Change time-outs and retry policy of a pending step", "ActivityOptions");
}

}  // namespace millrace::api
