// /v1/slots: the replication slots of the sources that follow a log.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"
#include "workflows/slots.h"

namespace millrace::api {
namespace {

using nlohmann::json;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

Route slot_route(const char* path, const char* summary, const char* answer) {
  Route route("GET", path, summary);
  route.tag = "Slots";
  route.scope = Scope::read;
  route.response_schema = answer;
  return route;
}

}  // namespace

void add_slot_routes(Router& router, const Services& services) {
  Route list =
      slot_route("/v1/slots", "Replication slots: what the sources keep for them, and how far they are", "SlotList");
  add_page_parameters(list);
  list.handler = [services](Request&) -> asio::awaitable<Response> {
    const auto all = co_await workflows::slots(services.runtime, services.resources);
    std::vector<std::string> items;
    for (const auto& one : all) items.push_back(dump(one));
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(list));

  Route show = slot_route("/v1/slots/{name}", "One replication slot, by its name", "Slot");
  show.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string name = request.path_values.at("name");
    const auto all = co_await workflows::slots(services.runtime, services.resources);
    for (const auto& one : all)
      if (one.value("slot", "") == name) co_return json_response(200, dump(one));
    throw Error("slot.not_found", "no source follows a log by the slot \"" + name + "\"");
  };
  router.add(std::move(show));
}

}  // namespace millrace::api
