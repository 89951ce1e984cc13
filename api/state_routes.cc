// /v1/connections/{id}/state: what the next job of each stream starts from; seen, and edited as revisions.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"
#include "common/time_point.h"

namespace millrace::api {
namespace {

using nlohmann::json;

std::string state_json(const resources::StreamState& s) {
  JsonObject out;
  out.text("namespace", s.stream.ns).text("name", s.stream.name).number("revision", s.revision);
  out.number("jobId", s.job).text("author", s.author).text("updatedAt", format_time(s.time)).raw("state", s.state);
  return out.take();
}

std::string states_json(const std::string& connection_id, const std::vector<resources::StreamState>& states) {
  std::string list = "[";
  for (const auto& s : states) list += (list.size() > 1 ? "," : "") + state_json(s);
  return JsonObject().text("connectionId", connection_id).raw("streams", list + "]").take();
}

Route state_route(const char* method, const char* path, const char* summary) {
  Route route(method, path, summary);
  route.tag = "Connections";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

std::vector<resources::StreamState> read_states(const Request& request) {
  const json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  std::vector<resources::StreamState> out;
  const json* streams = fields.value("streams");
  if (streams == nullptr || !streams->is_array() || streams->empty()) {
    fields.fault("streams", "must be a list of {namespace, name, state}");
  } else {
    for (std::size_t i = 0; i < streams->size(); ++i) {
      const json& one = (*streams)[i];
      const std::string at = "streams/" + std::to_string(i);
      if (!one.is_object() || !one.contains("name") || !one["name"].is_string() || !one.contains("state")) {
        fields.fault(at, "must be {namespace, name, state}");
        continue;
      }
      for (const auto& [field, value] : one.items())
        if (field != "name" && field != "namespace" && field != "state") fields.fault(at + "/" + field, "is not known");
      if (!one["state"].is_object() && !one["state"].is_null()) {
        fields.fault(at + "/state", "must be an object, or null for none");
        continue;
      }
      if (one.contains("namespace") && !one["namespace"].is_string()) {
        fields.fault(at + "/namespace", "must be a string");
        continue;
      }
      resources::StreamState s;
      s.stream.ns = one.value("namespace", "");
      s.stream.name = one["name"].get<std::string>();
      if (one["state"].is_object()) s.state = one["state"].dump();
      out.push_back(std::move(s));
    }
  }
  fields.finish();
  return out;
}

}  // namespace

void add_state_routes(Router& router, const Services& services) {
  Route get = state_route("GET", "/v1/connections/{id}/state", "Where the next job of each stream starts from");
  get.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string id = request.path_values.at("id");
    co_await services.resources->get(resources::Kind::connection, id);
    const auto states = co_await services.resources->stream_states(id);
    co_return json_response(200, states_json(id, states));
  };
  router.add(std::move(get));

  Route put = state_route("PUT", "/v1/connections/{id}/state",
                          "Set where the next job of the named streams starts from; null: everything is read again");
  put.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string id = request.path_values.at("id");
    const auto principal = principal_of(request);
    auto states = read_states(request);
    for (auto& s : states) {
      s.author = principal.name;
      s.time = services.runtime.now();
      co_await services.resources->put_stream_state(id, s);
    }
    const auto now = co_await services.resources->stream_states(id);
    co_return json_response(200, states_json(id, now));
  };
  router.add(std::move(put));

  Route history =
      state_route("GET", "/v1/connections/{id}/state/history", "The revisions of one stream's state, newest first");
  history.query.emplace_back("namespace", "string", "the stream's namespace");
  history.query.emplace_back("name", "string", "the stream's name");
  history.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string id = request.path_values.at("id");
    co_await services.resources->get(resources::Kind::connection, id);
    connectors::StreamName stream;
    if (const auto ns = request.query_value("namespace")) stream.ns = *ns;
    if (const auto name = request.query_value("name")) stream.name = *name;
    const auto all = co_await services.resources->stream_state_history(id, stream);
    std::vector<std::string> items;
    for (const auto& s : all) items.push_back(state_json(s));
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(history));
}

}  // namespace millrace::api
