#include "engine/replayer.h"

#include <algorithm>

#include "common/check.h"
#include "common/errors.h"
#include "engine/retry.h"

namespace millrace::engine {
namespace {

std::uint64_t seed_of(std::string_view run_id) { return jitter_seed(run_id, 0, 0); }

}  // namespace

Failure cancelled_failure() {
  Failure f;
  f.type = kCancelledType;
  f.message = "cancelled";
  f.retryable = false;
  return f;
}

Replayer::Replayer(Identity identity, const WorkflowFunction& function, Payload input)
    : identity_(std::move(identity)), function_(function), input_(std::move(input)), context_(*this, root_) {}

std::optional<Divergence> Replayer::deliver(const HistoryEvent& news) {
  const auto subject = [&]() -> std::uint64_t {
    if (const auto* a = std::get_if<events::ActivityTaskCompleted>(&news.attributes)) return a->scheduled_event_id;
    if (const auto* a = std::get_if<events::ActivityTaskFailed>(&news.attributes)) return a->scheduled_event_id;
    if (const auto* a = std::get_if<events::ActivityTaskTimedOut>(&news.attributes)) return a->scheduled_event_id;
    if (const auto* a = std::get_if<events::ActivityTaskCanceled>(&news.attributes)) return a->scheduled_event_id;
    if (const auto* a = std::get_if<events::TimerFired>(&news.attributes)) return a->started_event_id;
    return initiated_event_of(news.attributes);
  }();
  if (is_local_result(news.attributes)) {
    const auto& marker = std::get<events::MarkerRecorded>(news.attributes);
    const auto it = locals_.find(marker.name);
    if (it == locals_.end() || std::exchange(it->second->closed, true))
      return divergence(news.id, describe_event(news.attributes), "nothing: the code did not ask for it");
  }
  if (subject != 0) {
    const auto it = operations_.find(subject);
    if (it == operations_.end() || std::exchange(it->second->closed, true))
      return divergence(news.id, describe_event(news.attributes), "nothing: the code did not ask for it");
  }
  news_.push_back(news);
  return std::nullopt;
}

Turn Replayer::live_turn(WallTime now) { return run_turn(now, nullptr); }

Turn Replayer::run_turn(WallTime now, const std::vector<HistoryEvent>* recorded) {
  now_ = now;
  recorded_ = recorded;
  if (!news_.empty()) last_turn_id_ = news_.back().id;
  recorded_markers_ = 0;
  commands_.clear();
  const std::vector<HistoryEvent> news = std::exchange(news_, {});
  // News from before the first turn is there when the code begins.
  for (const HistoryEvent& e : news) {
    if (ended_ || bug_) break;
    apply(e);
  }
  if (!started() && !bug_) begin();
  recorded_ = nullptr;
  Turn turn;
  turn.commands = std::exchange(commands_, {});
  finish(turn);
  return turn;
}

void Replayer::begin() {
  try {
    coroutine_.emplace(function_(context_, std::exchange(input_, {})));
  } catch (...) {
    bug_ = "an exception before the first await: " + describe(std::current_exception());
    return;
  }
  resume(coroutine_->handle());
}

void Replayer::resume(std::coroutine_handle<> handle) {
  handle.resume();
  if (coroutine_->handle().done()) ended_ = true;
  finish_updates();
}

// Turns the end of the code into the closing command.
void Replayer::finish(Turn& turn) {
  if (ended_ && !bug_) {
    const auto& promise = coroutine_->handle().promise();
    if (!promise.error) {
      events::WorkflowExecutionCompleted completed;
      completed.result = *promise.value;
      turn.commands.emplace_back(std::move(completed));
    } else {
      try {
        std::rethrow_exception(promise.error);
      } catch (const FailureError& e) {
        if (root_->cancelled && e.failure().type == kCancelledType) {
          turn.commands.emplace_back(events::WorkflowExecutionCanceled());
        } else {
          events::WorkflowExecutionFailed failed;
          failed.failure = e.failure();
          turn.commands.emplace_back(std::move(failed));
        }
      } catch (const ContinueAsNew& e) {
        events::WorkflowExecutionContinuedAsNew again;
        again.input = e.input();
        turn.commands.emplace_back(std::move(again));
      } catch (...) {
        bug_ = "an exception that is no outcome of a workflow: " + describe(std::current_exception());
      }
    }
  }
  turn.bug = bug_;
}

void Replayer::apply(const HistoryEvent& news) {
  const auto find = [&](std::uint64_t id) {
    const auto it = operations_.find(id);
    check(it != operations_.end(), "deliver() has let only known operations in");
    OperationPtr op = it->second;
    operations_.erase(it);
    return op;
  };
  if (const auto* a = std::get_if<events::ActivityTaskCompleted>(&news.attributes)) {
    resolve(*find(a->scheduled_event_id), a->result.text);
  } else if (const auto* a = std::get_if<events::ActivityTaskFailed>(&news.attributes)) {
    fail(*find(a->scheduled_event_id), a->failure);
  } else if (const auto* a = std::get_if<events::ActivityTaskTimedOut>(&news.attributes)) {
    fail(*find(a->scheduled_event_id), a->failure);
  } else if (const auto* a = std::get_if<events::ActivityTaskCanceled>(&news.attributes)) {
    fail(*find(a->scheduled_event_id), cancelled_failure());
  } else if (const auto* a = std::get_if<events::TimerFired>(&news.attributes)) {
    resolve(*find(a->started_event_id), {});
  } else if (std::holds_alternative<events::WorkflowExecutionCancelRequested>(news.attributes)) {
    cancel(*root_);
  } else if (std::holds_alternative<events::WorkflowExecutionSignaled>(news.attributes)) {
    take_signal(news);
  } else if (is_local_result(news.attributes)) {
    take_local_result(news);
  } else if (take_link(news)) {
    return;
  } else if (std::holds_alternative<events::WorkflowExecutionUpdateAccepted>(news.attributes)) {
    begin_update(news);
  }
}

void Replayer::resolve(Operation& op, Payload value) {
  if (op.pending->ready) return;  // given up by the code before
  op.pending->value = std::move(value);
  wake(op.pending);
}

void Replayer::fail(Operation& op, Failure failure) {
  if (op.pending->ready) return;
  op.pending->failure = std::move(failure);
  wake(op.pending);
}

void Replayer::wake(const detail::PendingPtr& to_wake) {
  const detail::PendingPtr pending = to_wake;  // the code may drop its own
  pending->ready = true;
  while (!pending->waiters.empty()) {
    const auto waiter = pending->waiters.front();
    pending->waiters.erase(pending->waiters.begin());
    resume(waiter);
  }
}

Future Replayer::start_step(const ScopePtr& scope, std::string type, Payload input, StepOptions options) {
  auto op = std::make_shared<Operation>();
  op->pending = std::make_shared<detail::Pending>();
  if (scope->is_cancelled()) {
    op->pending->failure = cancelled_failure();
    op->pending->ready = true;
    return Future(op->pending);
  }
  const std::uint32_t n = ++step_counts_[type];
  events::ActivityTaskScheduled s;
  s.activity_id = options.activity_id.empty() ? type + "-" + std::to_string(n) : std::move(options.activity_id);
  s.activity_type = std::move(type);
  s.task_queue = std::move(options.queue);
  s.input = std::move(input);
  s.timeouts = options.timeouts;
  s.retry = std::move(options.retry);
  s.priority = std::clamp(options.priority, kHighestPriority, kLowestPriority);
  s.fairness_key = std::move(options.fairness_key);
  if (options.fairness_weight != 1) s.fairness_weight = options.fairness_weight;
  s.limit_keys = std::move(options.limit_keys);
  op->kind = Operation::Kind::step;
  op->name = s.activity_id;
  op->scope = scope;
  op->cancel_mode = options.cancel_mode;
  commands_.emplace_back(std::move(s), op);
  return Future(op->pending);
}

Future Replayer::start_timer(const ScopePtr& scope, Duration d) {
  auto op = std::make_shared<Operation>();
  op->pending = std::make_shared<detail::Pending>();
  if (scope->is_cancelled()) {
    op->pending->failure = cancelled_failure();
    op->pending->ready = true;
    return Future(op->pending);
  }
  // Ten years: beyond that the sum with a time could overflow, and nobody waits.
  d = std::clamp(d, Duration(0), std::chrono::duration_cast<Duration>(std::chrono::hours(24 * 3660)));
  events::TimerStarted t;
  t.timer_id = "timer-" + std::to_string(++timer_count_);
  t.start_to_fire = d;
  t.fires = now_ + d;
  op->kind = Operation::Kind::timer;
  op->name = t.timer_id;
  op->scope = scope;
  commands_.emplace_back(std::move(t), op);
  return Future(op->pending);
}

std::uint64_t Replayer::random() {
  if (!random_)
    random_ = std::make_unique<std::mt19937_64>(
        seed_of(identity_.original_run_id.empty() ? identity_.run_id : identity_.original_run_id));
  return (*random_)();
}

Payload Replayer::side_effect(const std::string& name, const std::function<Payload()>& value) {
  events::MarkerRecorded m;
  m.kind = events::MarkerKind::side_effect;
  m.name = name;
  if (recorded_ != nullptr) {
    // The next marker of this turn is this one's; if it is not, matching finds out at this place.
    std::size_t seen = 0;
    for (const HistoryEvent& e : *recorded_) {
      const auto* kept = std::get_if<events::MarkerRecorded>(&e.attributes);
      if (kept == nullptr || kept->kind != m.kind || seen++ < recorded_markers_) continue;
      m.details = kept->details;
      break;
    }
    ++recorded_markers_;
  } else {
    m.details = peeking_ ? Payload("null") : value();
  }
  Payload out = m.details.text;
  commands_.emplace_back(std::move(m));
  return out;
}

bool Replayer::patched(const std::string& id) {
  if (const auto it = patches_.find(id); it != patches_.end()) return it->second;
  const auto is_marker = [&](const HistoryEvent& e) {
    const auto* m = std::get_if<events::MarkerRecorded>(&e.attributes);
    return m != nullptr && m->kind == events::MarkerKind::version && m->name == id;
  };
  // A turn that was made before the change has no marker.
  const bool answer = recorded_ == nullptr || std::any_of(recorded_->begin(), recorded_->end(), is_marker);
  if (answer) {
    events::MarkerRecorded m;
    m.kind = events::MarkerKind::version;
    m.name = id;
    commands_.emplace_back(std::move(m));
  }
  patches_.emplace(id, answer);
  return answer;
}

void Replayer::cancel(Scope& scope) {
  if (std::exchange(scope.cancelled, true)) return;
  std::vector<OperationPtr> reached;
  for (const auto& [_, op] : operations_)
    if (op->scope->is_within(scope)) reached.push_back(op);
  for (const Command& c : commands_)
    if (c.operation && c.operation->scope->is_within(scope)) reached.push_back(c.operation);
  for (const auto& [_, op] : locals_)
    if (op->scope->is_within(scope)) reached.push_back(op);
  for (const auto& [_, waits] : signal_waits_)
    for (const auto& op : waits)
      if (op->scope->is_within(scope)) reached.push_back(op);
  for (const OperationPtr& op : reached) {
    if (ended_) return;
    cancel(op);
  }
}

void Replayer::cancel(const OperationPtr& op) {
  // The event that ends it came in with the same turn: nothing is left to cancel.
  if (op->closed) return;
  if (op->pending->ready || std::exchange(op->cancel_requested, true)) return;
  if (op->kind == Operation::Kind::signal) {
    std::erase(signal_waits_[op->name], op);
    fail(*op, cancelled_failure());
    return;
  }
  if (op->kind == Operation::Kind::local) {
    locals_.erase(op->name);
    local_cancels_.push_back(op->name);
    fail(*op, cancelled_failure());
    return;
  }
  if (op->event_id == 0) {
    // Asked for in this very turn: it leaves no trace.
    std::erase_if(commands_, [&](const Command& c) { return c.operation == op; });
    if (op->started && !op->started->ready) {
      op->started->failure = cancelled_failure();
      wake(op->started);
    }
    fail(*op, cancelled_failure());
    return;
  }
  if (op->kind == Operation::Kind::timer) {
    events::TimerCanceled t;
    t.timer_id = op->name;
    t.started_event_id = op->event_id;
    commands_.emplace_back(std::move(t));
    operations_.erase(op->event_id);
    fail(*op, cancelled_failure());
    return;
  }
  if (op->kind == Operation::Kind::message) return;  // on its way
  if (op->kind == Operation::Kind::child) return cancel_child(op);
  if (op->cancel_mode != CancelMode::abandon) {
    events::ActivityTaskCancelRequested c;
    c.scheduled_event_id = op->event_id;
    commands_.emplace_back(std::move(c));
  }
  if (op->cancel_mode != CancelMode::wait) fail(*op, cancelled_failure());
}

void Replayer::bind(const Attributes& command, const OperationPtr& operation, std::uint64_t event_id) {
  position_ = describe_event(command) + " (event " + std::to_string(event_id) + ")";
  if (!operation) return;
  operation->event_id = event_id;
  operations_.emplace(event_id, operation);
}

}  // namespace millrace::engine
