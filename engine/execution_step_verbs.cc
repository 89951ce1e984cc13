// What a person does to a pending step: retry now, pause, unpause, reset its attempts, change its options, end it by
// hand. Each is one write and changes nothing if it is so already.
#include <boost/asio/awaitable.hpp>

#include "common/errors.h"
#include "engine/execution_steps.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

std::string row_key(const std::string& run_id, std::uint64_t event_id) {
  return keys::run_item(run_id, kStepItem, std::to_string(event_id));
}

void merge(StepTimeouts& into, const StepTimeouts& from) {
  if (from.schedule_to_start) into.schedule_to_start = from.schedule_to_start;
  if (from.start_to_close) into.start_to_close = from.start_to_close;
  if (from.schedule_to_close) into.schedule_to_close = from.schedule_to_close;
  if (from.heartbeat) into.heartbeat = from.heartbeat;
}

}  // namespace

void ExecutionSteps::put_row(Transaction& tx, const PendingStep& step) {
  tx.batch.put(row_key(execution_.run_id(), step.event_id), encode_record(step.row));
}

void ExecutionSteps::apply_row(PendingStep& step, StepRow row) {
  step.row = std::move(row);
  if (step.row.clock) step.scheduled_at = *step.row.clock;
  if (step.row.retry) step.scheduled.retry = *step.row.retry;
  if (step.row.timeouts) merge(step.scheduled.timeouts, *step.row.timeouts);
}

asio::awaitable<void> ExecutionSteps::load_step_rows() {
  for (auto& [id, step] : pending_) {
    const auto bytes = co_await execution_.core().store->get(row_key(execution_.run_id(), id));
    if (bytes) apply_row(step, decode_record<StepRow>(*bytes));
  }
}

void ExecutionSteps::leave_queues() {
  for (auto& [_, step] : pending_) execution_.core().queues->cancel(step.ticket);
}

void ExecutionSteps::resume(Transaction& tx) {
  std::vector<std::uint64_t> waiting;
  for (const auto& [id, step] : pending_)
    if (step.phase == PendingStep::Phase::waiting) waiting.push_back(id);
  for (const std::uint64_t id : waiting) request_start(tx, pending_.at(id));
}

void ExecutionSteps::start_now(Transaction& tx, PendingStep& step) {
  if (step.phase != PendingStep::Phase::backing_off) return;
  drop_retry_timer(tx, step);
  execution_.core().timers.cancel(step.retry_timer);
  step.retry_timer = 0;
  step.row.no_wait_after = step.attempt;
  put_row(tx, step);
  request_start(tx, step);
}

void ExecutionSteps::stop_attempt(Transaction& tx, PendingStep& step, const Failure& why) {
  drop_retry_timer(tx, step);
  if (step.phase != PendingStep::Phase::running) return;
  write_unwritten(tx, step);
  if (step.run) tx.act([run = step.run] { run->cancel(CancelReason::cancel_requested); });
  end_attempt(tx, step, AttemptOutcome::failed, why);
}

void ExecutionSteps::command(Transaction& tx, const StepCommand& c) {
  PendingStep* found = nullptr;
  for (auto& [_, step] : pending_)
    if (step.scheduled.activity_id == c.activity_id) found = &step;
  if (found == nullptr)
    throw Error("workflow.step_not_pending", "run " + execution_.run_id() + " has no pending step " + c.activity_id);
  PendingStep& step = *found;
  using Verb = StepCommand::Verb;
  switch (c.verb) {
    case Verb::retry:
      return start_now(tx, step);
    case Verb::pause:
    case Verb::unpause: {
      const bool pause = c.verb == Verb::pause;
      if (step.row.paused == pause) return;
      step.row.paused = pause;
      step.row.pause_reason = pause ? c.reason : std::string();
      step.row.identity = c.identity;
      put_row(tx, step);
      if (pause) execution_.core().queues->cancel(step.ticket);
      if (!pause && step.phase == PendingStep::Phase::waiting) request_start(tx, step);
      return;
    }
    case Verb::reset:
      step.record.counted = step.phase == PendingStep::Phase::running ? 1 : 0;
      step.record.failures_without_progress = 0;
      if (c.reset_heartbeat) step.record.heartbeat.reset();
      if (step.attempt != 0) put_attempt(tx, step);
      return start_now(tx, step);
    case Verb::options: {
      if (c.retry) step.row.retry = *c.retry;
      if (c.timeouts) {
        StepTimeouts all = step.row.timeouts.value_or(StepTimeouts());
        merge(all, *c.timeouts);
        step.row.timeouts = all;
      }
      step.row.identity = c.identity;
      apply_row(step, step.row);
      put_row(tx, step);
      TimerQueue& timers = execution_.core().timers;
      for (auto* id : {&step.close_timer, &step.start_timer, &step.attempt_timer, &step.heartbeat_timer}) {
        timers.cancel(*id);
        *id = 0;
      }
      tx.act([this, id = step.event_id] {
        const auto it = pending_.find(id);
        if (it == pending_.end()) return;
        arm_step(it->second);
        if (it->second.run || it->second.worker) arm_attempt(it->second);
      });
      return;
    }
    case Verb::complete:
    case Verb::fail: {
      Failure by_hand;
      by_hand.type = kCancelledType;
      by_hand.message = c.verb == Verb::complete ? "the step was completed by hand" : "the step was failed by hand";
      by_hand.retryable = false;
      stop_attempt(tx, step, by_hand);
      const std::uint64_t started = append_started(tx, step);
      const std::uint64_t id = step.event_id;
      forget(step);
      if (c.verb == Verb::complete) {
        events::ActivityTaskCompleted e;
        e.scheduled_event_id = id;
        e.started_event_id = started;
        e.result = c.result;
        e.identity = c.identity;
        execution_.append(tx, std::move(e));
      } else {
        events::ActivityTaskFailed e;
        e.scheduled_event_id = id;
        e.started_event_id = started;
        e.failure = c.failure;
        e.retry_state = RetryState::non_retryable_failure;
        e.identity = c.identity;
        execution_.append(tx, std::move(e));
      }
      return;
    }
  }
}

}  // namespace millrace::engine
