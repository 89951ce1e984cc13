#include "workflows/slots.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "common/metrics.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;

namespace {

constexpr std::size_t kPage = 1'000;

bool follows_a_log(const json& spec) {
  const json method = spec.value("configuration", json::object()).value("replication_method", json());
  return method.is_object() && method.value("method", "") == "CDC";
}

json status_json(const connectors::FeedStatus& s) {
  using connectors::format_lsn;
  json out = {{"slot", s.slot}, {"publication", s.publication}, {"exists", s.exists}};
  if (!s.exists) return out;
  out["plugin"] = s.plugin;
  out["database"] = s.database;
  out["active"] = s.active;
  out["activePid"] = s.active ? json(s.active_pid) : json();
  out["confirmedLsn"] = format_lsn(s.confirmed);
  out["restartLsn"] = s.restart == 0 ? json() : json(format_lsn(s.restart));
  out["serverLsn"] = format_lsn(s.server);
  out["lagBytes"] = s.server > s.confirmed ? s.server - s.confirmed : 0;
  out["retainedBytes"] = s.retained_bytes;
  out["safeBytes"] = s.safe_bytes ? json(*s.safe_bytes) : json();
  out["walStatus"] = s.wal_status.empty() ? json() : json(s.wal_status);
  out["invalidationReason"] = s.invalidation.empty() ? json() : json(s.invalidation);
  return out;
}

asio::awaitable<json> slot_of(Runtime runtime, std::shared_ptr<resources::Resources> resources,
                              resources::Resource source) {
  json out;
  std::exception_ptr error;
  std::unique_ptr<connectors::Source> opened;
  try {
    const auto configuration = co_await resources->configuration_with_secrets(Kind::source, source.id, source.revision);
    opened = resources->connector_of(source).make_source(runtime, configuration);
    const auto feed = opened->change_feed();
    if (feed) {
      const auto status = co_await feed->status();
      set_slot_metrics(status);
      out = status_json(status);
      co_await feed->close();
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (is_cancelled(error)) std::rethrow_exception(error);
  if (opened) co_await opened->close();
  if (error) {
    const json method = json::parse(source.spec).at("configuration").at("replication_method");
    out = {{"slot", method.value("replication_slot", "")},
           {"publication", method.value("publication", "")},
           {"error", describe(error)}};
  }
  out["sourceId"] = source.id;
  out["sourceName"] = source.name;
  co_return out;
}

asio::awaitable<std::vector<resources::Resource>> all_of(std::shared_ptr<resources::Resources> resources, Kind kind) {
  std::vector<resources::Resource> out;
  std::string at;
  do {
    auto page = co_await resources->list(kind, kPage, at);
    for (auto& item : page.items) out.push_back(std::move(item));
    at = std::move(page.next);
  } while (!at.empty());
  co_return out;
}

}  // namespace

void set_slot_metrics(const connectors::FeedStatus& s) {
  const MetricLabels labels{{"slot", s.slot}};
  metric_gauge("millrace_cdc_slot_retained_bytes", "Bytes of the source's log that its server keeps for the slot.",
               labels)
      .set(static_cast<double>(s.exists ? s.retained_bytes : 0));
  metric_gauge("millrace_cdc_slot_active", "1 while somebody reads the slot.", labels).set(s.active ? 1 : 0);
  metric_gauge("millrace_cdc_slot_lost", "1 where the slot is gone, lost or invalidated.", labels)
      .set(!s.exists || s.wal_status == "lost" || !s.invalidation.empty() ? 1 : 0);
  if (s.exists)
    metric_gauge("millrace_cdc_slot_confirmed_lag_bytes", "Bytes of log behind the confirmed position.", labels)
        .set(s.server > s.confirmed ? static_cast<double>(s.server - s.confirmed) : 0);
  if (s.safe_bytes)
    metric_gauge("millrace_cdc_slot_safe_wal_bytes", "Bytes that may be written before the slot is lost.", labels)
        .set(static_cast<double>(*s.safe_bytes));
}

asio::awaitable<std::vector<json>> slots(Runtime runtime, std::shared_ptr<resources::Resources> resources) {
  std::vector<json> out;
  const auto sources = co_await all_of(resources, Kind::source);
  const auto connections = co_await all_of(resources, Kind::connection);
  for (const auto& source : sources) {
    if (!follows_a_log(json::parse(source.spec))) continue;
    json one = co_await slot_of(runtime, resources, source);
    one["connections"] = json::array();
    for (const auto& c : connections)
      if (json::parse(c.spec).value("sourceId", "") == source.id) one["connections"].push_back(c.name);
    out.push_back(std::move(one));
  }
  co_return out;
}

SlotWatch::SlotWatch(Runtime runtime, std::shared_ptr<resources::Resources> resources)
    : runtime_(runtime), resources_(std::move(resources)), tasks_(runtime) {}

void SlotWatch::start() { tasks_.spawn("slot watch", watch()); }
asio::awaitable<void> SlotWatch::stop() { co_await tasks_.stop(); }

asio::awaitable<void> SlotWatch::watch() {
  for (;;) {
    co_await runtime_.sleep_for(kEvery);
    try {
      co_await slots(runtime_, resources_);
    } catch (const Error& e) {
      log_warn("looking at the replication slots failed", {{"error", e.what()}});
    }
  }
}

}  // namespace millrace::workflows
