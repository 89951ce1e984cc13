// How an execution ends, is asked to end, and is set aside; and how others learn of it.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

void RunningExecution::request_cancel(Transaction& tx, std::string reason, std::string identity,
                                      std::string request_id) {
  if (record_.cancel_requested) return;
  record_.cancel_requested = true;
  events::WorkflowExecutionCancelRequested e;
  e.cause = std::move(reason);
  e.identity = std::move(identity);
  e.request_id = std::move(request_id);
  append(tx, std::move(e));
}

void RunningExecution::close_by_force(Transaction& tx, Attributes closing) {
  const HistoryEvent event = append(tx, std::move(closing));
  close(tx, event);
}

void RunningExecution::close(Transaction& tx, const HistoryEvent& closing) {
  ExecutionStatus status = ExecutionStatus::completed;
  std::optional<Failure> failure;
  const auto of_type = [](std::string_view type, std::string message) {
    Failure f;
    f.type = type;
    f.message = std::move(message);
    f.retryable = false;
    return f;
  };
  if (const auto* f = std::get_if<events::WorkflowExecutionFailed>(&closing.attributes)) {
    status = ExecutionStatus::failed;
    failure = f->failure;
  } else if (std::holds_alternative<events::WorkflowExecutionCanceled>(closing.attributes)) {
    status = ExecutionStatus::canceled;
    failure = of_type(kCancelledType, "cancelled");
  } else if (const auto* t = std::get_if<events::WorkflowExecutionTerminated>(&closing.attributes)) {
    status = ExecutionStatus::terminated;
    failure = of_type(kTerminatedType, t->reason.empty() ? "terminated" : "terminated: " + t->reason);
  } else if (std::holds_alternative<events::WorkflowExecutionTimedOut>(closing.attributes)) {
    status = ExecutionStatus::timed_out;
    failure = of_type("TimeoutRun", "the run took longer than its time-out allows");
  }
  if (std::holds_alternative<events::WorkflowExecutionContinuedAsNew>(closing.attributes))
    status = ExecutionStatus::continued_as_new;
  const bool was_blocked = record_.is_blocked;
  const ExecutionStatus before = record_.status;
  record_.is_blocked = false;
  record_.status = status;
  record_.closed = tx.now;
  record_.failure = std::move(failure);
  steps_.on_close(tx);
  locals_.on_close(tx);
  timers_.on_close(tx);
  links_.on_close(tx, closing);
  tx.batch.erase(keys::open_run(run_id_));
  const WallTime started = record_.started;
  tx.batch.erase(keys::index_by_attribute("status", to_string(before), started, run_id_));
  tx.batch.put(keys::index_by_attribute("status", to_string(status), started, run_id_), {});
  Payload result;
  if (const auto* done = std::get_if<events::WorkflowExecutionCompleted>(&closing.attributes))
    result = done->result.text;
  // Dropped with the frames of its code: a closed run holds no memory, once those who wait for it have read its end.
  tx.act([this, status, was_blocked, result = std::move(result), self = shared_from_this()]() mutable {
    replayer_.reset();
    refuse_updates();
    keep_final(std::move(result));
    core_->executions.erase(run_id_, this);
    core_->metrics.opened(record_.type, -1);
    if (was_blocked) core_->metrics.blocked(record_.type, -1);
    core_->metrics.closed(record_.type, status, *record_.closed - record_.started);
  });
}

void RunningExecution::block(Transaction& tx, Divergence divergence) {
  log_error("execution blocked", {{"workflow", record_.workflow_id},
                                  {"run", run_id_},
                                  {"event", divergence.event_id},
                                  {"expected", divergence.expected},
                                  {"got", divergence.got}});
  record_.is_blocked = true;
  record_.blocked = std::move(divergence);
  record_changed_ = true;
  tx.act([this] { core_->metrics.blocked(record_.type, 1); });
}

