#include "engine/execution_timers.h"

#include "engine/records/rows.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

std::string ExecutionTimers::row_key(std::uint64_t event_id, const UserTimer& timer) const {
  return keys::timer(timer.fires, execution_.run_id(), timer_seq(TimerKind::user, event_id));
}

void ExecutionTimers::on_started(Transaction& tx, const HistoryEvent& event) {
  restore(event);
  TimerRow row;
  row.kind = TimerKind::user;
  row.event_id = event.id;
  tx.batch.put(row_key(event.id, pending_.at(event.id)), encode_record(row));
  tx.act([this, id = event.id] { arm(id); });
}

void ExecutionTimers::on_canceled(Transaction& tx, const HistoryEvent& event) {
  const auto it = pending_.find(std::get<events::TimerCanceled>(event.attributes).started_event_id);
  if (it == pending_.end()) return;
  tx.batch.erase(row_key(it->first, it->second));
  execution_.core().timers.cancel(it->second.queued);
  pending_.erase(it);
}

void ExecutionTimers::on_run_timeout(Transaction& tx, WallTime expires) {
  run_expires_ = expires;
  TimerRow row;
  row.kind = TimerKind::run_timeout;
  row.event_id = 1;
  tx.batch.put(keys::timer(expires, execution_.run_id(), timer_seq(row.kind, 1)), encode_record(row));
  tx.act([this] { arm_run_timeout(); });
}

void ExecutionTimers::arm(std::uint64_t event_id) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end() || it->second.queued != 0) return;
  it->second.queued = execution_.core().timers.add_at(it->second.fires, [weak = execution_.weak_from_this(), event_id] {
    const auto e = weak.lock();
    if (!e) return;
    RunningExecution* raw = e.get();
    e->submit([raw, event_id](Transaction& tx) {
      if (raw->accepts()) raw->timers().due(tx, event_id);
    });
  });
}

void ExecutionTimers::arm_run_timeout() {
  if (!run_expires_ || run_timer_ != 0 || !execution_.accepts()) return;
  run_timer_ = execution_.core().timers.add_at(*run_expires_, [weak = execution_.weak_from_this()] {
    const auto e = weak.lock();
    if (!e) return;
    RunningExecution* raw = e.get();
    e->submit([raw](Transaction& tx) {
      if (raw->accepts()) raw->close_by_force(tx, events::WorkflowExecutionTimedOut());
    });
  });
}

void ExecutionTimers::due(Transaction& tx, std::uint64_t event_id) {
  const auto it = pending_.find(event_id);
  if (it == pending_.end()) return;
  events::TimerFired fired;
  fired.timer_id = it->second.timer_id;
  fired.started_event_id = event_id;
  tx.batch.erase(row_key(event_id, it->second));
  pending_.erase(it);
  execution_.append(tx, std::move(fired));
}

void ExecutionTimers::on_close(Transaction& tx) {
  for (const auto& [id, timer] : pending_) tx.batch.erase(row_key(id, timer));
  if (run_expires_)
    tx.batch.erase(keys::timer(*run_expires_, execution_.run_id(), timer_seq(TimerKind::run_timeout, 1)));
  abandon();
}

std::optional<WallTime> ExecutionTimers::next_due() const {
  std::optional<WallTime> due = run_expires_;
  for (const auto& [_, timer] : pending_)
    if (!due || timer.fires < *due) due = timer.fires;
  return due;
}

void ExecutionTimers::abandon() {
  for (auto& [_, timer] : pending_) execution_.core().timers.cancel(timer.queued);
  pending_.clear();
  execution_.core().timers.cancel(run_timer_);
  run_expires_.reset();
}

void ExecutionTimers::restore(const HistoryEvent& event) {
  if (const auto* a = std::get_if<events::TimerStarted>(&event.attributes)) {
    UserTimer timer;
    timer.timer_id = a->timer_id;
    timer.fires = a->fires;
    pending_.emplace(event.id, std::move(timer));
  } else if (const auto* f = std::get_if<events::TimerFired>(&event.attributes)) {
    pending_.erase(f->started_event_id);
  } else if (const auto* c = std::get_if<events::TimerCanceled>(&event.attributes)) {
    pending_.erase(c->started_event_id);
  } else if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&event.attributes)) {
    run_timeout_ = s->run_timeout;
    if (run_timeout_) run_expires_ = event.time + *run_timeout_;
  } else if (std::holds_alternative<events::WorkflowTaskFailed>(event.attributes)) {
    if (run_timeout_) run_expires_ = event.time + *run_timeout_;  // a reset: the run began here
  }
}

// The rows are there: they were written with the events.
void ExecutionTimers::recover(Transaction& tx) {
  tx.act([this] {
    for (const auto& [id, _] : pending_) arm(id);
    arm_run_timeout();
  });
}

}  // namespace millrace::engine
