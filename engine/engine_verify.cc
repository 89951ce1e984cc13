// Verify: today's code against a past history, without any effect.
#include "engine/engine_impl.h"
#include "engine/history.h"

namespace millrace::engine {

asio::awaitable<Engine::Impl::Replayed> Engine::Impl::replay(std::string run_id) {
  Replayed out;
  std::optional<HistoryReplay> replay;
  HistoryReader reader(*core_->store, run_id);
  for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next()) {
    for (const HistoryEvent& event : events) {
      if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&event.attributes)) {
        Replayer::Identity identity;
        identity.workflow_id = s->workflow_id;
        identity.run_id = run_id;
        identity.type = s->workflow_type;
        identity.original_run_id = s->original_run_id;
        const WorkflowFunction* function = core_->registry.workflow(s->workflow_type);
        if (function == nullptr) {
          Divergence d;
          d.event_id = event.id;
          d.expected = "code for workflow type " + s->workflow_type;
          d.got = "nothing: this build has none";
          d.position = "the start";
          out.divergence = std::move(d);
          co_return out;
        }
        out.replayer = std::make_unique<Replayer>(std::move(identity), *function, s->input.text);
        replay.emplace(*out.replayer);
      }
      if (replay) out.divergence = replay->feed(event);
      if (out.divergence) co_return out;
      out.events = event.id;
    }
  }
  if (replay) out.divergence = replay->finish();
  co_return out;
}

asio::awaitable<VerifyReport> Engine::Impl::verify(std::string workflow_id, std::string run_id) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  const Replayed replayed = co_await replay(found.run_id);
  VerifyReport report;
  report.open_end = found.record.status == ExecutionStatus::running;
  report.divergence = replayed.divergence;
  report.events_checked = replayed.events;
  co_return report;
}

}  // namespace millrace::engine
