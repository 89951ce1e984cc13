// /v1/connectors: what can be connected.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

std::string modes_json(const std::vector<connectors::SyncMode>& modes) {
  std::string out = "[";
  for (const auto mode : modes) {
    if (out.size() > 1) out += ',';
    out += json_text(connectors::to_string(mode));
  }
  return out + "]";
}

JsonObject summary(const connectors::Connector& c) {
  JsonObject object;
  object.text("name", c.name).text("definitionId", c.definition_id).text("title", c.title);
  object.boolean("source", !c.source_spec.empty()).boolean("destination", !c.destination_spec.empty());
  object.raw("sourceModes", modes_json(c.source_modes)).raw("destinationModes", modes_json(c.destination_modes));
  return object;
}

const connectors::Connector& connector_of(const Services& services, const Request& request) {
  const std::string& name = request.path_values.at("name");
  const auto& registry = services.resources->registry();
  const connectors::Connector* c = registry.by_name(name);
  if (c == nullptr) c = registry.by_definition_id(name);
  if (c == nullptr) throw Error("connector.not_found", "no connector is named '" + name.substr(0, 100) + "'");
  return *c;
}

}  // namespace

void add_connector_routes(Router& router, const Services& services) {
  Route list("GET", "/v1/connectors", "List the connectors of this build");
  list.tag = "Connectors";
  list.scope = Scope::read;
  add_page_parameters(list);
  list.handler = [services](Request&) -> asio::awaitable<Response> {
    std::vector<std::string> items;
    for (const auto* c : services.resources->registry().all()) items.push_back(summary(*c).take());
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(list));

  Route spec("GET", "/v1/connectors/{name}/spec",
             "The configuration of a connector, as JSON Schema with Airbyte's annotations");
  spec.tag = "Connectors";
  spec.scope = Scope::read;
  spec.handler = [services](Request& request) -> asio::awaitable<Response> {
    const auto& c = connector_of(services, request);
    JsonObject object = summary(c);
    object.raw("sourceSpec", c.source_spec).raw("destinationSpec", c.destination_spec);
    co_return json_response(200, object.take());
  };
  router.add(std::move(spec));

  Route job("POST", "/v1/connectors/{name}/spec", "The same as a durable job, which can be replayed");
  job.tag = "Connectors";
  job.handler = [services](Request& request) -> asio::awaitable<Response> {
    const auto& c = connector_of(services, request);
    const std::int64_t id = co_await services.jobs->start_spec(c.name, principal_of(request));
    co_await services.jobs->wait(id, std::chrono::seconds(60));
    std::string result = co_await services.jobs->result_json(id);
    co_return json_response(200, std::move(result));
  };
  router.add(std::move(job));
}

}  // namespace millrace::api
