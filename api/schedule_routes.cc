// /v1/schedules: when what is started.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "api/schedule_json.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

constexpr std::size_t kNextRuns = 10;
constexpr std::size_t kMaxPreview = 1'000;

Route schedule_route(std::string method, const std::string& rest, std::string summary) {
  Route route(std::move(method), "/v1/schedules" + rest, std::move(summary));
  route.tag = "Schedules";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

Response answer(const Services& services, const engine::Schedule& schedule, int status = 200) {
  return json_response(status, schedule_json(schedule, services.runtime.now(), kNextRuns));
}

void refuse_owned(const engine::Schedule& schedule) {
  if (!schedule.owner.empty())
    throw Error("schedule.owned", "\"" + schedule.id + "\" is the schedule of " + schedule.owner);
}

asio::awaitable<Response> list(const Services services, Request& request) {
  const std::size_t limit = limit_of(request);
  const std::string after = base64_url_decode(request.query_value("next").value_or(""));
  const std::string connection = request.query_value("connectionId").value_or("");
  std::vector<std::string> items;
  std::string next, last;
  const auto all = co_await services.schedules->list();
  for (const auto& s : all) {
    if (!after.empty() && s.id <= after) continue;
    if (!connection.empty() && s.owner != "connection/" + connection) continue;
    if (items.size() == limit) {
      next = last;
      break;
    }
    items.push_back(schedule_json(s, services.runtime.now(), 3));
    last = s.id;
  }
  co_return json_response(200, list_json(items, base64_url_encode(next)));
}

asio::awaitable<Response> create(const Services services, Request& request) {
  engine::Schedule schedule;
  read_schedule(request.body, ScheduleBody::create, schedule);
  schedule.request_id = idempotency_key_of(request);
  const auto made = co_await services.schedules->create(std::move(schedule));
  auto response = answer(services, made, 201);
  response.headers.emplace_back("Location", "/v1/schedules/" + percent_encode(made.id));
  co_return response;
}

asio::awaitable<Response> update(const Services services, const ScheduleBody mode, Request& request) {
  std::function<void(engine::Schedule&)> edit = [body = request.body, mode](engine::Schedule& s) {
    refuse_owned(s);
    read_schedule(body, mode, s);
  };
  const auto changed = co_await services.schedules->update(request.path_values.at("id"), std::move(edit));
  co_return answer(services, changed);
}

asio::awaitable<Response> remove(const Services services, Request& request) {
  const std::string id = request.path_values.at("id");
  const auto schedule = co_await services.schedules->get(id);
  refuse_owned(schedule);
  co_await services.schedules->remove(id);
  co_return Response(204);
}

std::optional<WallTime> time_field(FieldReader& fields, const char* name, bool required) {
  const std::string text = fields.text(name, required);
  if (text.empty()) return std::nullopt;
  const auto t = parse_time(text);
  if (!t) fields.fault(name, "must be a time such as 2026-11-24T21:00:00Z");
  return t;
}

std::optional<engine::Overlap> overlap_field(FieldReader& fields) {
  const std::string text = fields.text("overlapPolicy");
  if (text.empty()) return std::nullopt;
  const auto overlap = engine::parse_overlap(text);
  if (!overlap)
    fields.fault("overlapPolicy",
                 "must be one of skip, buffer_one, buffer_all, cancel_other, terminate_other, allow_all");
  return overlap;
}

std::size_t count_of(const Request& request) {
  return std::size_t(std::clamp<std::uint64_t>(number_of(request, "count", kNextRuns), 1, kMaxPreview));
}

std::string preview_json(const engine::ScheduleSpec& spec, const std::string& id, WallTime after, std::size_t count) {
  return JsonObject().raw("data", upcoming_json(engine::Schedules::preview(spec, id, after, count), spec)).take();
}

asio::awaitable<Response> preview_of(const Services services, Request& request) {
  const auto schedule = co_await services.schedules->get(request.path_values.at("id"));
  WallTime after = services.runtime.now();
  if (const auto given = request.query_value("after")) {
    const auto t = parse_time(*given);
    if (!t) throw Error("request.invalid_parameter", "after must be a time such as 2026-11-24T21:00:00Z");
    after = *t;
  }
  const auto spec = engine::Schedules::spec_of(schedule);
  co_return json_response(200, preview_json(spec, schedule.id, after, count_of(request)));
}

// The times of a spec, without making anything.
asio::awaitable<Response> preview_new(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const std::string id = fields.text("scheduleId");
  const auto after = time_field(fields, "after", false).value_or(services.runtime.now());
  const auto count = fields.integer("count", 1, std::int64_t(kMaxPreview)).value_or(std::int64_t(kNextRuns));
  engine::ScheduleSpec spec;
  std::vector<calendar::Fault> faults;
  if (const auto* given = fields.value("spec"))
    spec = engine::ScheduleSpec::parse(*given, "/spec", faults);
  else
    fields.fault("spec", "is required");
  for (const auto& fault : faults) fields.fault_at(fault.pointer, fault.detail);
  fields.finish();
  co_return json_response(200, preview_json(spec, id, after, std::size_t(count)));
}

asio::awaitable<Response> trigger(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const auto overlap = overlap_field(fields);
  fields.finish();
  const auto triggered =
      co_await services.schedules->trigger(request.path_values.at("id"), overlap, idempotency_key_of(request));
  co_return json_response(triggered.started ? 201 : 202, triggered_json(triggered));
}

asio::awaitable<Response> pause(const Services services, const bool pauses, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const std::string note = fields.text("note");
  fields.finish();
  const std::string id = request.path_values.at("id");
  engine::Schedule changed;
  if (pauses) {
    changed = co_await services.schedules->pause(id, note);
  } else {
    changed = co_await services.schedules->unpause(id, note);
  }
  co_return answer(services, changed);
}

asio::awaitable<Response> backfill(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const auto from = time_field(fields, "from", true);
  const auto to = time_field(fields, "to", true);
  const auto overlap = overlap_field(fields);
  if (from && to && *from > *to) fields.fault("to", "is before from");
  fields.finish();
  const auto changed =
      co_await services.schedules->backfill(request.path_values.at("id"), *from, *to,
                                            overlap.value_or(engine::Overlap::buffer_all), idempotency_key_of(request));
  co_return answer(services, changed, 202);
}

}  // namespace

