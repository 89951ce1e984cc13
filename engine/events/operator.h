// Events of what a person does to an execution beside cancel and terminate: it is paused, goes on, is reset.
#pragma once

#include <string>

#include "engine/events/types.h"

namespace millrace::engine::events {

// From here on no turn runs and no attempt of a step starts, until UNPAUSED. What comes in meanwhile is kept.
template <EventType Type>
struct PauseChanged {
  static constexpr EventType kType = Type;
  std::string identity;
  std::string reason;
  std::string request_id;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("identity", s.identity);
    v("reason", s.reason);
    v("requestId", s.request_id);
  }
};
using WorkflowExecutionPaused = PauseChanged<EventType::workflow_execution_paused>;
using WorkflowExecutionUnpaused = PauseChanged<EventType::workflow_execution_unpaused>;

// In the run that a reset made, behind the part of the history that was kept: who cut it, when (the event's time), from
// which run and event, and why. Temporal writes the same event for it, with this cause.
struct WorkflowTaskFailed {
  static constexpr EventType kType = EventType::workflow_task_failed;
  std::string cause = "RESET_WORKFLOW";
  std::string base_run_id;
  std::string new_run_id;
  std::uint64_t base_event_id = 0;  // the last event that was kept
  std::string identity;
  std::string reason;
  std::string request_id;
  std::uint32_t reapplied = 0;  // signals and updates of later that follow this event

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("cause", s.cause);
    v("baseRunId", s.base_run_id);
    v("newRunId", s.new_run_id);
    v("baseEventId", s.base_event_id);
    v("identity", s.identity);
    v("reason", s.reason);
    v("requestId", s.request_id);
    v("reappliedEvents", s.reapplied);
  }
};

}  // namespace millrace::engine::events
