#include "engine/execution_links.h"

#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

void ExecutionLinks::send(Transaction& tx, OutboxRow row) {
  row.from_workflow_id = execution_.record().workflow_id;
  row.from_run_id = execution_.run_id();
  const std::string key = keys::outbox(state::kEmbeddedShard, execution_.core().runtime.random());
  tx.batch.put(key, encode_record(row));
  tx.act([core = execution_.shared_core(), key, row = std::move(row)] { core->deliver(key, row); });
}

void ExecutionLinks::on_child_initiated(Transaction& tx, const HistoryEvent& event) {
  restore(event);
  const auto& a = std::get<events::StartChildInitiated>(event.attributes);
  OutboxRow row;
  row.kind = OutboxKind::start_child;
  row.event_id = event.id;
  row.workflow_id = a.workflow_id;
  row.name = a.workflow_type;
  row.payload = a.input.text;
  row.policy = a.parent_close_policy;
  row.run_timeout = a.run_timeout;
  send(tx, std::move(row));
}

void ExecutionLinks::on_signal_initiated(Transaction& tx, const HistoryEvent& event) {
  restore(event);
  const auto& a = std::get<events::SignalExternalInitiated>(event.attributes);
  OutboxRow row;
  row.kind = OutboxKind::signal;
  row.event_id = event.id;
  row.workflow_id = a.workflow_id;
  row.run_id = a.run_id;
  row.name = a.name;
  row.payload = a.input.text;
  send(tx, std::move(row));
}

void ExecutionLinks::on_cancel_initiated(Transaction& tx, const HistoryEvent& event) {
  restore(event);
  const auto& a = std::get<events::RequestCancelExternalInitiated>(event.attributes);
  OutboxRow row;
  row.kind = OutboxKind::cancel;
  row.event_id = event.id;
  row.workflow_id = a.workflow_id;
  row.run_id = a.run_id;
  if (const auto child = children_.find(a.child_initiated_event_id); child != children_.end())
    row.run_id = child->second.run_id;
  send(tx, std::move(row));
}

void ExecutionLinks::on_close(Transaction& tx, const HistoryEvent& closing) {
  for (const auto& [id, child] : children_) {
    if (child.policy == ParentClosePolicy::abandon || child.run_id.empty()) continue;  // unstarted: see delivery
    OutboxRow row;
    row.kind = OutboxKind::parent_closed;
    row.event_id = id;
    row.workflow_id = child.workflow_id;
    row.run_id = child.run_id;
    row.policy = child.policy;
    send(tx, std::move(row));
  }
  const RunRecord& record = execution_.record();
  if (replaced_ || record.parent_run_id.empty() || record.status == ExecutionStatus::continued_as_new) return;
  OutboxRow row;
  row.kind = OutboxKind::child_closed;
  row.event_id = record.parent_event_id;
  row.workflow_id = record.parent_workflow_id;
  row.run_id = record.parent_run_id;
  row.status = record.status;
  row.failure = record.failure;
  if (const auto* done = std::get_if<events::WorkflowExecutionCompleted>(&closing.attributes))
    row.payload = done->result.text;
  send(tx, std::move(row));
}

void ExecutionLinks::child_started(Transaction& tx, const std::string& row_key, std::uint64_t initiated,
                                   const std::string& run_id) {
  if (!row_key.empty()) tx.batch.erase(row_key);
  const auto it = children_.find(initiated);
  if (!execution_.accepts() || it == children_.end() || !it->second.run_id.empty()) return;
  it->second.run_id = run_id;
  events::ChildStarted e;
  e.initiated_event_id = initiated;
  e.workflow_id = it->second.workflow_id;
  e.run_id = run_id;
  execution_.append(tx, std::move(e));
}

void ExecutionLinks::child_not_started(Transaction& tx, const std::string& row_key, std::uint64_t initiated,
                                       const Failure& failure) {
  tx.batch.erase(row_key);
  const auto it = children_.find(initiated);
  if (!execution_.accepts() || it == children_.end()) return;
  events::StartChildFailed e;
  e.initiated_event_id = initiated;
  e.workflow_id = it->second.workflow_id;
  e.failure = failure;
  children_.erase(it);
  execution_.append(tx, std::move(e));
}

void ExecutionLinks::child_closed(Transaction& tx, const std::string& row_key, const OutboxRow& row) {
  // That it started may still be on its way: its end says so too.
  child_started(tx, {}, row.event_id, row.from_run_id);
  tx.batch.erase(row_key);
  if (!execution_.accepts() || children_.erase(row.event_id) == 0) return;
  const Failure failure = row.failure.value_or(Failure());
  const auto ended = [&](auto e) {
    e.initiated_event_id = row.event_id;
    e.failure = failure;
    execution_.append(tx, std::move(e));
  };
  switch (row.status) {
    case ExecutionStatus::completed: {
      events::ChildCompleted e;
      e.initiated_event_id = row.event_id;
      e.result = row.payload;
      execution_.append(tx, std::move(e));
      return;
    }
    case ExecutionStatus::canceled:
      return ended(events::ChildCanceled());
    case ExecutionStatus::timed_out:
      return ended(events::ChildTimedOut());
    case ExecutionStatus::terminated:
      return ended(events::ChildTerminated());
    default:
      return ended(events::ChildFailed());
  }
}

void ExecutionLinks::message_arrived(Transaction& tx, const std::string& row_key, OutboxKind kind,
                                     std::uint64_t initiated, const std::optional<Failure>& failure) {
  tx.batch.erase(row_key);
  if (!execution_.accepts() || unanswered_.erase(initiated) == 0) return;
  const auto answer = [&](auto done, auto failed) {
    if (failure) {
      failed.initiated_event_id = initiated;
      failed.failure = *failure;
      execution_.append(tx, std::move(failed));
    } else {
      done.initiated_event_id = initiated;
      execution_.append(tx, std::move(done));
    }
  };
  if (kind == OutboxKind::signal)
    answer(events::ExternalSignaled(), events::SignalExternalFailed());
  else
    answer(events::ExternalCancelRequested(), events::RequestCancelExternalFailed());
}

void ExecutionLinks::restore(const HistoryEvent& event) {
  const Attributes& a = event.attributes;
  if (const auto* i = std::get_if<events::StartChildInitiated>(&a)) {
    PendingChild child;
    child.workflow_id = i->workflow_id;
    child.policy = i->parent_close_policy;
    children_.emplace(event.id, std::move(child));
  } else if (const auto* s = std::get_if<events::ChildStarted>(&a)) {
    if (const auto it = children_.find(s->initiated_event_id); it != children_.end()) it->second.run_id = s->run_id;
  } else if (std::holds_alternative<events::SignalExternalInitiated>(a)) {
    unanswered_.emplace(event.id, OutboxKind::signal);
  } else if (std::holds_alternative<events::RequestCancelExternalInitiated>(a)) {
    unanswered_.emplace(event.id, OutboxKind::cancel);
  } else if (const auto id = initiated_event_of(a); id != 0) {
    children_.erase(id);
    unanswered_.erase(id);
  }
}

}  // namespace millrace::engine
