// How an execution comes back: its history is read and replayed, what a dead process had started is ended, and it goes
// on. One that does not agree with today's code, or can't be read, is blocked: visible with both sides, its steps not
// started, its history intact; it goes on by itself when a build that agrees is started.
#include "common/errors.h"
#include "common/log.h"
#include "engine/crash_notes.h"
#include "engine/history.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

void RunningExecution::restore(const HistoryEvent& event) {
  last_event_id_ = event.id;
  steps_.restore(event);
  timers_.restore(event);
  links_.restore(event);
  restore_update(event);
}

asio::awaitable<void> RunningExecution::load() {
  const RunningPtr self = shared_from_this();
  if (!std::exchange(unloaded_, false) || dead_) co_return;
  core_->timers.cancel(wake_timer_);
  last_event_id_ = 0;
  // Cleared also where the reading fails. What an abandon() meanwhile could not drop goes then.
  struct Loading {
    RunningExecution& e;
    explicit Loading(RunningExecution& x) : e(x) { e.loading_ = true; }
    ~Loading() {
      e.loading_ = false;
      if (e.dead_) e.drop_pending();
    }
  } loading(*this);
  const auto bytes = co_await core_->store->get(keys::run(run_id_));
  if (!bytes) throw Error("store.corrupt", "run " + run_id_ + " is open but has no record");
  record_ = decode_record<RunRecord>(*bytes);
  stored_record_ = *bytes;

  std::optional<Divergence> divergence;
  const auto refuse = [&](std::string expected, std::string got) {
    Divergence d;
    d.event_id = last_event_id_ + 1;
    d.expected = std::move(expected);
    d.got = std::move(got);
    d.position = replayer_ ? replayer_->position() : "the start";
    divergence = std::move(d);
  };
  try {
    HistoryReader reader(*core_->store, run_id_);
    std::optional<HistoryReplay> replay;
    for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next()) {
      for (const HistoryEvent& event : events) {
        if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&event.attributes)) {
          run_timeout_ = s->run_timeout;
          Replayer::Identity identity;
          identity.workflow_id = s->workflow_id;
          identity.run_id = run_id_;
          identity.type = s->workflow_type;
          identity.original_run_id = s->original_run_id;
          if (set_aside_) {
            refuse("an execution that the server outlives", "a crash of the server each time it ran");
          } else if (const WorkflowFunction* function = core_->registry.workflow(s->workflow_type)) {
            replayer_ = std::make_unique<Replayer>(std::move(identity), *function, s->input.text);
            replay.emplace(*replayer_);
          } else {
            refuse("code for workflow type " + s->workflow_type, "nothing: this build has none");
          }
        }
        restore(event);
        const CrashNote note(replay ? core_->options.crash_notes.get() : nullptr, run_id_);
        if (replay && !divergence) divergence = replay->feed(event);
      }
    }
    if (replay && !divergence) {
      const CrashNote note(core_->options.crash_notes.get(), run_id_);
      divergence = replay->finish();
    }
    co_await steps_.load_rows();
    state::Range last_line = state::prefix_range(keys::log_prefix(run_id_));
    last_line.reverse = true;
    last_line.limit = 1;
    const auto lines = co_await core_->store->scan(last_line);
    if (!lines.empty()) {
      state::KeyReader key(lines.front().key);
      (void)key.str();
      next_log_seq_ = key.u64() + 1;
    }
  } catch (const Error& e) {
    refuse("a history that can be read", e.what());
  }
  // Nothing may ever be written over a part that could not be read.
  last_event_id_ = std::max(last_event_id_, record_.history_length);
  durable_length_ = record_.history_length;
  if (!std::exchange(counted_open_, true)) core_->metrics.opened(record_.type, 1);
  // Before all that came in meanwhile.
  core_->pumps.enter();
  inputs_.insert(inputs_.begin(), [this, divergence](Transaction& tx) {
    if (accepts()) recover(tx, divergence);
  });
  ready_ = true;
  wake_pump();
}

void RunningExecution::recover(Transaction& tx, const std::optional<Divergence>& divergence) {
  if (divergence) {
    const bool known = record_.is_blocked && record_.blocked.event_id == divergence->event_id &&
                       record_.blocked.expected == divergence->expected && record_.blocked.got == divergence->got;
    const bool was_set_aside = std::exchange(record_.set_aside, set_aside_);
    block(tx, *divergence);
    record_changed_ = !known || was_set_aside != set_aside_;
  } else if (record_.is_blocked) {
    log_info("execution goes on: this build agrees with its history",
             {{"workflow", record_.workflow_id}, {"run", run_id_}});
    record_.is_blocked = false;
    record_.blocked = Divergence();
    record_.set_aside = false;
    record_changed_ = true;
  }
  steps_.recover(tx);
  timers_.recover(tx);
  if (replayer_ && !record_.is_blocked) locals_.take(tx, *replayer_);
}

