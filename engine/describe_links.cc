#include "engine/describe_links.h"

#include <algorithm>

namespace millrace::engine {
namespace {

ChildDescription* find_child(ExecutionDetail& detail, std::uint64_t initiated) {
  const auto it = std::find_if(detail.children.begin(), detail.children.end(),
                               [&](const ChildDescription& c) { return c.initiated_event_id == initiated; });
  return it == detail.children.end() ? nullptr : &*it;
}

// Fills in how a child ended, for the events that say so.
struct ChildEnd {
  ExecutionDetail& detail;
  WallTime time;

  void end(std::uint64_t initiated, std::optional<ExecutionStatus> status, const Failure* failure) const {
    ChildDescription* child = find_child(detail, initiated);
    if (child == nullptr) return;
    child->status = status;
    child->closed = time;
    if (failure != nullptr) child->failure = *failure;
  }
  void operator()(const events::StartChildFailed& e) const { end(e.initiated_event_id, std::nullopt, &e.failure); }
  void operator()(const events::ChildStarted& e) const {
    ChildDescription* child = find_child(detail, e.initiated_event_id);
    if (child == nullptr) return;
    child->run_id = e.run_id;
    child->status = ExecutionStatus::running;
  }
  void operator()(const events::ChildCompleted& e) const {
    end(e.initiated_event_id, ExecutionStatus::completed, nullptr);
    if (ChildDescription* child = find_child(detail, e.initiated_event_id)) child->result = e.result.text;
  }
  void operator()(const events::ChildFailed& e) const {
    end(e.initiated_event_id, ExecutionStatus::failed, &e.failure);
  }
  void operator()(const events::ChildCanceled& e) const {
    end(e.initiated_event_id, ExecutionStatus::canceled, &e.failure);
  }
  void operator()(const events::ChildTimedOut& e) const {
    end(e.initiated_event_id, ExecutionStatus::timed_out, &e.failure);
  }
  void operator()(const events::ChildTerminated& e) const {
    end(e.initiated_event_id, ExecutionStatus::terminated, &e.failure);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

void describe_link_into(ExecutionDetail& detail, const HistoryEvent& event) {
  if (const auto* i = std::get_if<events::StartChildInitiated>(&event.attributes)) {
    ChildDescription child;
    child.workflow_id = i->workflow_id;
    child.type = i->workflow_type;
    child.initiated_event_id = event.id;
    child.parent_close_policy = i->parent_close_policy;
    child.initiated = event.time;
    detail.children.push_back(std::move(child));
  } else if (const auto* a = std::get_if<events::WorkflowExecutionUpdateAccepted>(&event.attributes)) {
    PendingUpdate update;
    update.accepted_event_id = event.id;
    update.update_id = a->update_id;
    update.name = a->name;
    update.time = event.time;
    detail.pending_updates.push_back(std::move(update));
  } else if (const auto* c = std::get_if<events::WorkflowExecutionUpdateCompleted>(&event.attributes)) {
    std::erase_if(detail.pending_updates, [&](const PendingUpdate& u) { return u.update_id == c->update_id; });
  } else if (const auto* n = std::get_if<events::WorkflowExecutionContinuedAsNew>(&event.attributes)) {
    detail.continued_run_id = n->new_run_id;
  } else {
    std::visit(ChildEnd{detail, event.time}, event.attributes);
  }
  if (is_closing_event(type_of(event))) detail.pending_updates.clear();
}

}  // namespace millrace::engine
