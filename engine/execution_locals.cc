#include "engine/execution_locals.h"

#include "common/errors.h"
#include "engine/retry.h"
#include "engine/running_execution.h"

namespace millrace::engine {

void ExecutionLocals::take(Transaction& tx, Replayer& replayer) {
  for (const std::string& id : replayer.take_local_cancels()) {
    const auto it = open_.find(id);
    if (it == open_.end()) continue;
    execution_.core().timers.cancel(it->second.timer);
    if (it->second.run) it->second.run->cancel(CancelReason::cancel_requested);
    open_.erase(it);
  }
  for (LocalAsk& ask : replayer.take_local_asks()) {
    const std::string id = ask.activity_id;
    Local local;
    local.ask = std::move(ask);
    open_.insert_or_assign(id, std::move(local));
    tx.act([this, id] { launch(id); });
  }
}

void ExecutionLocals::launch(const std::string& id) {
  Core& core = execution_.core();
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.run || core.draining) return;
  Local& local = it->second;
  ++local.attempt;
  StepRun::Plan plan;
  plan.workflow_id = execution_.record().workflow_id;
  plan.activity_id = id;
  plan.activity_type = local.ask.type;
  plan.token.run_id = execution_.run_id();
  plan.token.attempt = local.attempt;
  plan.counted = local.attempt;
  plan.retry = local.ask.options.retry;
  const RunningPtr execution = execution_.shared_from_this();
  StepRun::Reports reports;
  reports.ended = [execution, id, attempt = local.attempt](AttemptEnd end) {
    auto shared = std::make_shared<AttemptEnd>(std::move(end));
    RunningExecution* e = execution.get();
    execution->submit([e, id, attempt, shared](Transaction& tx) {
      if (e->accepts()) e->locals().ended(tx, id, attempt, std::move(*shared));
    });
    execution->core().steps.leave();
  };
  reports.flush = [] {};
  reports.checkpoint = [](const std::string&, const Payload&, const AckPtr& ack) {
    ack->fail(std::make_exception_ptr(Error("workflow.invalid", "a local step keeps no checkpoints")));
  };
  core.steps.enter();
  local.run = std::make_shared<StepRun>(execution_.shared_core(), std::move(plan), std::move(reports));
  if (const auto bound = local.ask.options.start_to_close)
    local.timer = core.timers.add_in(*bound, [run = local.run] { run->cancel(CancelReason::timed_out); });
  local.run->run(core.registry.step(local.ask.type), local.ask.input);
}

void ExecutionLocals::ended(Transaction& tx, const std::string& id, std::uint32_t attempt, AttemptEnd end) {
  const auto it = open_.find(id);
  if (it == open_.end() || it->second.attempt != attempt || !it->second.run) return;  // given up meanwhile
  Local& local = it->second;
  Core& core = execution_.core();
  core.timers.cancel(local.timer);
  const CancelReason reason = local.run->cancel_reason();
  local.run.reset();
  if (end.result) {
    core.metrics.attempt(local.ask.type, AttemptOutcome::completed, false);
    return record(tx, id, std::move(*end.result), std::nullopt);
  }
  // The next server runs it again.
  if (core.draining || end.suspended || reason == CancelReason::shut_down) return;
  Failure failure = failure_from_exception(end.error);
  if (reason == CancelReason::timed_out) {
    failure = Failure();
    failure.type = kTimeoutStartToClose;
    failure.message = "the local step took longer than its time-out allows";
  }
  core.metrics.attempt(local.ask.type, AttemptOutcome::failed, reason == CancelReason::timed_out);
  RetryQuestion q;
  q.policy = &local.ask.options.retry;
  q.failure = &failure;
  q.attempts = attempt;
  q.failures_without_progress = attempt;
  q.now = tx.now;
  q.jitter_seed = jitter_seed(execution_.run_id(), 0, attempt);
  const RetryDecision decision = decide_retry(q);
  if (decision.state != RetryState::in_progress) return record(tx, id, {}, std::move(failure));
  local.timer = core.timers.add_in(decision.delay, [weak = execution_.weak_from_this(), id] {
    const auto execution = weak.lock();
    if (!execution) return;
    RunningExecution* e = execution.get();
    execution->submit([e, id](Transaction& t) {
      if (e->accepts()) t.act([e, id] { e->locals().launch(id); });
    });
  });
}

void ExecutionLocals::record(Transaction& tx, const std::string& id, Payload result, std::optional<Failure> failure) {
  events::MarkerRecorded marker;
  marker.kind = events::MarkerKind::local_step;
  marker.name = id;
  marker.activity_type = open_.at(id).ask.type;
  marker.details = std::move(result);
  marker.failure = std::move(failure);
  open_.erase(id);
  execution_.append(tx, std::move(marker));
}

void ExecutionLocals::on_close(Transaction& tx) {
  tx.act([this] { abandon(); });
}

void ExecutionLocals::abandon() {
  for (auto& [_, local] : open_) {
    execution_.core().timers.cancel(local.timer);
    if (local.run) local.run->cancel(CancelReason::shut_down);
  }
  open_.clear();
}

}  // namespace millrace::engine