void ExecutionSteps::restore(const HistoryEvent& event) {
  const auto close = [this](std::uint64_t id) { pending_.erase(id); };
  if (const auto* s = std::get_if<events::ActivityTaskScheduled>(&event.attributes)) {
    PendingStep step;
    step.event_id = event.id;
    step.scheduled_at = event.time;
    step.scheduled = *s;
    if (!s->started_by.empty()) {
      step.attempt = 1;
      step.phase = PendingStep::Phase::running;
      step.record.started = event.time;
      step.record.process = s->started_by;
      step.record.counted = 1;
    }
    pending_.emplace(event.id, std::move(step));
  } else if (const auto* c = std::get_if<events::ActivityTaskCancelRequested>(&event.attributes)) {
    if (const auto it = pending_.find(c->scheduled_event_id); it != pending_.end())
      it->second.cancel_event_id = event.id;
  } else if (const auto* e = std::get_if<events::ActivityTaskCompleted>(&event.attributes)) {
    close(e->scheduled_event_id);
  } else if (const auto* e = std::get_if<events::ActivityTaskFailed>(&event.attributes)) {
    close(e->scheduled_event_id);
  } else if (const auto* e = std::get_if<events::ActivityTaskTimedOut>(&event.attributes)) {
    close(e->scheduled_event_id);
  } else if (const auto* e = std::get_if<events::ActivityTaskCanceled>(&event.attributes)) {
    close(e->scheduled_event_id);
  }
}

asio::awaitable<void> ExecutionSteps::load_rows() {
  state::Store& store = *execution_.core().store;
  co_await load_step_rows();
  for (auto& [id, step] : pending_) {
    state::Range attempts = state::prefix_range(keys::attempts_of_step_prefix(execution_.run_id(), id));
    const auto rows = co_await store.scan(attempts);
    for (const state::KeyValue& row : rows) {
      state::KeyReader key(row.key);
      (void)key.str();
      (void)key.u64();
      step.attempt = key.u32();
      step.record = decode_record<AttemptRecord>(row.value);
      if (step.record.outcome == AttemptOutcome::failed) step.last_failure = step.record.failure;
    }
    state::Range range = state::prefix_range(keys::step_checkpoints_prefix(execution_.run_id(), id));
    for (;;) {
      const auto checkpoints = co_await store.scan(range);
      if (checkpoints.empty()) break;
      for (const state::KeyValue& row : checkpoints) {
        state::KeyReader key(row.key);
        (void)key.str();
        (void)key.u64();
        auto value = decode_record<CheckpointRow>(row.value);
        step.checkpoint_attempt = std::max(step.checkpoint_attempt, value.attempt);
        step.checkpoints[key.str()] = std::move(value.state);
      }
      range.begin = checkpoints.back().key + '\0';
    }
  }
}

void ExecutionSteps::recover(Transaction& tx) {
  if (execution_.is_blocked()) return;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, _] : pending_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto it = pending_.find(id);
    if (it == pending_.end()) continue;
    PendingStep& step = it->second;
    tx.act([this, id] {
      if (const auto p = pending_.find(id); p != pending_.end()) arm_step(p->second);
    });
    const bool died = step.attempt != 0 && step.record.outcome == AttemptOutcome::running;
    // For those that go on waiting; request_start() knows since when the others do.
    step.ready_since = step.attempt == 0 ? step.scheduled_at : step.record.ended.value_or(tx.now);
    if (died && step.record.external) {
      take_over_from_worker(tx, step);
      continue;
    }
    Failure unknown;
    unknown.type = kUnknownOutcome;
    unknown.message = "the process that ran this attempt ended; what the attempt did is not known";
    if (step.cancel_event_id != 0) {
      if (died) end_attempt(tx, step, AttemptOutcome::unknown, std::move(unknown));
      close_cancelled(tx, step);
    } else if (step.attempt == 0) {
      request_start(tx, step);
    } else if (died) {
      fail_attempt(tx, step, std::move(unknown));
    } else if (step.record.outcome == AttemptOutcome::failed) {
      // It was backing off. The delay is a function of what is stored, so it comes out as it was.
      const Duration delay = step.record.failure && step.record.failure->next_retry_delay
                                 ? std::max(Duration(0), *step.record.failure->next_retry_delay)
                                 : with_jitter(backoff(step.scheduled.retry, step.record.failures_without_progress),
                                               jitter_seed(execution_.run_id(), id, step.attempt));
      if (step.row.no_wait_after == step.attempt) {
        request_start(tx, step);
        continue;
      }
      step.phase = PendingStep::Phase::backing_off;
      step.next_attempt = *step.record.ended + delay;
      tx.act([this, id] {
        const auto p = pending_.find(id);
        if (p != pending_.end() && p->second.phase == PendingStep::Phase::backing_off) arm_retry(p->second);
      });
    } else {
      request_start(tx, step);
    }
  }
}

}  // namespace millrace::engine
