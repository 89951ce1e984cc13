#include "engine/execution_steps.h"

#include "common/errors.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

PendingStep* ExecutionSteps::current(std::uint64_t event_id, std::uint32_t attempt) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end() || it->second.attempt != attempt || it->second.phase != PendingStep::Phase::running)
    return nullptr;
  return &it->second;
}

bool ExecutionSteps::may_start(const events::ActivityTaskScheduled& scheduled) const {
  return !execution_.core().draining && !execution_.is_blocked() && !execution_.is_paused() &&
         scheduled.task_queue != kNobodysQueue;
}

void ExecutionSteps::prepare(Transaction& tx, events::ActivityTaskScheduled& scheduled) {
  prepared_ = may_start(scheduled) ? execution_.core().queues->try_take(queue_task(scheduled, tx.now)) : nullptr;
  if (prepared_) scheduled.started_by = execution_.core().process;
}

void ExecutionSteps::on_scheduled(Transaction& tx, const HistoryEvent& event) {
  restore(event);
  PendingStep& step = pending_.at(event.id);
  const StepTimeouts& t = step.scheduled.timeouts;
  if (t.schedule_to_close || t.schedule_to_start)
    tx.act([this, id = event.id] {
      if (const auto it = pending_.find(id); it != pending_.end()) arm_step(it->second);
    });
  if (step.attempt == 1)
    launch_after(tx, step, std::exchange(prepared_, nullptr));
  else
    request_start(tx, step);
}

QueueTask ExecutionSteps::queue_task(const events::ActivityTaskScheduled& scheduled, WallTime since) const {
  QueueTask task;
  task.queue = scheduled.task_queue;
  task.type = scheduled.activity_type;
  task.external = execution_.core().registry.step(scheduled.activity_type) == nullptr;
  if (scheduled.priority != 0) task.priority = scheduled.priority;  // 0: from before there were priorities
  task.fairness_key = scheduled.fairness_key;
  task.weight = scheduled.fairness_weight.value_or(1);
  task.limit_keys = scheduled.limit_keys;
  task.since = since;
  return task;
}

void ExecutionSteps::on_cancel_requested(Transaction& tx, const HistoryEvent& event) {
  const auto& a = std::get<events::ActivityTaskCancelRequested>(event.attributes);
  const auto it = pending_.find(a.scheduled_event_id);
  if (it == pending_.end()) return;
  PendingStep& step = it->second;
  step.cancel_event_id = event.id;
  if (step.phase == PendingStep::Phase::running) {
    // Not launched yet, if its start is in this very batch: the action finds it afterwards.
    tx.act([this, id = step.event_id] {
      const auto p = pending_.find(id);
      if (p != pending_.end() && p->second.run) p->second.run->cancel(CancelReason::cancel_requested);
    });
  } else {
    close_cancelled(tx, step);
  }
}

void ExecutionSteps::request_start(Transaction& tx, PendingStep& step) {
  if (step.phase != PendingStep::Phase::waiting || step.attempt == 0)
    step.ready_since = step.attempt == 0 ? step.scheduled_at : tx.now;
  step.phase = PendingStep::Phase::waiting;
  if (!may_start(step.scheduled) || step.row.paused || step.ticket != 0) return;
  if (SlotPtr slot = execution_.core().queues->try_take(queue_task(step.scheduled, step.ready_since))) {
    start_attempt(tx, step, std::move(slot));
    return;
  }
  tx.act([this, id = step.event_id] {
    const auto it = pending_.find(id);
    if (it != pending_.end() && it->second.phase == PendingStep::Phase::waiting && it->second.ticket == 0)
      enqueue(it->second);
  });
}

void ExecutionSteps::enqueue(PendingStep& step) {
  // The grant comes on this strand, after the ticket is known.
  step.ticket = execution_.core().queues->wait(
      queue_task(step.scheduled, step.ready_since),
      [weak = execution_.weak_from_this(), id = step.event_id](const SlotPtr& slot) {
        const auto execution = weak.lock();
        if (!execution) return;
        RunningExecution* e = execution.get();
        execution->submit([e, id, slot](Transaction& tx) { e->steps().slot_granted(tx, id, slot); });
      });
}

