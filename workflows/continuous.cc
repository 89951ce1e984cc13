#include "workflows/continuous.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/log.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;

namespace {
constexpr std::size_t kPage = 1'000;
}

ContinuousKeeper::ContinuousKeeper(Runtime runtime, std::shared_ptr<resources::Resources> resources,
                                   std::shared_ptr<Jobs> jobs)
    : runtime_(runtime), resources_(std::move(resources)), jobs_(std::move(jobs)), tasks_(runtime) {}

void ContinuousKeeper::start() { tasks_.spawn("continuous connections", watch()); }
asio::awaitable<void> ContinuousKeeper::stop() { co_await tasks_.stop(); }

asio::awaitable<void> ContinuousKeeper::watch() {
  for (;;) {
    co_await look();
    co_await runtime_.sleep_for(kEvery);
  }
}

asio::awaitable<void> ContinuousKeeper::look() {
  std::string at;
  do {
    const auto page = co_await resources_->list(Kind::connection, kPage, at);
    for (const auto& connection : page.items) {
      const json spec = json::parse(connection.spec);
      if (spec.value("schedule", json::object()).value("scheduleType", "") != "continuous") continue;
      try {
        co_await look_at(connection);
      } catch (const Error& e) {
        log_warn("a continuous connection could not be looked after",
                 {{"connection", connection.name}, {"error", e.what()}});
      }
    }
    at = page.next;
  } while (!at.empty());
}

asio::awaitable<void> ContinuousKeeper::look_at(resources::Resource connection) {
  JobFilter filter;
  filter.connection_id = connection.id;
  filter.limit = 1;
  const json jobs = json::parse(co_await jobs_->list_json(filter)).at("data");
  const bool active = json::parse(connection.spec).value("status", "active") == "active";
  bool wanted = active;
  if (!jobs.empty()) {
    const json& last = jobs.front();
    const std::string status = last.value("status", "");
    const bool same = last.at("revisions").value("connection", json::object()).value("revision", std::int64_t{0}) ==
                      connection.revision;
    const bool ended = status == "succeeded" || status == "failed" || status == "cancelled";
    if (!ended) {
      if ((!active || !same) && !last.value("cancelRequested", false))
        co_await jobs_->cancel(last.at("jobId").get<std::int64_t>(), "the connection was changed");
      co_return;
    }
    if (same && status == "cancelled") wanted = false;
    if (same && status == "failed") {
      const auto [it, first] = not_before_.emplace(connection.id, runtime_.mono() + kAfterFailure);
      if (runtime_.mono() < it->second) wanted = false;
    }
  }
  if (!wanted) co_return;
  not_before_.erase(connection.id);
  JobRequest request;
  request.connection_id = connection.id;
  request.attach = true;
  request.principal = resources::Principal("schedule");
  co_await jobs_->start(std::move(request));
}

}  // namespace millrace::workflows
