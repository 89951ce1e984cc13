// The four time-outs of a step, and the end of its back-off. Those of an attempt die with the attempt;
// schedule-to-close spans all of them. A timer that comes late finds another attempt, or none, and does nothing.
#include "engine/execution_steps.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {
namespace {

// A timer's way to its execution, which may be gone.
template <class F>
std::function<void()> to_execution(const RunningPtr& execution, F f) {
  return [weak = std::weak_ptr<RunningExecution>(execution), f] {
    const auto e = weak.lock();
    if (!e) return;
    RunningExecution* raw = e.get();
    e->submit([raw, f](Transaction& tx) {
      if (raw->accepts()) f(raw->steps(), tx);
    });
  };
}

}  // namespace

void ExecutionSteps::arm_step(PendingStep& step) {
  Core& core = execution_.core();
  const RunningPtr execution = execution_.shared_from_this();
  const std::uint64_t id = step.event_id;
  const StepTimeouts& t = step.scheduled.timeouts;
  if (t.schedule_to_close && step.close_timer == 0)
    step.close_timer = core.timers.add_at(step.scheduled_at + *t.schedule_to_close,
                                          to_execution(execution, [id](ExecutionSteps& s, Transaction& tx) {
                                            s.step_timed_out(tx, id, kTimeoutScheduleToClose);
                                          }));
  // Of the first attempt; a retry that waits for a slot gets its own in retry_due().
  if (t.schedule_to_start && step.phase == PendingStep::Phase::waiting && step.start_timer == 0)
    step.start_timer = core.timers.add_at(step.ready_since + *t.schedule_to_start,
                                          to_execution(execution, [id](ExecutionSteps& s, Transaction& tx) {
                                            s.step_timed_out(tx, id, kTimeoutScheduleToStart);
                                          }));
}

void ExecutionSteps::arm_attempt(PendingStep& step) {
  const StepTimeouts& t = step.scheduled.timeouts;
  Core& core = execution_.core();
  const std::uint64_t id = step.event_id;
  const std::uint32_t attempt = step.attempt;
  if (const auto start_to_close = start_to_close_of(step))
    // An attempt on a worker may have run before this process did; others begin now.
    step.attempt_timer = core.timers.add_in(
        step.worker ? std::max(Duration(0), step.record.started + *start_to_close - core.runtime.now())
                    : *start_to_close,
        to_execution(execution_.shared_from_this(), [id, attempt](ExecutionSteps& s, Transaction& tx) {
          s.attempt_timed_out(tx, id, attempt, kTimeoutStartToClose);
        }));
  if (t.heartbeat) arm_heartbeat(step, core.runtime.mono() + *t.heartbeat);
}

// A heartbeat moves no timer: when the timer is due it looks for the last sign of life and waits for the rest.
void ExecutionSteps::arm_heartbeat(PendingStep& step, MonoTime due) {
  step.heartbeat_timer = execution_.core().timers.add(
      due, to_execution(execution_.shared_from_this(),
                        [id = step.event_id, attempt = step.attempt](ExecutionSteps& s, Transaction& tx) {
                          s.heartbeat_due(tx, id, attempt);
                        }));
}

void ExecutionSteps::arm_retry(PendingStep& step) {
  step.retry_timer = execution_.core().timers.add_at(
      step.next_attempt, to_execution(execution_.shared_from_this(),
                                      [id = step.event_id, attempt = step.attempt](ExecutionSteps& s, Transaction& tx) {
                                        s.retry_due(tx, id, attempt);
                                      }));
}

void ExecutionSteps::retry_due(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end()) return;
  PendingStep& step = it->second;
  if (step.phase != PendingStep::Phase::backing_off || step.attempt != attempt) return;
  step.retry_timer = 0;
  drop_retry_timer(tx, step);
  request_start(tx, step);
  if (step.phase == PendingStep::Phase::waiting)
    tx.act([this, event_id] {
      if (const auto p = pending_.find(event_id); p != pending_.end()) arm_step(p->second);
    });
}

void ExecutionSteps::attempt_timed_out(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt,
                                       std::string_view type) {
  PendingStep* step = current(event_id, attempt);
  if (step == nullptr) return;
  write_unwritten(tx, *step);
  if (step->run) tx.act_anyway([run = step->run] { run->cancel(CancelReason::timed_out); });
  step->run.reset();
  step->worker.reset();
  fail_attempt(tx, *step, timeout_failure(*step, type));
}

void ExecutionSteps::heartbeat_due(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt) {
  PendingStep* step = current(event_id, attempt);
  if (step == nullptr || (!step->run && !step->worker) || !step->scheduled.timeouts.heartbeat) return;
  const MonoTime last = step->run ? step->run->last_sign_of_life() : step->worker->last_sign;
  const MonoTime due = last + *step->scheduled.timeouts.heartbeat;
  step->heartbeat_timer = 0;
  if (due > execution_.core().runtime.mono())
    arm_heartbeat(*step, due);
  else
    attempt_timed_out(tx, event_id, attempt, kTimeoutHeartbeat);
}

void ExecutionSteps::step_timed_out(Transaction& tx, std::uint64_t event_id, std::string_view type) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end()) return;
  PendingStep& step = it->second;
  if (type == kTimeoutScheduleToStart && step.phase != PendingStep::Phase::waiting) return;
  Failure failure = timeout_failure(step, type);
  if (step.phase == PendingStep::Phase::running) {
    write_unwritten(tx, step);
    if (step.run) tx.act_anyway([run = step.run] { run->cancel(CancelReason::timed_out); });
    step.run.reset();
    step.worker.reset();
    end_attempt(tx, step, AttemptOutcome::failed, failure);
  }
  close_failed(tx, step, std::move(failure), RetryState::timeout);
}

Failure ExecutionSteps::timeout_failure(const PendingStep& step, std::string_view type) const {
  Failure f;
  f.type = type;
  f.message = "step " + step.scheduled.activity_id + " timed out (" + std::string(type.substr(7)) + ")";
  f.retryable = type == kTimeoutStartToClose || type == kTimeoutHeartbeat;
  if (step.record.heartbeat) f.details = *step.record.heartbeat;
  if (!f.retryable && step.last_failure) f.cause = std::make_shared<Failure>(*step.last_failure);
  return f;
}

}  // namespace millrace::engine
