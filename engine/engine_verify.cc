// Verify: today's code against a past history, without any effect.
#include "engine/engine_impl.h"
#include "engine/history.h"

namespace millrace::engine {

asio::awaitable<Engine::Impl::Replayed> Engine::Impl::replay(std::string run_id) {
  HistoryTrial trial(core_->registry, run_id);
  HistoryReader reader(*core_->store, run_id);
  for (auto events = co_await reader.next(); !events.empty() && !trial.divergence; events = co_await reader.next())
    for (const HistoryEvent& event : events) trial.feed(event);
  trial.finish();
  Replayed out;
  out.replayer = std::move(trial.replayer);
  out.divergence = std::move(trial.divergence);
  out.events = trial.events;
  co_return out;
}

asio::awaitable<VerifyReport> Engine::Impl::verify(std::string workflow_id, std::string run_id) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  const Replayed replayed = co_await replay(found.run_id);
  VerifyReport report;
  report.open_end = is_open(found.record.status);
  report.divergence = replayed.divergence;
  report.events_checked = replayed.events;
  co_return report;
}

}  // namespace millrace::engine