// A slot that nobody wants any more goes back by itself.
void ExecutionSteps::slot_granted(Transaction& tx, std::uint64_t event_id, SlotPtr slot) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end()) return;
  PendingStep& step = it->second;
  execution_.core().queues->cancel(step.ticket);
  if (step.phase == PendingStep::Phase::waiting && execution_.accepts() && may_start(step.scheduled) &&
      !step.row.paused)
    start_attempt(tx, step, std::move(slot));
}

// A slot is taken. The attempt's record is part of the batch; its code runs after it.
void ExecutionSteps::start_attempt(Transaction& tx, PendingStep& step, SlotPtr slot) {
  execution_.core().timers.cancel(step.start_timer);
  AttemptRecord next;
  next.started = tx.now;
  next.process = execution_.core().process;
  next.counted = step.record.counted + 1;
  next.failures_without_progress =
      step.checkpoint_attempt >= step.attempt && step.record.outcome != AttemptOutcome::failed
          ? 0
          : step.record.failures_without_progress;
  next.heartbeat = step.record.heartbeat;
  const bool external = slot->poller() != nullptr;
  if (external) {
    next.external = true;
    next.process = slot->poller()->identity();
    next.stamp = execution_.core().runtime.random();
  }
  step.record = std::move(next);
  ++step.attempt;
  step.phase = PendingStep::Phase::running;
  put_attempt(tx, step);
  if (step.attempt > kKeptFirstAttempts + kKeptLastAttempts)
    tx.batch.erase(keys::attempt(execution_.run_id(), step.event_id, step.attempt - kKeptLastAttempts));
  if (external)
    hand_over_after(tx, step, std::move(slot));
  else
    launch_after(tx, step, std::move(slot));
}

// One that ends before it begins gives its slot back with the action, and so does one whose batch is not written.
void ExecutionSteps::launch_after(Transaction& tx, const PendingStep& step, SlotPtr slot) {
  tx.act([this, id = step.event_id, attempt = step.attempt, slot = std::move(slot)] {
    if (PendingStep* s = current(id, attempt)) launch(*s, slot);
  });
}

void ExecutionSteps::launch(PendingStep& step, SlotPtr slot) {
  Core& core = execution_.core();
  StepRun::Plan plan;
  plan.workflow_id = execution_.record().workflow_id;
  plan.activity_id = step.scheduled.activity_id;
  plan.activity_type = step.scheduled.activity_type;
  plan.token.run_id = execution_.run_id();
  plan.token.scheduled_event_id = step.event_id;
  plan.token.attempt = step.attempt;
  plan.counted = step.record.counted;
  plan.retry = step.scheduled.retry;
  plan.failures_without_progress = step.record.failures_without_progress;
  plan.heartbeat = step.record.heartbeat;
  plan.checkpoints = step.checkpoints;

  // The execution outlives its attempts: an end must reach it, if only to give the slot back.
  const RunningPtr execution = execution_.shared_from_this();
  const std::uint64_t id = step.event_id;
  const std::uint32_t attempt = step.attempt;
  StepRun::Reports reports;
  reports.ended = [execution, id, attempt, slot = std::move(slot)](AttemptEnd end) {
    auto shared = std::make_shared<AttemptEnd>(std::move(end));
    RunningExecution* e = execution.get();
    slot->give_back();
    execution->submit([e, id, attempt, shared](Transaction& tx) {
      if (e->accepts()) e->steps().attempt_ended(tx, id, attempt, std::move(*shared));
    });
    execution->core().steps.leave();
  };
  reports.flush = [execution, id, attempt] {
    RunningExecution* e = execution.get();
    execution->submit([e, id, attempt](Transaction& tx) {
      if (e->accepts()) e->steps().flush(tx, id, attempt);
    });
  };
  reports.checkpoint = [execution, id, attempt](std::string scope, Payload state, const AckPtr& ack) {
    RunningExecution* e = execution.get();
    execution->submit([e, id, attempt, scope = std::move(scope), state = std::move(state), ack](Transaction& tx) {
      e->steps().checkpoint(tx, id, attempt, scope, state, ack);
    });
  };
  core.steps.enter();
  step.run = std::make_shared<StepRun>(execution_.shared_core(), std::move(plan), std::move(reports));
  arm_attempt(step);
  step.run->run(core.registry.step(step.scheduled.activity_type), step.scheduled.input.text);
  if (step.cancel_event_id != 0) step.run->cancel(CancelReason::cancel_requested);
}