void RunningExecution::shut_down_steps() {
  asio::dispatch(strand_, [self = shared_from_this()] {
    self->steps_.cancel_running(CancelReason::shut_down);
    self->locals_.abandon();
  });
}

asio::awaitable<RunningExecution::Live> RunningExecution::live() {
  const RunningPtr self = shared_from_this();
  // It waits for nothing, so a caller's cancellation need not reach it: see engine/loader.cc.
  return asio::co_spawn(strand_, live_on_strand(self),
                        asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

asio::awaitable<RunningExecution::Live> RunningExecution::live_on_strand(RunningPtr self) {
  Live live;
  for (const auto& [id, step] : self->steps_.pending()) {
    Live::Step s;
    switch (step.phase) {
      case PendingStep::Phase::waiting:
        s.state = StepState::scheduled;
        s.waiting_for = self->core_->queues->waiting_for(step.ticket);
        break;
      case PendingStep::Phase::running:
        s.state = StepState::running;
        break;
      case PendingStep::Phase::backing_off:
        s.state = StepState::backing_off;
        s.next_attempt = step.next_attempt;
        break;
    }
    s.heartbeat = step.run ? step.run->latest_heartbeat() : step.record.heartbeat;
    s.paused = step.row.paused;
    s.pause_reason = step.row.pause_reason;
    if (step.worker && step.worker->heartbeat) s.heartbeat = step.worker->heartbeat;
    live.steps.emplace(id, std::move(s));
  }
  if (self->replayer_) live.signals = self->replayer_->unread_signal_heads();
  co_return live;
}

void RunningExecution::keep_final(Payload result) {
  if (!input_) return;
  Execution end = to_execution(run_id_, record_);
  end.input = *input_;
  end.result = std::move(result);
  std::lock_guard lock(waiters_mutex_);
  final_ = std::move(end);
}

void RunningExecution::tell_waiters() {
  durable_length_ = record_.history_length;
  if (!is_open() || dead_) durable_closed_ = true;
  std::list<std::shared_ptr<Event>> told;
  {
    std::lock_guard lock(waiters_mutex_);
    told.swap(waiters_);
  }
  for (const auto& w : told) w->set();
}

asio::awaitable<void> RunningExecution::wait_event(std::uint64_t after, Duration at_most) {
  const auto done = [this, after] { return durable_length_ > after || durable_closed_; };
  co_await wait_until_true(done, at_most);
}
asio::awaitable<void> RunningExecution::wait_closed(Duration at_most) {
  co_await wait_until_true([this] { return durable_closed_.load(); }, at_most);
}

asio::awaitable<void> RunningExecution::wait_until_true(std::function<bool()> done, Duration at_most) {
  const RunningPtr self = shared_from_this();
  struct Waiter {
    Event told;
    std::atomic<bool> late{false};
  };
  std::shared_ptr<Waiter> waiter;
  TimerQueue::Id timer = 0;
  std::exception_ptr error;
  while (!done()) {
    // On the list before the next look: what changes in between sets it.
    if (!waiter) {
      waiter = std::make_shared<Waiter>();
      timer = core_->timers.add_in(at_most, [weak = std::weak_ptr<Waiter>(waiter)] {
        if (const auto w = weak.lock()) {
          w->late = true;
          w->told.set();
        }
      });
    } else {
      waiter->told.reset();
    }
    const std::shared_ptr<Event> told(waiter, &waiter->told);
    {
      std::lock_guard lock(waiters_mutex_);
      waiters_.push_back(told);
    }
    if (!done() && !waiter->late) {
      try {
        co_await told->wait();
      } catch (...) {
        error = std::current_exception();
      }
    }
    {
      std::lock_guard lock(waiters_mutex_);
      waiters_.remove(told);
    }
    if (error || waiter->late) break;
  }
  core_->timers.cancel(timer);
  if (error) std::rethrow_exception(error);
}

std::optional<Execution> RunningExecution::final_state() const {
  std::lock_guard lock(waiters_mutex_);
  return final_;
}

}  // namespace millrace::engine
