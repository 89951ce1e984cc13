// Metrics about jobs that must survive a restart: they are told from the rows, once, before the engine starts.
#include "common/metrics.h"
#include "state/keys.h"
#include "workflows/job_starts.h"
#include "workflows/jobs_view.h"

namespace millrace::workflows {

using resources::Kind;
namespace keys = state::keys;

namespace {
// Of each connection so many jobs are looked at: one that failed more often in a row has no success worth showing.
constexpr std::size_t kLookBack = 100;
constexpr std::size_t kPage = 1'000;
}  // namespace

void set_last_success(const std::string& connection_name, WallTime when) {
  metric_gauge("millrace_sync_last_success_timestamp_seconds", "When the last sync of a connection succeeded.",
               {{"connection", connection_name}})
      .set(static_cast<double>(to_micros(when)) / 1e6);
}

asio::awaitable<std::optional<WallTime>> JobStarts::last_success(std::string connection_id) {
  std::optional<WallTime> out;
  auto range = state::prefix_range(keys::job_of_connection_prefix(connection_id));
  range.limit = kLookBack;
  const auto rows = co_await store_->scan(range);
  for (const auto& r : rows) {
    const auto job = co_await row(std::stoll(r.value));
    if (job.job_type != "sync" && job.job_type != "normalize") continue;
    const auto detail = co_await engine_->describe(job.workflow_id, job.run_id);
    if (job_status(detail) != "succeeded" || !detail.execution.closed) continue;
    out = *detail.execution.closed;
    break;
  }
  co_return out;
}

asio::awaitable<void> JobStarts::restore_metrics() {
  std::string page;
  do {
    const auto some = co_await resources_->list(Kind::connection, kPage, page);
    for (const auto& connection : some.items) {
      const auto when = co_await last_success(connection.id);
      if (when) set_last_success(connection.name, *when);
    }
    page = some.next;
  } while (!page.empty());
}

}  // namespace millrace::workflows