void ExecutionSteps::attempt_ended(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt, AttemptEnd end) {
  PendingStep* found = current(event_id, attempt);
  if (found == nullptr) return;  // from an older attempt, or of a step that has ended: dropped
  PendingStep& step = *found;
  write_unwritten(tx, step);
  const CancelReason reason = step.run ? step.run->cancel_reason() : CancelReason::none;
  const std::string identity = step.worker ? step.record.process : execution_.core().process;
  step.run.reset();
  step.worker.reset();
  if (end.result) {
    tx.act([core = execution_.shared_core(), type = step.scheduled.activity_type] {
      core->metrics.attempt(type, AttemptOutcome::completed, false);
    });
    events::ActivityTaskCompleted completed;
    completed.scheduled_event_id = event_id;
    completed.started_event_id = append_started(tx, step);
    completed.result = std::move(*end.result);
    completed.identity = identity;
    forget(step);
    execution_.append(tx, std::move(completed));
    return;
  }
  // What a step throws while it is made to end for a shutdown is no outcome of its work.
  if ((end.suspended && execution_.core().draining) || reason == CancelReason::shut_down) {
    --step.record.counted;
    end_attempt(tx, step, AttemptOutcome::suspended, std::nullopt);
    step.phase = PendingStep::Phase::waiting;
    return;
  }
  Failure failure;
  if (end.suspended) {
    failure.type = kSuspendedType;
    failure.message = "the step suspended itself though the server does not drain";
  } else {
    failure = failure_from_exception(end.error);
  }
  if (step.cancel_event_id != 0 && failure.type == kCancelledType) {
    end_attempt(tx, step, AttemptOutcome::failed, std::move(failure));
    close_cancelled(tx, step);
    return;
  }
  // Cancelled by nobody we know: its own time-out inside, perhaps. Worth another try.
  if (failure.type == kCancelledType) failure.retryable = true, failure.type = "internal";
  fail_attempt(tx, step, std::move(failure));
}

void ExecutionSteps::fail_attempt(Transaction& tx, PendingStep& step, Failure failure) {
  const bool unknown = failure.type == kUnknownOutcome;
  if (!unknown) {
    step.last_failure = failure;
    step.record.failures_without_progress =
        (step.checkpoint_attempt >= step.attempt ? 0 : step.record.failures_without_progress) + 1;
  }
  end_attempt(tx, step, unknown ? AttemptOutcome::unknown : AttemptOutcome::failed, failure);

  RetryQuestion q;
  q.policy = &step.scheduled.retry;
  q.failure = &failure;
  q.attempts = step.record.counted;
  q.failures_without_progress = step.record.failures_without_progress;
  q.now = tx.now;
  if (step.scheduled.timeouts.schedule_to_close)
    q.deadline = step.scheduled_at + *step.scheduled.timeouts.schedule_to_close;
  q.cancel_requested = step.cancel_event_id != 0;
  q.jitter_seed = jitter_seed(execution_.run_id(), step.event_id, step.attempt);
  const RetryDecision decision = decide_retry(q);
  if (decision.state != RetryState::in_progress)
    close_failed(tx, step, std::move(failure), decision.state);
  else if (unknown)
    request_start(tx, step);  // the step did nothing wrong: at once
  else
    back_off(tx, step, decision.delay);
}

void ExecutionSteps::back_off(Transaction& tx, PendingStep& step, Duration delay) {
  step.phase = PendingStep::Phase::backing_off;
  step.next_attempt = tx.now + delay;
  TimerRow row;
  row.kind = TimerKind::retry;
  row.event_id = step.event_id;
  row.attempt = step.attempt;
  tx.batch.put(keys::timer(step.next_attempt, execution_.run_id(), timer_seq(row.kind, row.event_id)),
               encode_record(row));
  tx.act([this, id = step.event_id] {
    const auto it = pending_.find(id);
    if (it != pending_.end() && it->second.phase == PendingStep::Phase::backing_off) arm_retry(it->second);
  });
}