void add_schedule_routes(Router& router, const Services& services) {
  Route all = schedule_route("GET", "", "List schedules by id, those of connections among them");
  all.query.emplace_back("limit", "integer", "items at most: 100 by default, 10,000 at most");
  all.query.emplace_back("next", "string", "`next` of the former answer");
  all.query.emplace_back("connectionId", "string", "only the one of this connection");
  all.handler = [services](Request& request) { return list(services, request); };
  router.add(std::move(all));

  Route made = schedule_route("POST", "", "Create a schedule that starts workflows of a type");
  made.body_schema = "ScheduleBody";
  made.success = 201;
  made.handler = [services](Request& request) { return create(services, request); };
  router.add(std::move(made));

  Route look = schedule_route("POST", "/preview", "The next times of a spec, without making anything");
  look.scope = Scope::read;
  look.body_schema = "SchedulePreview";
  look.handler = [services](Request& request) { return preview_new(services, request); };
  router.add(std::move(look));

  Route one = schedule_route("GET", "/{id}", "One schedule: next times, last runs, what was missed and why, counters");
  one.handler = [services](Request& request) -> asio::awaitable<Response> {
    const auto schedule = co_await services.schedules->get(request.path_values.at("id"));
    co_return answer(services, schedule);
  };
  router.add(std::move(one));

  for (const bool patch : {true, false}) {
    Route route =
        schedule_route(patch ? "PATCH" : "PUT", "/{id}",
                       patch ? "Change the fields that are given" : "Replace the whole; counts and runs stay");
    route.body_schema = patch ? "SchedulePatch" : "ScheduleBody";
    const auto mode = patch ? ScheduleBody::patch : ScheduleBody::put;
    route.handler = [services, mode](Request& request) { return update(services, mode, request); };
    router.add(std::move(route));
  }

  Route gone = schedule_route("DELETE", "/{id}", "Delete a schedule; what it started runs on");
  gone.success = 204;
  gone.handler = [services](Request& request) { return remove(services, request); };
  router.add(std::move(gone));

  Route times = schedule_route("GET", "/{id}/preview", "The next times, in UTC and on the schedule's wall clock");
  times.query.emplace_back("count", "integer", "how many: 10 by default, 1,000 at most");
  times.query.emplace_back("after", "string", "a time; now by default");
  times.handler = [services](Request& request) { return preview_of(services, request); };
  router.add(std::move(times));

  Route now = schedule_route("POST", "/{id}/trigger", "Start one run now, as the overlap policy lets it");
  now.body_schema = "ScheduleTrigger";
  now.success = 201;
  now.handler = [services](Request& request) { return trigger(services, request); };
  router.add(std::move(now));

  for (const bool pauses : {true, false}) {
    Route route = schedule_route("POST", pauses ? "/{id}/pause" : "/{id}/unpause",
                                 pauses ? "Fire no more times until it is unpaused"
                                        : "Fire again from now on; what lay between is told as missed");
    route.body_schema = "SchedulePause";
    route.handler = [services, pauses](Request& request) { return pause(services, pauses, request); };
    router.add(std::move(route));
  }

  Route fill = schedule_route("POST", "/{id}/backfill", "Start the times of a past range, both ends included");
  fill.body_schema = "ScheduleBackfill";
  fill.success = 202;
  fill.handler = [services](Request& request) { return backfill(services, request); };
  router.add(std::move(fill));
}

}  // namespace millrace::api
