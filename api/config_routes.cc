// /v1/plan, /v1/apply, /v1/export: configuration as code. Files are read and expanded by the client.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"

namespace millrace::api {

void add_config_routes(Router& router, const Services& services) {
  for (const bool apply : {false, true}) {
    Route route("POST", apply ? "/v1/apply" : "/v1/plan",
                apply ? "Make what is here equal to the documents" : "What apply would change; changes nothing");
    route.tag = "Configuration as code";
    route.body_schema = "Documents";
    route.response_schema = "Plan";
    route.handler = [services, apply](Request& request) -> asio::awaitable<Response> {
      const nlohmann::json body = parse_json_body(request.body);
      FieldReader fields(body, "", true);
      const nlohmann::json* documents = fields.value("documents");
      const bool prune = fields.boolean("prune");
      if (documents == nullptr || !documents->is_array())
        fields.fault("documents", "must be an array of resource documents");
      fields.finish();
      std::string text = documents->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      std::string answer;
      if (apply) {
        answer = co_await services.resources->apply(std::move(text), prune, principal_of(request));
      } else {
        answer = co_await services.resources->plan(std::move(text), prune);
      }
      co_return json_response(200, std::move(answer));
    };
    router.add(std::move(route));
  }

  Route out("GET", "/v1/export", "The documents that would make what is here, in long form, secrets masked");
  out.tag = "Configuration as code";
  out.scope = Scope::read;
  out.handler = [services](Request&) -> asio::awaitable<Response> {
    std::string documents = co_await services.resources->export_all();
    co_return json_response(200, std::move(documents));
  };
  router.add(std::move(out));
}

}  // namespace millrace::api
