// /v1/queues/{name}/poll and …/tasks/{token}/…: workers in other processes. See docs/reference/workers.md.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

constexpr std::int64_t kDefaultWaitSeconds = 20, kMaxWaitSeconds = 60;

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string milliseconds(const std::optional<Duration>& d) {
  return d ? std::to_string(std::chrono::ceil<std::chrono::milliseconds>(*d).count()) : std::string("null");
}

std::string task_json(const engine::WorkerTask& t) {
  const std::string timeouts = JsonObject()
                                   .raw("startToCloseMs", milliseconds(t.timeouts.start_to_close))
                                   .raw("scheduleToCloseMs", milliseconds(t.timeouts.schedule_to_close))
                                   .raw("heartbeatMs", milliseconds(t.timeouts.heartbeat))
                                   .take();
  return JsonObject()
      .text("token", t.token)
      .text("workflowId", t.workflow_id)
      .text("runId", t.run_id)
      .text("workflowType", t.workflow_type)
      .text("activityId", t.activity_id)
      .text("type", t.type)
      .text("queue", t.queue)
      .raw("input", t.input)
      .number("attempt", t.attempt)
      .number("scheduledEventId", static_cast<std::int64_t>(t.scheduled_event_id))
      .text("scheduledTime", format_time(t.scheduled))
      .text("startTime", format_time(t.started))
      .number("priority", t.priority)
      .raw("timeouts", timeouts)
      .raw("heartbeatDetails", t.heartbeat.value_or(std::string()))
      .take();
}

asio::awaitable<Response> poll(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::PollRequest poll;
  poll.queue = request.path_values.at("name");
  poll.identity = fields.text("identity");
  if (poll.identity.size() > 200) fields.fault("identity", "must have at most 200 bytes");
  if (poll.identity.empty()) poll.identity = request.caller.name;
  if (const auto* types = fields.value("types")) {
    if (!types->is_array() || types->size() > 1'000) fields.fault("types", "must be an array of names");
    for (const auto& type : types->is_array() ? *types : nlohmann::json::array()) {
      if (type.is_string())
        poll.types.push_back(type.get<std::string>());
      else
        fields.fault("types", "must be an array of names");
    }
  }
  poll.wait = std::chrono::seconds(fields.integer("waitSeconds", 0, kMaxWaitSeconds).value_or(kDefaultWaitSeconds));
  fields.finish();
  if (poll.queue.empty() || poll.queue.size() > 200) throw Error("task.invalid", "a queue's name has 1 to 200 bytes");
  const auto task = co_await services.engine->poll(std::move(poll));
  co_return json_response(200, JsonObject().raw("task", task ? task_json(*task) : std::string()).take());
}

asio::awaitable<Response> heartbeat(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  std::optional<engine::Payload> details;
  if (const auto* d = fields.value("details")) details = dump(*d);
  fields.finish();
  const engine::HeartbeatAnswer answer = co_await services.engine->worker_heartbeat(
      request.path_values.at("name"), request.path_values.at("token"), std::move(details));
  co_return json_response(
      200, JsonObject().boolean("cancelRequested", answer.cancel_requested).boolean("paused", answer.paused).take());
}

asio::awaitable<Response> complete(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::Payload result;
  if (const auto* r = fields.value("result")) result = dump(*r);
  fields.finish();
  co_await services.engine->worker_complete(request.path_values.at("name"), request.path_values.at("token"),
                                            std::move(result));
  co_return json_response(200, "{}");
}

asio::awaitable<Response> fail(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::Failure failure;
  if (const auto* f = fields.value("failure"); f != nullptr && f->is_object()) {
    FieldReader inner(*f, "/failure", true);
    failure.type = inner.text("type", true);
    failure.message = inner.text("message");
    if (const auto* d = inner.value("details")) failure.details = dump(*d);
    failure.retryable = inner.boolean("retryable", true);
    if (const auto ms = inner.integer("nextRetryDelayMs", 0, 10LL * 365 * 86'400'000))
      failure.next_retry_delay = std::chrono::milliseconds(*ms);
    inner.finish();
  } else {
    fields.fault("failure", "must be an object {type, message, details, retryable, nextRetryDelayMs}");
  }
  fields.finish();
  co_await services.engine->worker_fail(request.path_values.at("name"), request.path_values.at("token"),
                                        std::move(failure));
  co_return json_response(200, "{}");
}

}  // namespace

void add_worker_routes(Router& router, const Services& services) {
  const auto add = [&router, services](const char* path, const char* summary, const char* body, const char* answer,
                                       asio::awaitable<Response> (*function)(const Services, Request&)) {
    Route route("POST", path, summary);
    route.tag = "Workers";
    route.scope = Scope::worker;
    route.body_schema = body;
    route.response_schema = answer;
    route.own_idempotency = true;  // the token says which attempt is meant
    route.handler = [services, function](Request& request) { return function(services, request); };
    router.add(std::move(route));
  };
  add("/v1/queues/{name}/poll", "Wait for a step of this queue that a worker may run", "WorkerPoll", "WorkerPollAnswer",
      &poll);
  add("/v1/queues/{name}/tasks/{token}/heartbeat", "Say that the attempt lives, and where it is", "WorkerHeartbeat",
      "WorkerHeartbeatAnswer", &heartbeat);
  add("/v1/queues/{name}/tasks/{token}/complete", "End the attempt with a result", "WorkerComplete", "", &complete);
  add("/v1/queues/{name}/tasks/{token}/fail", "End the attempt with a failure; the step's policy decides on another",
      "WorkerFail", "", &fail);
}

}  // namespace millrace::api
