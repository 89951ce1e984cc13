// Attempts on workers in other processes. Their start is durable before the task leaves; from there on the worker
// reports by its token. A worker that dies is seen by the time-outs of its attempt; a restart of the server ends
// nothing.
#include "common/errors.h"
#include "engine/execution_steps.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

void ExecutionSteps::hand_over_after(Transaction& tx, const PendingStep& step, SlotPtr slot) {
  tx.act([this, id = step.event_id, attempt = step.attempt, slot = std::move(slot)] {
    PendingStep* s = current(id, attempt);
    if (s == nullptr) return;  // ended before it began: the slot and the worker wait again
    WorkerTask task = worker_task(*s);
    const PollerPtr poller = slot->poller();
    s->worker = std::make_shared<WorkerRun>(slot, execution_.core().runtime.mono());
    arm_attempt(*s);
    if (poller->hand(std::move(task))) return;
    // Nobody is there any more. It was never begun.
    const RunningPtr execution = execution_.shared_from_this();
    RunningExecution* e = execution.get();
    execution->submit([e, id, attempt](Transaction& t) {
      if (e->accepts()) e->steps().give_task_back(t, id, attempt);
    });
  });
}

WorkerTask ExecutionSteps::worker_task(const PendingStep& step) const {
  WorkerToken token;
  token.run_id = execution_.run_id();
  token.scheduled_event_id = step.event_id;
  token.attempt = step.attempt;
  token.stamp = step.record.stamp;
  WorkerTask task;
  task.token = token.text();
  task.workflow_id = execution_.record().workflow_id;
  task.run_id = execution_.run_id();
  task.workflow_type = execution_.record().type;
  task.activity_id = step.scheduled.activity_id;
  task.type = step.scheduled.activity_type;
  task.queue = step.scheduled.task_queue;
  task.input = step.scheduled.input.text;
  task.scheduled_event_id = step.event_id;
  task.attempt = step.attempt;
  task.scheduled = step.scheduled_at;
  task.started = step.record.started;
  task.timeouts = step.scheduled.timeouts;
  task.timeouts.start_to_close = start_to_close_of(step);
  task.heartbeat = step.record.heartbeat;
  task.priority = step.scheduled.priority;
  return task;
}

// A worker may die, so an attempt on one must be bounded by something.
std::optional<Duration> ExecutionSteps::start_to_close_of(const PendingStep& step) const {
  const StepTimeouts& t = step.scheduled.timeouts;
  if (t.start_to_close || !step.record.external || t.heartbeat || t.schedule_to_close) return t.start_to_close;
  return execution_.core().options.worker_start_to_close;
}

void ExecutionSteps::give_task_back(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt) {
  PendingStep* step = current(event_id, attempt);
  if (step == nullptr || !step->worker) return;
  step->worker.reset();
  --step->record.counted;
  end_attempt(tx, *step, AttemptOutcome::suspended, std::nullopt);
  request_start(tx, *step);
}

void ExecutionSteps::take_over_from_worker(Transaction& tx, PendingStep& step) {
  step.phase = PendingStep::Phase::running;
  Core& core = execution_.core();
  step.worker = std::make_shared<WorkerRun>(core.queues->take_over(queue_task(step.scheduled, step.record.started)),
                                            core.runtime.mono());
  tx.act([this, id = step.event_id, attempt = step.attempt] {
    if (PendingStep* s = current(id, attempt)) arm_attempt(*s);
  });
}

PendingStep* ExecutionSteps::of_worker(const WorkerToken& token, const std::string& queue) {
  PendingStep* step = execution_.accepts() ? current(token.scheduled_event_id, token.attempt) : nullptr;
  if (step == nullptr || !step->worker || step->record.stamp != token.stamp || step->scheduled.task_queue != queue)
    return nullptr;
  return step;
}

bool ExecutionSteps::worker_heartbeat(const WorkerToken& token, const std::string& queue,
                                      std::optional<Payload> details, bool* cancel_requested) {
  PendingStep* step = of_worker(token, queue);
  if (step == nullptr) return false;
  Core& core = execution_.core();
  step->worker->last_sign = core.runtime.mono();
  *cancel_requested = step->cancel_event_id != 0;
  if (!details) return true;
  step->worker->heartbeat = std::move(details);
  step->worker->unwritten = true;
  if (std::exchange(step->worker->flush_asked, true)) return true;
  // At most one write a second for all that come until then.
  core.timers.add_in(core.options.heartbeat_write,
                     [weak = execution_.weak_from_this(), id = step->event_id, attempt = step->attempt] {
                       const auto execution = weak.lock();
                       if (!execution) return;
                       RunningExecution* e = execution.get();
                       execution->submit([e, id, attempt](Transaction& tx) {
                         if (e->accepts()) e->steps().flush(tx, id, attempt);
                       });
                     });
  return true;
}

bool ExecutionSteps::worker_ended(Transaction& tx, const WorkerToken& token, const std::string& queue, AttemptEnd end) {
  if (of_worker(token, queue) == nullptr) return false;
  attempt_ended(tx, token.scheduled_event_id, token.attempt, std::move(end));
  return true;
}

}  // namespace millrace::engine
