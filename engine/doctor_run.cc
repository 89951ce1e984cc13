#include "engine/doctor_run.h"

namespace millrace::engine {
namespace {

std::string at(const HistoryEvent& event) {
  return "event " + std::to_string(event.id) + " (" + describe_event(event.attributes) + ")";
}

ExecutionStatus status_of(const Attributes& closing) {
  if (std::holds_alternative<events::WorkflowExecutionCompleted>(closing)) return ExecutionStatus::completed;
  if (std::holds_alternative<events::WorkflowExecutionFailed>(closing)) return ExecutionStatus::failed;
  if (std::holds_alternative<events::WorkflowExecutionCanceled>(closing)) return ExecutionStatus::canceled;
  if (std::holds_alternative<events::WorkflowExecutionTerminated>(closing)) return ExecutionStatus::terminated;
  if (std::holds_alternative<events::WorkflowExecutionTimedOut>(closing)) return ExecutionStatus::timed_out;
  return ExecutionStatus::continued_as_new;
}

}  // namespace

void RunFacts::close_step(const HistoryEvent& event, std::uint64_t scheduled) {
  if (steps_.erase(scheduled) != 0) {
    closed_steps_.insert(scheduled);
  } else if (closed_steps_.count(scheduled) != 0) {
    say_("step.closed_twice", at(event) + " closes the step of event " + std::to_string(scheduled) + " again");
  } else {
    say_("history.reference", at(event) + " speaks of event " + std::to_string(scheduled) + ", which is no open step");
  }
}

void RunFacts::answer(const HistoryEvent& event, std::uint64_t initiated) {
  const bool known = unanswered_.erase(initiated) + children_.erase(initiated) != 0;
  if (!known)
    say_("history.reference",
         at(event) + " answers event " + std::to_string(initiated) + ", which waits for no answer");
}

void RunFacts::take(const HistoryEvent& event) {
  last_event_ = event.id;
  const Attributes& a = event.attributes;
  if (closing_) say_("history.reference", at(event) + " stands behind the end of the run");
  if (is_closing_event(type_of(event))) {
    closing_ = event;
    return;
  }
  const auto end_timer = [&](std::uint64_t started) {
    if (timers_.erase(started) == 0)
      say_("history.reference",
           at(event) + " ends the timer of event " + std::to_string(started) + ", which is not open");
  };
  if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&a)) {
    if (event.id != 1) say_("history.reference", at(event) + " is not the first");
    started_ = *s;
    started_at_ = event.time;
    if (s->run_timeout) run_deadline_ = event.time + *s->run_timeout;
  } else if (const auto* st = std::get_if<events::ActivityTaskScheduled>(&a)) {
    steps_.emplace(event.id, st->started_by.empty() ? 0 : 1);
  } else if (const auto* c = std::get_if<events::ActivityTaskCompleted>(&a)) {
    close_step(event, c->scheduled_event_id);
  } else if (const auto* f = std::get_if<events::ActivityTaskFailed>(&a)) {
    close_step(event, f->scheduled_event_id);
  } else if (const auto* t = std::get_if<events::ActivityTaskTimedOut>(&a)) {
    close_step(event, t->scheduled_event_id);
  } else if (const auto* x = std::get_if<events::ActivityTaskCanceled>(&a)) {
    close_step(event, x->scheduled_event_id);
  } else if (const auto* ts = std::get_if<events::TimerStarted>(&a)) {
    timers_.emplace(event.id, ts->fires);
  } else if (const auto* tf = std::get_if<events::TimerFired>(&a)) {
    end_timer(tf->started_event_id);
  } else if (const auto* tc = std::get_if<events::TimerCanceled>(&a)) {
    end_timer(tc->started_event_id);
  } else if (std::holds_alternative<events::WorkflowExecutionCancelRequested>(a)) {
    cancel_requested_ = true;
  } else if (std::holds_alternative<events::StartChildInitiated>(a) ||
             std::holds_alternative<events::SignalExternalInitiated>(a) ||
             std::holds_alternative<events::RequestCancelExternalInitiated>(a)) {
    unanswered_.insert(event.id);
  } else if (const auto* cs = std::get_if<events::ChildStarted>(&a)) {
    answer(event, cs->initiated_event_id);
    children_.insert(cs->initiated_event_id);
  } else if (const auto initiated = initiated_event_of(a); initiated != 0) {
    answer(event, initiated);
  }
}

void RunFacts::compare(const RunRecord& r) const {
  const auto differs = [&](const char* what, const std::string& stored, const std::string& rebuilt) {
    if (stored != rebuilt)
      say_("record.differs", std::string(what) + " is " + (stored.empty() ? "nothing" : stored) + " in the record, " +
                                 (rebuilt.empty() ? "nothing" : rebuilt) + " in the history");
  };
  if (!started_) {
    say_("history.reference", "the history does not begin with a start");
    return;
  }
  const auto text = [](std::optional<WallTime> t) { return t ? std::to_string(to_micros(*t)) : std::string(); };
  const bool open = r.status == ExecutionStatus::running || r.status == ExecutionStatus::paused;
  differs("the status", open ? "open" : std::string(to_string(r.status)),
          closing_ ? std::string(to_string(status_of(closing_->attributes))) : "open");
  differs("the length of the history", std::to_string(r.history_length), std::to_string(last_event_));
  differs("the workflow id", r.workflow_id, started_->workflow_id);
  differs("the type", r.type, started_->workflow_type);
  // Event 1 of a reset is that of the run before.
  if (r.reset_run_id.empty()) differs("the start", text(r.started), text(started_at_));
  differs("the end", text(r.closed), text(closing_ ? std::optional<WallTime>(closing_->time) : std::nullopt));
  differs("the request to cancel", r.cancel_requested ? "yes" : "no", cancel_requested_ ? "yes" : "no");
  // Its run may be one that a reset of the parent has made since.
  differs("the parent", r.parent_workflow_id, started_->parent_workflow_id);
}

}  // namespace millrace::engine
