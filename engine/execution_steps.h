// The steps of an execution: from ACTIVITY_TASK_SCHEDULED to the event that closes it, attempt by attempt.
//
//   waiting ──slot──► running ──failure, retry──► backing off ──timer──► waiting
//      │                 │                             │
//      └───── cancel, schedule time-outs ──────────────┴──► closed: COMPLETED, FAILED, TIMED_OUT, CANCELED
//
// That an attempt starts is written (records/attempt.h) in the batch that schedules the step, or in one of its own, and
// its code runs after that batch is durable. What an attempt reports counts only while it is the current one: its
// number is the step's, and the step runs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/events/event.h"
#include "engine/records/attempt_record.h"
#include "engine/records/step_row.h"
#include "engine/retry.h"
#include "engine/step_run.h"
#include "engine/transaction.h"
#include "engine/worker_run.h"

namespace millrace::engine {

class RunningExecution;

struct PendingStep {
  enum class Phase { waiting, running, backing_off };
  std::uint64_t event_id = 0;
  WallTime scheduled_at;
  events::ActivityTaskScheduled scheduled;
  Phase phase = Phase::waiting;
  std::uint32_t attempt = 0;  // the latest; 0: none started
  AttemptRecord record;       // of the latest attempt
  std::map<std::string, Payload> checkpoints;
  std::uint32_t checkpoint_attempt = 0;  // the latest that made one
  std::optional<Failure> last_failure;
  WallTime next_attempt;              // while backing off
  std::uint64_t cancel_event_id = 0;  // 0: not asked to end
  StepRow row;                        // what was changed about it by hand
  WallTime ready_since;               // while waiting: from when it could start
  TaskId ticket = 0;                  // in its queue, while waiting; 0: it does not wait there
  std::shared_ptr<WorkerRun> worker;  // while an attempt runs on one; else `run`
  std::shared_ptr<StepRun> run;
  TimerQueue::Id retry_timer = 0, attempt_timer = 0, heartbeat_timer = 0, start_timer = 0, close_timer = 0;
};

// On the execution's strand.
class ExecutionSteps {
 public:
  explicit ExecutionSteps(RunningExecution& execution) : execution_(execution) {}

  // ---- commands ----
  // Before the event is appended: takes a slot for attempt 1 if one is free.
  void prepare(Transaction& tx, events::ActivityTaskScheduled& scheduled);
  void on_scheduled(Transaction& tx, const HistoryEvent& event);
  void on_cancel_requested(Transaction& tx, const HistoryEvent& event);
  // A reset has made the run: pending steps start anew, their clocks too.
  void begin_again(Transaction& tx);
  // What a person asks for; throws workflow.step_not_pending.
  void command(Transaction& tx, const StepCommand& command);
  // The run is paused: none waits for a slot.
  void leave_queues();
  // The run is not paused any more.
  void resume(Transaction& tx);
  // The run closes: nothing of it goes on.
  void on_close(Transaction& tx);

  // ---- recovery ----
  void restore(const HistoryEvent& event);
  asio::awaitable<void> load_rows();
  // Ends what a dead process had started, goes on with every step.
  void recover(Transaction& tx);

  // ---- workers in other processes (execution_workers.cc) ----
  // False: the token's attempt does not run any more, or not on this queue. Then nothing was changed.
  bool worker_heartbeat(const WorkerToken& token, const std::string& queue, std::optional<Payload> details,
                        bool* cancel_requested);
  bool worker_ended(Transaction& tx, const WorkerToken& token, const std::string& queue, AttemptEnd end);
  // What was started for a worker that is gone was never begun: it waits again, and no attempt is counted.
  void give_task_back(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt);

  // Cancels what runs; no more is reported.
  void abandon(CancelReason reason);
  void cancel_running(CancelReason reason);
  const std::map<std::uint64_t, PendingStep>& pending() const { return pending_; }

  // The execution leaves memory; nothing runs.
  void forget_all();

 private:
  using Weak = std::weak_ptr<RunningExecution>;
  PendingStep* current(std::uint64_t event_id, std::uint32_t attempt);

  // execution_steps.cc: starting and ending attempts
  void request_start(Transaction& tx, PendingStep& step);
  void enqueue(PendingStep& step);
  void slot_granted(Transaction& tx, std::uint64_t event_id, SlotPtr slot);
  QueueTask queue_task(const events::ActivityTaskScheduled& scheduled, WallTime since) const;
  bool may_start(const events::ActivityTaskScheduled& scheduled) const;
  void start_attempt(Transaction& tx, PendingStep& step, SlotPtr slot);
  void launch_after(Transaction& tx, const PendingStep& step, SlotPtr slot);
  void launch(PendingStep& step, SlotPtr slot);
  void attempt_ended(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt, AttemptEnd end);
  void fail_attempt(Transaction& tx, PendingStep& step, Failure failure);
  void back_off(Transaction& tx, PendingStep& step, Duration delay);
  void put_attempt(Transaction& tx, const PendingStep& step);
  void end_attempt(Transaction& tx, PendingStep& step, AttemptOutcome outcome, std::optional<Failure> failure);
  // Appends STARTED for the latest attempt, if there was one; its id or 0.
  std::uint64_t append_started(Transaction& tx, const PendingStep& step);
  void close_failed(Transaction& tx, PendingStep& step, Failure failure, RetryState state);
  void close_cancelled(Transaction& tx, PendingStep& step);
  void forget(PendingStep& step);
  void drop_retry_timer(Transaction& tx, PendingStep& step);

  // execution_step_verbs.cc
  void put_row(Transaction& tx, const PendingStep& step);
  void apply_row(PendingStep& step, StepRow row);
  asio::awaitable<void> load_step_rows();
  void stop_attempt(Transaction& tx, PendingStep& step, const Failure& why);
  void start_now(Transaction& tx, PendingStep& step);

  // execution_workers.cc
  void hand_over_after(Transaction& tx, const PendingStep& step, SlotPtr slot);
  WorkerTask worker_task(const PendingStep& step) const;
  std::optional<Duration> start_to_close_of(const PendingStep& step) const;
  void take_over_from_worker(Transaction& tx, PendingStep& step);
  PendingStep* of_worker(const WorkerToken& token, const std::string& queue);

  // execution_step_timeouts.cc
  void arm_step(PendingStep& step);
  void arm_attempt(PendingStep& step);
  void arm_heartbeat(PendingStep& step, MonoTime due);
  void arm_retry(PendingStep& step);
  void retry_due(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt);
  void attempt_timed_out(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt, std::string_view type);
  void heartbeat_due(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt);
  void step_timed_out(Transaction& tx, std::uint64_t event_id, std::string_view type);
  Failure timeout_failure(const PendingStep& step, std::string_view type) const;

  // execution_step_reports.cc
  void flush(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt);
  void write_unwritten(Transaction& tx, PendingStep& step);
  void checkpoint(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt, const std::string& scope,
                  const Payload& state, const AckPtr& ack);

  RunningExecution& execution_;
  std::map<std::uint64_t, PendingStep> pending_;
  SlotPtr prepared_;  // from prepare() to on_scheduled()
};

}  // namespace millrace::engine
