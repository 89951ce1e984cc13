// POST /v1/jobs/{id}/undo and GET /v1/connections/{id}/quarantine.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/job_request.h"
#include "common/errors.h"
#include "workflows/quarantine_view.h"

namespace millrace::api {

void add_upkeep_routes(Router& router, const Services& services) {
  Route undo("POST", "/v1/jobs/{id:int}/undo", "Take back what a job has loaded, where that can be done");
  undo.tag = "Jobs";
  undo.scope = Scope::admin;
  undo.body_schema = "JobUndo";
  undo.response_schema = "Job";
  undo.handler = [services](Request& request) -> asio::awaitable<Response> {
    const nlohmann::json body = parse_json_body(request.body);
    FieldReader fields(body, "", true);
    auto streams = read_streams(fields);
    fields.ignore("reason");
    fields.finish();
    const std::int64_t id = co_await services.jobs->undo(job_id_of(request), std::move(streams),
                                                         idempotency_key_of(request), principal_of(request));
    std::string json = co_await services.jobs->job_json(id);
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(undo));

  Route list("GET", "/v1/connections/{id}/quarantine", "Values that did not fit their type, oldest first");
  list.tag = "Connections";
  list.scope = Scope::read;
  list.query.emplace_back("namespace", "string", "only of this stream");
  list.query.emplace_back("name", "string", "only of this stream");
  list.query.emplace_back("stream", "string", "only of this stream, as namespace.name");
  add_page_parameters(list);
  list.response_schema = "QuarantineList";
  list.handler = [services](Request& request) -> asio::awaitable<Response> {
    std::optional<connectors::StreamName> stream;
    if (const auto name = request.query_value("name"))
      stream.emplace(request.query_value("namespace").value_or(""), *name);
    if (const auto whole = request.query_value("stream")) {
      const auto dot = whole->find('.');
      stream.emplace(dot == std::string::npos ? "" : whole->substr(0, dot),
                     dot == std::string::npos ? *whole : whole->substr(dot + 1));
    }
    const auto after = static_cast<std::int64_t>(number_of(request, "next", 0));
    const std::string id = request.path_values.at("id");
    std::string json = co_await workflows::quarantine_json(services.runtime, services.resources, id, std::move(stream),
                                                           after, limit_of(request));
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(list));
}

}  // namespace millrace::api
