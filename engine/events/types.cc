#include "engine/events/types.h"

namespace millrace::engine {

std::string_view event_type_name(EventType type) {
  switch (type) {
    case EventType::workflow_execution_started:
      return "WORKFLOW_EXECUTION_STARTED";
    case EventType::workflow_execution_completed:
      return "WORKFLOW_EXECUTION_COMPLETED";
    case EventType::workflow_execution_failed:
      return "WORKFLOW_EXECUTION_FAILED";
    case EventType::workflow_execution_timed_out:
      return "WORKFLOW_EXECUTION_TIMED_OUT";
    case EventType::workflow_task_completed:
      return "WORKFLOW_TASK_COMPLETED";
    case EventType::workflow_task_failed:
      return "WORKFLOW_TASK_FAILED";
    case EventType::activity_task_scheduled:
      return "ACTIVITY_TASK_SCHEDULED";
    case EventType::activity_task_started:
      return "ACTIVITY_TASK_STARTED";
    case EventType::activity_task_completed:
      return "ACTIVITY_TASK_COMPLETED";
    case EventType::activity_task_failed:
      return "ACTIVITY_TASK_FAILED";
    case EventType::activity_task_timed_out:
      return "ACTIVITY_TASK_TIMED_OUT";
    case EventType::activity_task_cancel_requested:
      return "ACTIVITY_TASK_CANCEL_REQUESTED";
    case EventType::activity_task_canceled:
      return "ACTIVITY_TASK_CANCELED";
    case EventType::timer_started:
      return "TIMER_STARTED";
    case EventType::timer_fired:
      return "TIMER_FIRED";
    case EventType::timer_canceled:
      return "TIMER_CANCELED";
    case EventType::workflow_execution_cancel_requested:
      return "WORKFLOW_EXECUTION_CANCEL_REQUESTED";
    case EventType::workflow_execution_canceled:
      return "WORKFLOW_EXECUTION_CANCELED";
    case EventType::request_cancel_external_initiated:
      return "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED";
    case EventType::request_cancel_external_failed:
      return "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED";
    case EventType::external_cancel_requested:
      return "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED";
    case EventType::marker_recorded:
      return "MARKER_RECORDED";
    case EventType::workflow_execution_signaled:
      return "WORKFLOW_EXECUTION_SIGNALED";
    case EventType::workflow_execution_terminated:
      return "WORKFLOW_EXECUTION_TERMINATED";
    case EventType::workflow_execution_continued_as_new:
      return "WORKFLOW_EXECUTION_CONTINUED_AS_NEW";
    case EventType::start_child_initiated:
      return "START_CHILD_WORKFLOW_EXECUTION_INITIATED";
    case EventType::start_child_failed:
      return "START_CHILD_WORKFLOW_EXECUTION_FAILED";
    case EventType::child_started:
      return "CHILD_WORKFLOW_EXECUTION_STARTED";
    case EventType::child_completed:
      return "CHILD_WORKFLOW_EXECUTION_COMPLETED";
    case EventType::child_failed:
      return "CHILD_WORKFLOW_EXECUTION_FAILED";
    case EventType::child_canceled:
      return "CHILD_WORKFLOW_EXECUTION_CANCELED";
    case EventType::child_timed_out:
      return "CHILD_WORKFLOW_EXECUTION_TIMED_OUT";
    case EventType::child_terminated:
      return "CHILD_WORKFLOW_EXECUTION_TERMINATED";
    case EventType::signal_external_initiated:
      return "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED";
    case EventType::signal_external_failed:
      return "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED";
    case EventType::external_signaled:
      return "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED";
    case EventType::update_accepted:
      return "WORKFLOW_EXECUTION_UPDATE_ACCEPTED";
    case EventType::update_completed:
      return "WORKFLOW_EXECUTION_UPDATE_COMPLETED";
    case EventType::workflow_properties_modified:
      return "WORKFLOW_PROPERTIES_MODIFIED";
    case EventType::update_admitted:
      return "WORKFLOW_EXECUTION_UPDATE_ADMITTED";
    case EventType::workflow_execution_paused:
      return "WORKFLOW_EXECUTION_PAUSED";
    case EventType::workflow_execution_unpaused:
      return "WORKFLOW_EXECUTION_UNPAUSED";
  }
  return {};
}

}  // namespace millrace::engine
