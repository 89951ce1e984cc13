// The run that a reset makes: the kept part of the history, a mark that says who cut it and why, what came later and is
// to be applied again, and then a first turn of its own; all in one batch with the end of the run before.
//
// The kept events are copied, with their ids: each run owns its rows, so that retention of one frees its disk and
// touches no other. Blobs are copied with them.
#include <boost/asio/dispatch.hpp>

#include "common/check.h"
#include "engine/events/codec.h"
#include "engine/execution_reset.h"
#include "engine/history.h"
#include "engine/records/step_row.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr std::size_t kEventsPerRow = 256;

}  // namespace

void RunningExecution::begin_reset(Transaction& tx, ResetSource& source) {
  const auto& first = std::get<events::WorkflowExecutionStarted>(source.kept.front().attributes);
  StartRequest request;
  request.type = first.workflow_type;
  request.workflow_id = first.workflow_id;
  request.input = first.input.text;
  request.memo = source.base.memo;
  request.run_timeout = first.run_timeout;
  Origin origin;
  origin.continued_run_id = source.before_run_id;
  origin.first_run_id = source.base.first_run_id.empty() ? source.base_run_id : source.base.first_run_id;
  origin.parent_workflow_id = source.base.parent_workflow_id;
  origin.parent_run_id = source.base.parent_run_id;
  origin.parent_event_id = source.base.parent_event_id;
  begin(tx, request, std::move(source.beside), origin);
  record_.reset_run_id = source.base_run_id;
  record_.reset_event_id = source.kept.back().id;
  record_.reset_children = source.children;

  // Instead of the event that a fresh start would have: what the base run has, and whence it comes.
  tx.events.clear();
  last_event_id_ = 0;
  auto& started = std::get<events::WorkflowExecutionStarted>(source.kept.front().attributes);
  if (started.original_run_id.empty()) started.original_run_id = source.base_run_id;
  started.initiator = "reset";
  started.reset_run_id = source.base_run_id;
  started.reset_event_id = source.kept.back().id;
  Replayer::Identity identity;
  identity.workflow_id = started.workflow_id;
  identity.run_id = run_id_;
  identity.type = started.workflow_type;
  identity.original_run_id = started.original_run_id;
  replayer_ = std::make_unique<Replayer>(std::move(identity), *core_->registry.workflow(started.workflow_type),
                                         started.input.text);
  HistoryReplay replay(*replayer_);
  std::optional<Divergence> divergence;
  for (HistoryEvent& event : source.kept) {
    // Its attempts were of the other run.
    if (auto* step = std::get_if<events::ActivityTaskScheduled>(&event.attributes)) step->started_by.clear();
    if (std::holds_alternative<events::WorkflowExecutionCancelRequested>(event.attributes))
      record_.cancel_requested = true;
    restore(event);
    if (!divergence) divergence = replay.feed(event);
  }
  if (!divergence) divergence = replay.finish();
  check(!divergence.has_value(), "a reset keeps what the code agrees with");
  write_kept(tx, source.kept);

  source.mark.new_run_id = run_id_;
  source.mark.base_run_id = source.base_run_id;
  source.mark.base_event_id = source.kept.back().id;
  source.mark.reapplied = static_cast<std::uint32_t>(source.reapplied.size());
  const HistoryEvent mark = append(tx, source.mark);
  timers_.restore(mark);
  for (Attributes& attributes : source.reapplied) {
    if (const auto* update = std::get_if<events::WorkflowExecutionUpdateAccepted>(&attributes))
      updates_.emplace(update->update_id, UpdateState());
    append(tx, std::move(attributes));
  }
  steps_.begin_again(tx);
  timers_.begin_again(tx);
  links_.begin_again(tx, source);
  run_turns(tx);
  if (accepts()) locals_.take(tx, *replayer_);
}

void RunningExecution::write_kept(Transaction& tx, const std::vector<HistoryEvent>& kept) {
  const FieldEncoder::BlobSink blob = [&](const std::string& hash, const Payload& text) {
    tx.batch.put(keys::blob(run_id_, hash), text);
  };
  for (std::size_t from = 0; from < kept.size(); from += kEventsPerRow) {
    const std::size_t to = std::min(kept.size(), from + kEventsPerRow);
    const std::vector<HistoryEvent> row(kept.begin() + static_cast<std::ptrdiff_t>(from),
                                        kept.begin() + static_cast<std::ptrdiff_t>(to));
    std::string bytes = encode_events(row, &blob);
    record_.history_bytes += bytes.size();
    tx.batch.put(keys::history(run_id_, row.front().id), std::move(bytes));
  }
}

void RunningExecution::replace_by(Transaction& tx, const RunningPtr& next, ResetSource& source) {
  auto first = std::make_shared<Transaction>(tx.now);
  const std::string reason = "reset to event " + std::to_string(source.kept.back().id) + " in run " + next->run_id() +
                             (source.mark.reason.empty() ? "" : ": " + source.mark.reason);
  next->begin_reset(*first, source);
  next->complete_batch(*first);
  links_.leave_to(source.children, next->links_);
  events::WorkflowExecutionTerminated terminated;
  terminated.reason = reason;
  terminated.identity = source.mark.identity;
  close_by_force(tx, std::move(terminated));
  follow_with(tx, next, first);
}

// The batch of this run makes another durable: it goes on from there.
void RunningExecution::follow_with(Transaction& tx, const RunningPtr& next, const std::shared_ptr<Transaction>& first) {
  tx.batch.append(std::move(first->batch));
  tx.act([core = core_, next, first] {
    if (next->is_open()) core->executions.insert(next->run_id(), next);
    asio::dispatch(next->strand_, [next, first] { next->adopt(*first); });
  });
}

