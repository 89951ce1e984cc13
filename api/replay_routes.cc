// Replay: a job done again, today's code against past histories, and an execution walked event by event.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/follow.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/replay_json.h"
#include "common/errors.h"
#include "engine/replay_view.h"

namespace millrace::api {
namespace {

constexpr std::size_t kMaxReason = 4'096;
constexpr std::int64_t kMostEvents = 1'000'000'000'000;

workflows::ReplayRequest read_replay(const Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  workflows::ReplayRequest replay;
  replay.job_id = job_id_of(request);
  replay.mode = fields.text("mode", true);
  static constexpr std::string_view kModes[] = {"verify", "rerun", "reset", "redeliver"};
  if (!replay.mode.empty() && std::find(std::begin(kModes), std::end(kModes), replay.mode) == std::end(kModes))
    fields.fault("mode", "must be verify, rerun, reset or redeliver");
  const auto event = fields.integer("eventId", 1, kMostEvents);
  replay.event_id = event.value_or(0);
  replay.step = fields.text("step");
  const bool is_reset = replay.mode == "reset";
  if (is_reset && event.has_value() == !replay.step.empty())
    fields.fault("eventId", "exactly one of eventId and step says where to reset to");
  if (!is_reset && event) fields.fault("eventId", "is of mode reset");
  if (!is_reset && !replay.step.empty()) fields.fault("step", "is of mode reset");
  if (replay.step == "lastFailedStep") {
    replay.last_failed_step = true;
    replay.step.clear();
  }
  if (const nlohmann::json* streams = fields.value("streams")) {
    if (replay.mode != "rerun" && replay.mode != "redeliver")
      fields.fault("streams", "is of the modes rerun and redeliver: a reset keeps the streams of its history");
    if (!streams->is_array()) {
      fields.fault("streams", "must be an array of {namespace, name}");
    } else {
      for (std::size_t i = 0; i < streams->size(); ++i) {
        FieldReader one((*streams)[i], "/streams/" + std::to_string(i), true);
        connectors::StreamName name;
        name.ns = one.text("namespace");
        name.name = one.text("name", true);
        one.finish();
        replay.streams.push_back(std::move(name));
      }
    }
  }
  replay.reason = fields.text("reason");
  if (replay.reason.size() > kMaxReason)
    fields.fault("reason", "must have at most " + std::to_string(kMaxReason) + " bytes");
  fields.finish();
  replay.request_id = idempotency_key_of(request);
  replay.principal = principal_of(request);
  return replay;
}

asio::awaitable<Response> replay_job(const Services services, Request& request) {
  workflows::ReplayRequest replay = read_replay(request);
  if (replay.mode == "verify") {
    std::string json = co_await services.jobs->verify_json(replay.job_id);
    co_return json_response(200, std::move(json));
  }
  const std::int64_t id = co_await services.jobs->start_replay(std::move(replay));
  std::string json = co_await services.jobs->job_json(id);
  Response response = json_response(202, std::move(json));
  response.headers.emplace_back("Location", "/v1/jobs/" + std::to_string(id));
  co_return response;
}

engine::VerifyAllRequest read_verify_all(const Request& request) {
  engine::VerifyAllRequest asked;
  if (const auto type = request.query_value("type")) asked.filter.type = *type;
  if (const auto since = request.query_value("since")) {
    asked.since = parse_time(*since);
    if (!asked.since)
      throw Error("request.invalid_parameter", "since must be a time such as 2026-01-02T03:04:05Z, not " + *since);
  }
  return asked;
}

asio::awaitable<void> verify_all_as_events(Services services, engine::VerifyAllRequest asked, EventSink& sink) {
  EventSink* to = &sink;
  const engine::VerifyProgress progress = [to](const engine::VerifyAllReport& so_far) -> asio::awaitable<void> {
    return to->send("progress", "", verify_all_json(so_far));
  };
  const engine::VerifyAllReport report = co_await services.engine->verify_all(std::move(asked), progress);
  co_await sink.send("end", "", verify_all_json(report));
}

asio::awaitable<Response> verify_all(const Services services, Request& request) {
  engine::VerifyAllRequest asked = read_verify_all(request);
  if (flag_of(request, "follow", false)) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = [services, asked](EventSink& sink) { return verify_all_as_events(services, asked, sink); };
    co_return response;
  }
  const engine::VerifyAllReport report = co_await services.engine->verify_all(std::move(asked), {});
  co_return json_response(200, verify_all_json(report));
}

asio::awaitable<Response> verify_file(const Services services, Request& request) {
  auto work = [&] { return services.engine->verify_file(request.body); };
  const engine::VerifiedFile file = co_await services.runtime.blocking(work);
  co_return json_response(200, verified_file_json(file));
}

asio::awaitable<Response> verify_one(const Services services, Request& request) {
  const std::string run = request.query_value("runId").value_or("");
  const engine::VerifyReport report = co_await services.engine->verify(request.path_values.at("id"), run);
  co_return json_response(200, verify_json(report));
}

asio::awaitable<Response> walk(const Services services, Request& request) {
  const std::string run = request.query_value("runId").value_or("");
  std::optional<std::uint64_t> up_to;
  if (request.query_value("upTo")) up_to = number_of(request, "upTo", 0);
  const engine::ReplayView view = co_await services.engine->replay_to(request.path_values.at("id"), run, up_to);
  co_return json_response(200, replay_view_json(view));
}

}  // namespace

void add_replay_routes(Router& router, const Services& services) {
  Route replay("POST", "/v1/jobs/{id:int}/replay",
               "Replay a past job: verify it, do it again as it was then, or go on from a point of its history");
  replay.tag = "Jobs";
  replay.body_schema = "JobReplay";
  replay.success = 202;
  replay.handler = [services](Request& request) { return replay_job(services, request); };
  router.add(std::move(replay));

  const auto of_workflows = [](const char* method, const char* path, const char* summary) {
    Route route(method, path, summary);
    route.tag = "Workflows";
    route.scope = Scope::read;
    return route;
  };
  Route all = of_workflows("GET", "/v1/workflows/verify",
                           "Today's code against the histories of all executions of a type, without any effect");
  all.query.emplace_back("type", "string", "only of this workflow type");
  all.query.emplace_back("since", "string", "only those that began then or later, such as 2026-01-02T03:04:05Z");
  all.query.emplace_back("follow", "boolean", "true: server-sent events `progress`, then `end` with the report");
  all.handler = [services](Request& request) { return verify_all(services, request); };
  router.add(std::move(all));

  Route file = of_workflows("POST", "/v1/workflows/verify",
                            "Today's code against an exported history: the body is the file, JSON lines");
  file.handler = [services](Request& request) { return verify_file(services, request); };
  router.add(std::move(file));

  Route one = of_workflows("GET", "/v1/workflows/{id}/verify", "Today's code against the history of a run");
  one.query.emplace_back("runId", "string", "a run; the current one by default");
  one.handler = [services](Request& request) { return verify_one(services, request); };
  router.add(std::move(one));

  Route step =
      of_workflows("GET", "/v1/workflows/{id}/replay",
                   "The execution when its code has consumed the events up to one, and what the code does next");
  step.query.emplace_back("runId", "string", "a run; the current one by default");
  step.query.emplace_back("upTo", "integer", "id of the last event that is consumed; the last one by default");
  step.handler = [services](Request& request) { return walk(services, request); };
  router.add(std::move(step));
}

}  // namespace millrace::api
