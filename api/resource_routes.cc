// /v1/sources, /v1/destinations, /v1/connections.
#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

#include <nlohmann/json.hpp>

namespace millrace::api {
namespace {

using resources::Kind;

std::string plural(Kind kind) { return std::string(resources::to_string(kind)) + "s"; }
std::string tag_of(Kind kind) {
  std::string tag = plural(kind);
  tag[0] = static_cast<char>(tag[0] - 32);
  return tag;
}
std::string schema_of(Kind kind) {
  std::string name(resources::to_string(kind));
  name[0] = static_cast<char>(name[0] - 32);
  return name;
}

Route route_of(Kind kind, std::string method, const std::string& rest, std::string summary) {
  Route route(std::move(method), "/v1/" + plural(kind) + rest, std::move(summary));
  route.tag = tag_of(kind);
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

// The resource as the answer to a write: a connection with its next three times.
asio::awaitable<Response> written_answer(const Services services, resources::Resource written) {
  std::string body = services.resources->public_json(written);
  if (written.kind == Kind::connection && services.connection_schedules) {
    const auto times = co_await services.connection_schedules->next_times(written, 3);
    nlohmann::json with_times = nlohmann::json::parse(body);
    with_times["nextRuns"] = nlohmann::json::array();
    for (const auto& t : times) with_times["nextRuns"].push_back(format_time(engine::from_seconds(t.nominal)));
    body = with_times.dump();
  }
  co_return json_response(200, std::move(body));
}

void add_crud(Router& router, const Services& services, Kind kind) {
  const std::string noun(resources::to_string(kind));

  Route list = route_of(kind, "GET", "", "List " + plural(kind) + " by name");
  list.query.emplace_back("limit", "integer", "items at most: 100 by default, 10,000 at most");
  list.query.emplace_back("next", "string", "`next` of the former answer");
  list.query.emplace_back("name", "string", "only the one of this name");
  list.query.emplace_back("workspaceIds", "string", "accepted and ignored: one workspace exists");
  list.response_schema = schema_of(kind) + "List";
  list.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    std::vector<std::string> items;
    if (const auto name = request.query_value("name")) {
      bool missing = false;
      try {
        const resources::Resource one = co_await services.resources->get_by_name(kind, *name);
        items.push_back(services.resources->public_json(one));
      } catch (const Error& e) {
        missing = e.code() == "resource.not_found";
        if (!missing) throw;
      }
      co_return json_response(200, list_json(items, ""));
    }
    const std::string page_token = base64_url_decode(request.query_value("next").value_or(""));
    const resources::Page page = co_await services.resources->list(kind, limit_of(request), page_token);
    for (const auto& item : page.items) items.push_back(services.resources->public_json(item));
    co_return json_response(200, list_json(items, base64_url_encode(page.next)));
  };
  router.add(std::move(list));

  Route create = route_of(kind, "POST", "", "Create a " + noun);
  create.body_schema = schema_of(kind) + "Body";
  create.response_schema = schema_of(kind);
  create.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    const resources::Resource made =
        co_await services.resources->create(kind, request.body, principal_of(request), idempotency_key_of(request));
    co_return co_await written_answer(services, made);
  };
  router.add(std::move(create));

  Route get = route_of(kind, "GET", "/{id}", "One " + noun);
  get.response_schema = schema_of(kind);
  get.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    const resources::Resource one = co_await services.resources->get(kind, request.path_values.at("id"));
    co_return json_response(200, services.resources->public_json(one));
  };
  router.add(std::move(get));

  for (const bool patch : {true, false}) {
    Route update = route_of(kind, patch ? "PATCH" : "PUT", "/{id}",
                            patch ? "Change the fields that are given; secrets left out stay"
                                  : "Replace the whole; a secret sent as ********** stays");
    update.body_schema = schema_of(kind) + (patch ? "Patch" : "Body");
    update.response_schema = schema_of(kind);
    update.handler = [services, kind, patch](Request& request) -> asio::awaitable<Response> {
      const auto mode = patch ? resources::UpdateMode::patch : resources::UpdateMode::put;
      const resources::Resource changed = co_await services.resources->update(
          kind, request.path_values.at("id"), request.body, mode, principal_of(request));
      co_return co_await written_answer(services, changed);
    };
    router.add(std::move(update));
  }

  Route remove = route_of(kind, "DELETE", "/{id}", "Delete a " + noun + "; tables at the destination stay");
  remove.success = 204;
  remove.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    co_await services.resources->remove(kind, request.path_values.at("id"), principal_of(request));
    co_return Response(204);
  };
  router.add(std::move(remove));

  Route revisions = route_of(kind, "GET", "/{id}/revisions", "All revisions, each immutable, newest first");
  add_page_parameters(revisions);
  revisions.handler = [services, kind](Request& request) -> asio::awaitable<Response> {
    std::vector<std::string> items;
    const auto all = co_await services.resources->revisions(kind, request.path_values.at("id"));
    for (const auto& r : all) {
      items.push_back(JsonObject()
                          .number("revision", r.revision)
                          .text("createdAt", format_time(r.updated))
                          .text("principal", r.principal)
                          .raw("resource", services.resources->public_json(r))
                          .take());
    }
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(revisions));
}

// What a short job found, or 202 with the job while it runs on.
asio::awaitable<Response> short_job_answer(const Services services, std::int64_t id, bool wait, std::uint64_t seconds) {
  if (wait) co_await services.jobs->wait(id, std::chrono::seconds(seconds));
  const std::string job = co_await services.jobs->job_json(id);
  const nlohmann::json parsed = nlohmann::json::parse(job);
  const std::string status = parsed.value("status", "");
  if (status == "succeeded" || status == "failed" || status == "cancelled") {
    if (wait) {
      std::string result = co_await services.jobs->result_json(id);
      co_return json_response(200, std::move(result));
    }
  }
  Response response = json_response(202, job);
  response.headers.emplace_back("Location", "/v1/jobs/" + std::to_string(id));
  co_return response;
}

void add_short_job(Router& router, const Services& services, Kind kind, const std::string& what) {
  Route route = route_of(kind, "POST", "/{id}/" + what,
                         what == "check"
                             ? "Check that the " + std::string(resources::to_string(kind)) + " can be reached and used"
                             : "Find the streams of a source");
  route.query.emplace_back("wait", "boolean", "true by default; false: 202 with the job");
  route.query.emplace_back("timeoutSeconds", "integer", "how long to wait: 60 by default, then 202");
  route.response_schema = what == "check" ? "CheckResult" : "DiscoverResult";
  route.handler = [services, kind, what](Request& request) -> asio::awaitable<Response> {
    const std::uint64_t seconds = std::min<std::uint64_t>(number_of(request, "timeoutSeconds", 60), 3'600);
    const bool wait = flag_of(request, "wait", true);
    const std::string id = request.path_values.at("id");
    std::int64_t job = 0;
    if (what == "check") {
      job = co_await services.jobs->start_check(kind, id, principal_of(request));
    } else {
      job = co_await services.jobs->start_discover(id, principal_of(request));
    }
    co_return co_await short_job_answer(services, job, wait, seconds);
  };
  router.add(std::move(route));
}

}  // namespace

void add_resource_routes(Router& router, const Services& services) {
  for (const Kind kind : {Kind::source, Kind::destination, Kind::connection}) add_crud(router, services, kind);
  add_short_job(router, services, Kind::source, "check");
  add_short_job(router, services, Kind::destination, "check");
  add_short_job(router, services, Kind::source, "discover");
}

}  // namespace millrace::api
