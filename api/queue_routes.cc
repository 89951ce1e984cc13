// /v1/queues: task queues as they stand, and their limits.
#include <cmath>

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

// Limits without a bound read null.
void add_limits(JsonObject& object, const engine::Limits& limits) {
  if (limits.concurrency == engine::Limits::kNoBound)
    object.raw("concurrency", "");
  else
    object.number("concurrency", static_cast<std::int64_t>(limits.concurrency));
  object.raw("ratePerSecond",
             limits.rate_per_second > 0 ? nlohmann::json(limits.rate_per_second).dump() : std::string("null"));
}

std::string queue_json(const engine::QueueView& q, bool with_keys) {
  JsonObject object;
  object.text("name", q.name);
  add_limits(object, q.limits);
  object.number("running", static_cast<std::int64_t>(q.running))
      .number("waiting", static_cast<std::int64_t>(q.waiting))
      .number("waitingForWorkers", static_cast<std::int64_t>(q.waiting_for_workers))
      .number("pollers", static_cast<std::int64_t>(q.pollers));
  object.raw("waitingSince", q.oldest ? json_text(format_time(*q.oldest)) : std::string("null"));
  if (!with_keys) return object.take();
  std::string keys = "[", limits = "[";
  for (const auto& key : q.fairness_keys) {
    if (keys.size() > 1) keys += ',';
    keys += JsonObject()
                .text("key", key.key)
                .number("priority", key.priority)
                .raw("weight", nlohmann::json(key.weight).dump())
                .number("waiting", static_cast<std::int64_t>(key.waiting))
                .take();
  }
  for (const auto& limit : q.limit_keys) {
    if (limits.size() > 1) limits += ',';
    JsonObject one;
    one.text("key", limit.key);
    add_limits(one, limit.limits);
    limits += one.number("running", static_cast<std::int64_t>(limit.running))
                  .number("waiting", static_cast<std::int64_t>(limit.waiting))
                  .take();
  }
  object.raw("fairnessKeys", keys + "]").raw("limitKeys", limits + "]");
  return object.take();
}

Route queue_route(std::string method, std::string path, std::string summary) {
  Route route(std::move(method), std::move(path), std::move(summary));
  route.tag = "Queues";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

}  // namespace

void add_queue_routes(Router& router, const Services& services) {
  Route list = queue_route("GET", "/v1/queues", "Task queues that are configured or in use: what runs and waits");
  list.response_schema = "QueueList";
  add_page_parameters(list);
  list.handler = [services](Request&) -> asio::awaitable<Response> {
    std::vector<std::string> items;
    for (const auto& q : services.engine->queues()) items.push_back(queue_json(q, false));
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(list));

  Route get = queue_route("GET", "/v1/queues/{name}",
                          "One queue: the lines of its fairness keys, the longest first, and the limit keys in use");
  get.response_schema = "Queue";
  get.handler = [services](Request& request) -> asio::awaitable<Response> {
    co_return json_response(200, queue_json(services.engine->queue(request.path_values.at("name")), true));
  };
  router.add(std::move(get));

  Route put = queue_route("PUT", "/v1/queues/{name}",
                          "Set the limits of a queue until the server is started again or re-reads its configuration");
  put.body_schema = "QueueLimits";
  put.response_schema = "Queue";
  put.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string name = request.path_values.at("name");
    if (name.empty() || name.size() > 200) throw Error("queue.invalid", "a queue's name has 1 to 200 bytes");
    const nlohmann::json body = parse_json_body(request.body);
    FieldReader fields(body, "", true);
    engine::Limits limits;
    if (const auto* n = fields.value("concurrency"); n != nullptr && !n->is_null()) {
      if (n->is_number_unsigned() && n->get<std::uint64_t>() <= 1'000'000)
        limits.concurrency = n->get<std::size_t>();
      else
        fields.fault("concurrency", "must be a number from 0 to 1,000,000, or null for no bound");
    }
    if (const auto* r = fields.value("ratePerSecond"); r != nullptr && !r->is_null()) {
      const double rate = r->is_number() ? r->get<double>() : -1;
      if (rate > 0 && rate <= 1e6)
        limits.rate_per_second = rate;
      else
        fields.fault("ratePerSecond", "must be a number above 0 and up to 1,000,000, or null for no bound");
    }
    fields.finish();
    services.engine->configure_queue(name, limits);
    co_return json_response(200, queue_json(services.engine->queue(name), true));
  };
  router.add(std::move(put));
}

}  // namespace millrace::api