asio::awaitable<bool> RunningExecution::start_reset(std::shared_ptr<ResetSource> source) {
  return start_with([this, source](Transaction& tx) { begin_reset(tx, *source); });
}

// ---- holding still ----

asio::awaitable<void> RunningExecution::hold(HolderPtr holder) {
  const RunningPtr self = shared_from_this();
  auto ack = std::make_shared<Ack>();
  submit([this, holder, ack](Transaction& tx) { take_hold(tx, holder, ack); });
  co_await ack->wait();
}

void RunningExecution::take_hold(Transaction& tx, const HolderPtr& holder, const AckPtr& ack) {
  if (holder->gone) return;  // whoever asked did not wait
  if (!accepts()) {
    tx.acks.push_back(ack);
    return;
  }
  if (!ready_) {
    // Another has just begun to hold it: the turn comes after its release.
    core_->pumps.enter();
    inputs_.push_back([this, holder, ack](Transaction& later) { take_hold(later, holder, ack); });
    return;
  }
  ready_ = false;
  holder->holds = true;
  tx.acks.push_back(ack);
}

void RunningExecution::release(HolderPtr holder, Input first) {
  if (first) core_->pumps.enter();
  asio::dispatch(strand_, [self = shared_from_this(), holder = std::move(holder), first = std::move(first)]() mutable {
    holder->gone = true;
    const bool held = std::exchange(holder->holds, false);
    if (first) self->inputs_.insert(self->inputs_.begin(), std::move(first));
    if (held) self->ready_ = true;
    self->wake_pump();
    if (held) self->rest();
  });
}

// ---- the groups ----

void ExecutionSteps::begin_again(Transaction& tx) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, _] : pending_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    PendingStep& step = pending_.at(id);
    step.scheduled_at = tx.now;
    step.row.clock = tx.now;
    put_row(tx, step);
    if (step.cancel_event_id != 0) {
      close_cancelled(tx, step);
      continue;
    }
    tx.act([this, id] {
      if (const auto p = pending_.find(id); p != pending_.end()) arm_step(p->second);
    });
    request_start(tx, step);
  }
}

void ExecutionTimers::begin_again(Transaction& tx) {
  for (const auto& [id, timer] : pending_) {
    TimerRow row;
    row.kind = TimerKind::user;
    row.event_id = id;
    tx.batch.put(row_key(id, timer), encode_record(row));
    tx.act([this, id = id] { arm(id); });
  }
}

// What the run before had sent is sent again under the same request ids: whoever has it already only answers.
void ExecutionLinks::begin_again(Transaction& tx, const ResetSource& source) {
  const auto origin_of = [&](std::uint64_t id) {
    const auto it = source.origins.find(id);
    return it == source.origins.end() ? source.base_run_id : it->second;
  };
  std::vector<std::uint64_t> abandoned;
  for (const HistoryEvent& event : source.kept) {
    OutboxRow row;
    row.event_id = event.id;
    row.origin_run_id = origin_of(event.id);
    if (const auto* child = std::get_if<events::StartChildInitiated>(&event.attributes)) {
      const auto it = children_.find(event.id);
      if (it == children_.end()) continue;
      if (source.children == ResetChildren::abandon) {
        abandoned.push_back(event.id);
        continue;
      }
      row.kind = OutboxKind::adopt_child;
      row.workflow_id = child->workflow_id;
      row.run_id = it->second.run_id;
      row.name = child->workflow_type;
      row.payload = child->input.text;
      row.policy = child->parent_close_policy;
      row.run_timeout = child->run_timeout;
      // Asks for its end first.
      if (source.children == ResetChildren::terminate) row.status = ExecutionStatus::terminated;
      send(tx, std::move(row));
    } else if (unanswered_.count(event.id) != 0) {
      if (const auto* signal = std::get_if<events::SignalExternalInitiated>(&event.attributes)) {
        row.kind = OutboxKind::signal;
        row.workflow_id = signal->workflow_id;
        row.run_id = signal->run_id;
        row.name = signal->name;
        row.payload = signal->input.text;
        send(tx, std::move(row));
      } else if (const auto* cancel = std::get_if<events::RequestCancelExternalInitiated>(&event.attributes)) {
        row.kind = OutboxKind::cancel;
        row.workflow_id = cancel->workflow_id;
        row.run_id = cancel->run_id;
        if (const auto own = children_.find(cancel->child_initiated_event_id); own != children_.end())
          row.run_id = own->second.run_id;
        send(tx, std::move(row));
      }
    }
  }
  for (const std::uint64_t id : abandoned) {
    children_.erase(id);
    events::ChildFailed failed;
    failed.initiated_event_id = id;
    failed.failure.type = "Abandoned";
    failed.failure.message = "the reset has left this child to itself";
    failed.failure.retryable = false;
    execution_.append(tx, std::move(failed));
  }
}

void ExecutionLinks::leave_to(ResetChildren policy, const ExecutionLinks& next) {
  for (auto& [id, child] : children_) {
    const auto shared = next.children_.find(id);
    const bool taken = shared != next.children_.end() && shared->second.workflow_id == child.workflow_id;
    // What both know is the new run's. The others began after the point.
    child.policy =
        !taken && policy == ResetChildren::terminate ? ParentClosePolicy::terminate : ParentClosePolicy::abandon;
  }
  replaced_ = true;
}

}  // namespace millrace::engine