void ExecutionSteps::put_attempt(Transaction& tx, const PendingStep& step) {
  tx.batch.put(keys::attempt(execution_.run_id(), step.event_id, step.attempt), encode_record(step.record));
}

void ExecutionSteps::end_attempt(Transaction& tx, PendingStep& step, AttemptOutcome outcome,
                                 std::optional<Failure> failure) {
  const bool timed_out = failure && failure->type.starts_with("Timeout");
  step.record.outcome = outcome;
  step.record.ended = tx.now;
  step.record.failure = std::move(failure);
  put_attempt(tx, step);
  TimerQueue& timers = execution_.core().timers;
  timers.cancel(step.attempt_timer);
  timers.cancel(step.heartbeat_timer);
  tx.act([core = execution_.shared_core(), type = step.scheduled.activity_type, outcome, timed_out] {
    core->metrics.attempt(type, outcome, timed_out);
  });
}

std::uint64_t ExecutionSteps::append_started(Transaction& tx, const PendingStep& step) {
  if (step.attempt == 0) return 0;
  events::ActivityTaskStarted started;
  started.scheduled_event_id = step.event_id;
  started.attempt = step.attempt;
  started.started = step.record.started;
  started.identity = step.record.process;
  if (step.attempt > 1) started.last_failure = step.last_failure;
  return execution_.append(tx, std::move(started)).id;
}

void ExecutionSteps::close_failed(Transaction& tx, PendingStep& step, Failure failure, RetryState state) {
  drop_retry_timer(tx, step);
  const std::uint64_t started = append_started(tx, step);
  const std::uint64_t id = step.event_id;
  forget(step);
  if (failure.type.starts_with("Timeout")) {
    events::ActivityTaskTimedOut e;
    e.scheduled_event_id = id;
    e.started_event_id = started;
    e.failure = std::move(failure);
    e.retry_state = state;
    execution_.append(tx, std::move(e));
  } else {
    events::ActivityTaskFailed e;
    e.scheduled_event_id = id;
    e.started_event_id = started;
    e.failure = std::move(failure);
    e.retry_state = state;
    e.identity = execution_.core().process;
    execution_.append(tx, std::move(e));
  }
}

void ExecutionSteps::close_cancelled(Transaction& tx, PendingStep& step) {
  drop_retry_timer(tx, step);
  events::ActivityTaskCanceled e;
  e.scheduled_event_id = step.event_id;
  e.started_event_id = append_started(tx, step);
  e.cancel_requested_event_id = step.cancel_event_id;
  forget(step);
  execution_.append(tx, std::move(e));
}

void ExecutionSteps::drop_retry_timer(Transaction& tx, PendingStep& step) {
  if (step.phase != PendingStep::Phase::backing_off) return;
  tx.batch.erase(keys::timer(step.next_attempt, execution_.run_id(), timer_seq(TimerKind::retry, step.event_id)));
}

void ExecutionSteps::forget(PendingStep& step) {
  TimerQueue& timers = execution_.core().timers;
  for (auto* id : {&step.retry_timer, &step.attempt_timer, &step.heartbeat_timer, &step.start_timer, &step.close_timer})
    timers.cancel(*id);
  execution_.core().queues->cancel(step.ticket);
  pending_.erase(step.event_id);
}

void ExecutionSteps::on_close(Transaction& tx) {
  while (!pending_.empty()) {
    PendingStep& step = pending_.begin()->second;
    drop_retry_timer(tx, step);
    if (step.phase == PendingStep::Phase::running) {
      write_unwritten(tx, step);
      if (step.run) tx.act_anyway([run = step.run] { run->cancel(CancelReason::cancel_requested); });
      Failure failure;
      failure.type = kCancelledType;
      failure.message = "the execution was closed";
      failure.retryable = false;
      end_attempt(tx, step, AttemptOutcome::failed, std::move(failure));
    }
    forget(step);
  }
}

void ExecutionSteps::forget_all() {
  while (!pending_.empty()) forget(pending_.begin()->second);
}

void ExecutionSteps::cancel_running(CancelReason reason) {
  for (auto& [_, step] : pending_)
    if (step.run) step.run->cancel(reason);
}

void ExecutionSteps::abandon(CancelReason reason) {
  cancel_running(reason);
  forget_all();
}

}  // namespace millrace::engine
