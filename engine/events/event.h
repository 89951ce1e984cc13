// One event of a history: what happened, when, under which id. Ids of a run are dense from 1.
#pragma once

#include <variant>

#include "engine/engine.h"
#include "engine/events/child.h"
#include "engine/events/execution.h"
#include "engine/events/external.h"
#include "engine/events/marker.h"
#include "engine/events/operator.h"
#include "engine/events/signal.h"
#include "engine/events/step.h"
#include "engine/events/timer.h"
#include "engine/events/turn.h"
#include "engine/events/update.h"

namespace millrace::engine {

using Attributes = std::variant<
    events::WorkflowExecutionStarted, events::WorkflowExecutionCompleted, events::WorkflowExecutionFailed,
    events::WorkflowExecutionCanceled, events::WorkflowExecutionTimedOut, events::WorkflowExecutionTerminated,
    events::WorkflowExecutionCancelRequested, events::WorkflowTaskCompleted, events::ActivityTaskScheduled,
    events::ActivityTaskStarted, events::ActivityTaskCompleted, events::ActivityTaskFailed,
    events::ActivityTaskTimedOut, events::ActivityTaskCancelRequested, events::ActivityTaskCanceled,
    events::TimerStarted, events::TimerFired, events::TimerCanceled, events::MarkerRecorded,
    events::WorkflowExecutionContinuedAsNew, events::WorkflowExecutionSignaled, events::WorkflowExecutionUpdateAccepted,
    events::WorkflowExecutionUpdateCompleted, events::StartChildInitiated, events::StartChildFailed,
    events::ChildStarted, events::ChildCompleted, events::ChildFailed, events::ChildCanceled, events::ChildTimedOut,
    events::ChildTerminated, events::SignalExternalInitiated, events::SignalExternalFailed, events::ExternalSignaled,
    events::RequestCancelExternalInitiated, events::RequestCancelExternalFailed, events::ExternalCancelRequested,
    events::WorkflowExecutionPaused, events::WorkflowExecutionUnpaused, events::WorkflowTaskFailed>;

struct HistoryEvent {
  HistoryEvent() = default;
  HistoryEvent(std::uint64_t i, WallTime t, Attributes a) : id(i), time(t), attributes(std::move(a)) {}
  std::uint64_t id = 0;
  WallTime time;
  Attributes attributes;
};

EventType type_of(const Attributes& attributes);
inline EventType type_of(const HistoryEvent& event) { return type_of(event.attributes); }
// Written because workflow code asked for it: replay matches it against a command.
bool is_command_event(EventType type);
// A local step's end: a marker, yet news for the code and no command of it.
inline bool is_local_result(const Attributes& attributes) {
  const auto* marker = std::get_if<events::MarkerRecorded>(&attributes);
  return marker != nullptr && marker->kind == events::MarkerKind::local_step;
}
// Ends the run.
bool is_closing_event(EventType type);

// Wakes workflow code. Neither asked for by code nor about the machinery alone.
bool is_news_event(EventType type);

// The INITIATED that an event of a child or of a message to another execution ends; 0 for all others.
std::uint64_t initiated_event_of(const Attributes& attributes);

// "ACTIVITY_TASK_SCHEDULED check-1 (check)": the type and what replay compares.
std::string describe_event(const Attributes& attributes);
EventView view_of(const HistoryEvent& event);

// Calls f(StoredPayload&) for each payload of the event.
template <class F>
struct PayloadVisitor {
  F& f;
  void operator()(const char*, StoredPayload& p) { f(p); }
  template <class T>
  void operator()(const char*, T&) {}
};
template <class F>
void for_each_payload(Attributes& attributes, F f) {
  PayloadVisitor<F> visitor{f};
  std::visit([&](auto& a) { std::remove_cvref_t<decltype(a)>::visit(a, visitor); }, attributes);
}

}  // namespace millrace::engine
