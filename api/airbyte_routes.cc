// /api/public/v1: Airbyte's public API, from the same rooms, for what exists here.
#include <nlohmann/json.hpp>

#include "api/airbyte_shape.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"
#include "common/log.h"

namespace millrace::api {
namespace {

using Json = nlohmann::json;
using resources::Kind;

constexpr const char* kRoot = "/api/public/v1";
constexpr std::size_t kAirbyteLimit = 20;  // its default

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Route airbyte_route(std::string method, const std::string& path, std::string summary) {
  Route route(std::move(method), kRoot + path, std::move(summary));
  route.tag = "Airbyte's public API";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  route.ignores_unknown = true;
  return route;
}

struct Window {
  explicit Window(const Request& request)
      : limit(number_of(request, "limit", kAirbyteLimit)), offset(number_of(request, "offset", 0)) {
    if (limit == 0 || limit > kMaxLimit) throw Error("request.invalid_parameter", "limit must be from 1 to 10000");
  }
  std::size_t limit;
  std::size_t offset;
};

// {data, next, previous}; the links are URLs, empty at the ends.
std::string page_json(const Request& request, const Window& window, Json data, bool more) {
  const auto link = [&](std::size_t offset) {
    std::string query;
    for (const auto& [name, value] : request.query) {
      if (name != "limit" && name != "offset") query += percent_encode(name) + "=" + percent_encode(value) + "&";
    }
    return request.path + "?" + query + "limit=" + std::to_string(window.limit) + "&offset=" + std::to_string(offset);
  };
  Json out = Json::object();
  out["data"] = std::move(data);
  out["next"] = more ? link(window.offset + window.limit) : "";
  out["previous"] = window.offset > 0 ? link(window.offset > window.limit ? window.offset - window.limit : 0) : "";
  return to_text(out);
}

std::string one_json(const Services& services, Kind kind, const resources::Resource& resource) {
  return to_text(airbyte_resource(kind, Json::parse(services.resources->public_json(resource))));
}

asio::awaitable<Response> list_resources(const Services services, const Kind kind, Request& request) {
  const Window window(request);
  Json data = Json::array();
  std::size_t seen = 0;
  bool more = false;
  std::string next;
  do {
    const resources::Page page = co_await services.resources->list(kind, 1'000, next);
    for (const auto& item : page.items) {
      const std::size_t index = seen++;
      if (index < window.offset) continue;
      if (data.size() == window.limit) {
        more = true;
        break;
      }
      data.push_back(airbyte_resource(kind, Json::parse(services.resources->public_json(item))));
    }
    next = page.next;
  } while (!next.empty() && !more);
  co_return json_response(200, page_json(request, window, std::move(data), more));
}

void add_resources(Router& router, const Services& services, Kind kind) {
  const std::string base = "/" + std::string(resources::to_string(kind)) + "s";

  Route list = airbyte_route("GET", base, "List");
  list.handler = [services, kind](Request& request) { return list_resources(services, kind, request); };
  router.add(std::move(list));

  Route create = airbyte_route("POST", base, "Create");
  create.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    std::string body = airbyte_body_to_ours(kind, request.body);
    const resources::Resource made =
        co_await services.resources->create(kind, std::move(body), principal_of(request), idempotency_key_of(request));
    co_return json_response(200, one_json(services, kind, made));
  };
  router.add(std::move(create));

  Route get = airbyte_route("GET", base + "/{id}", "Get one");
  get.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    const resources::Resource one = co_await services.resources->get(kind, request.path_values.at("id"));
    co_return json_response(200, one_json(services, kind, one));
  };
  router.add(std::move(get));

