#include "workflows/quarantine_view.h"

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/log.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;

asio::awaitable<std::string> quarantine_json(Runtime runtime, ResourcesPtr resources, std::string connection_id,
                                             std::optional<connectors::StreamName> stream, std::int64_t after,
                                             std::size_t limit) {
  const auto connection = co_await resources->get(Kind::connection, connection_id);
  JobInput job;
  job.destination.id = json::parse(connection.spec).value("destinationId", "");
  const auto head = co_await resources->get(Kind::destination, job.destination.id);
  job.destination.revision = head.revision;
  const Endpoints endpoints = co_await make_endpoints(runtime, resources, job);
  std::shared_ptr<connectors::Destination> destination = endpoints.make_destination();
  std::vector<connectors::QuarantinedRow> rows;
  std::exception_ptr error;
  try {
    rows = co_await destination->quarantined(connection_id, std::move(stream), after, limit);
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await destination->close();
  } catch (const std::exception& e) {
    log_debug("closing a destination failed", {{"error", e.what()}});
  }
  if (error) std::rethrow_exception(error);
  json out = {{"data", json::array()}};
  for (const auto& r : rows)
    out["data"].push_back({{"id", r.id},
                           {"namespace", r.stream.ns},
                           {"name", r.stream.name},
                           {"jobId", r.load},
                           {"row", r.value.row},
                           {"key", json::parse(r.value.key, nullptr, false)},
                           {"field", r.value.field},
                           {"type", r.value.wanted},
                           {"reason", r.value.reason},
                           {"value", r.value.bytes},
                           {"time", r.at}});
  out["next"] = rows.size() == limit && limit > 0 ? json(std::to_string(rows.back().id)) : json();
  out["previous"] = json();
  co_return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace millrace::workflows