  for (const bool patch : {true, false}) {
    if (!patch && kind == Kind::connection) continue;  // Airbyte has no PUT there
    Route update = airbyte_route(patch ? "PATCH" : "PUT", base + "/{id}", patch ? "Change" : "Replace");
    update.handler = [services, kind, patch](Request& request) -> asio::awaitable<Response> {
      const auto mode = patch ? resources::UpdateMode::patch : resources::UpdateMode::put;
      std::string body = airbyte_body_to_ours(kind, request.body);
      const resources::Resource changed = co_await services.resources->update(
          kind, request.path_values.at("id"), std::move(body), mode, principal_of(request));
      co_return json_response(200, one_json(services, kind, changed));
    };
    router.add(std::move(update));
  }

  Route remove = airbyte_route("DELETE", base + "/{id}", "Delete");
  remove.success = 204;
  remove.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    co_await services.resources->remove(kind, request.path_values.at("id"), principal_of(request));
    co_return Response(204);
  };
  router.add(std::move(remove));
}

std::string job_answer(const std::string& ours) {
  const auto job = airbyte_job(Json::parse(ours));
  if (!job) throw Error("job.not_found", "the job is of a type that this API does not have; see /v1/jobs");
  return to_text(*job);
}

asio::awaitable<Response> list_jobs(const Services services, Request& request) {
  const Window window(request);
  Json data = Json::array();
  std::size_t seen = 0, offset = 0;
  bool more = false;
  for (;;) {
    workflows::JobFilter filter;
    filter.connection_id = request.query_value("connectionId").value_or("");
    filter.status = request.query_value("status").value_or("");
    filter.job_type = request.query_value("jobType").value_or("");
    filter.limit = 1'000;
    filter.offset = offset;
    const Json page = Json::parse(co_await services.jobs->list_json(std::move(filter)));
    const Json& items = page.at("data");
    for (const Json& item : items) {
      auto job = airbyte_job(item);
      if (!job || seen++ < window.offset) continue;
      if (data.size() == window.limit) {
        more = true;
        break;
      }
      data.push_back(std::move(*job));
    }
    offset += items.size();
    if (more || items.size() < 1'000) break;
  }
  co_return json_response(200, page_json(request, window, std::move(data), more));
}

void add_jobs(Router& router, const Services& services) {
  Route list = airbyte_route("GET", "/jobs", "List jobs");
  list.handler = [services](Request& request) { return list_jobs(services, request); };
  router.add(std::move(list));

  Route start = airbyte_route("POST", "/jobs", "Start a job");
  start.handler = [services](Request& request) -> asio::awaitable<Response> {
    const Json body = parse_json_body(request.body);
    FieldReader fields(body, "", false);
    workflows::JobRequest job;
    job.connection_id = fields.text("connectionId", true);
    job.job_type = fields.text("jobType", true);
    if (job.job_type == "reset") job.job_type = "clear";  // Airbyte's older word
    fields.ignore("jobConfig");
    fields.finish();
    job.request_id = idempotency_key_of(request);
    job.principal = principal_of(request);
    const std::int64_t id = co_await services.jobs->start(std::move(job));
    const std::string ours = co_await services.jobs->job_json(id);
    co_return json_response(200, job_answer(ours));
  };
  router.add(std::move(start));

  Route get = airbyte_route("GET", "/jobs/{id:int}", "Get one job");
  get.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string ours = co_await services.jobs->job_json(job_id_of(request));
    co_return json_response(200, job_answer(ours));
  };
  router.add(std::move(get));

  Route cancel = airbyte_route("DELETE", "/jobs/{id:int}", "Cancel a job");
  cancel.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::int64_t id = job_id_of(request);
    co_await services.jobs->cancel(id, "cancelled by " + request.caller.name);
    const std::string ours = co_await services.jobs->job_json(id);
    co_return json_response(200, job_answer(ours));
  };
  router.add(std::move(cancel));
}

}  // namespace

void add_airbyte_routes(Router& router, const Services& services) {
  for (const Kind kind : {Kind::source, Kind::destination, Kind::connection}) add_resources(router, services, kind);
  add_jobs(router, services);
}

}  // namespace millrace::api
