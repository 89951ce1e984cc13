// The types of events and their stored numbers, which are those of Temporal's EventType (temporal/api/enums/v1/
// event_type.proto), so that an export needs no table. A number is never changed or used again.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::engine {

enum class EventType : std::uint8_t {
  workflow_execution_started = 1,
  workflow_execution_completed = 2,
  workflow_execution_failed = 3,
  workflow_execution_timed_out = 4,
  // 5 and 6 (workflow task scheduled, started) are not written: one event a turn, see events/turn.h.
  workflow_task_completed = 7,
  workflow_task_failed = 8,  // of a reset only, see events/operator.h
  activity_task_scheduled = 10,
  activity_task_started = 11,
  activity_task_completed = 12,
  activity_task_failed = 13,
  activity_task_timed_out = 14,
  activity_task_cancel_requested = 15,
  activity_task_canceled = 16,
  timer_started = 17,
  timer_fired = 18,
  timer_canceled = 19,
  workflow_execution_cancel_requested = 20,
  workflow_execution_canceled = 21,
  request_cancel_external_initiated = 22,
  request_cancel_external_failed = 23,
  external_cancel_requested = 24,
  marker_recorded = 25,
  workflow_execution_signaled = 26,
  workflow_execution_terminated = 27,
  workflow_execution_continued_as_new = 28,
  start_child_initiated = 29,
  start_child_failed = 30,
  child_started = 31,
  child_completed = 32,
  child_failed = 33,
  child_canceled = 34,
  child_timed_out = 35,
  child_terminated = 36,
  signal_external_initiated = 37,
  signal_external_failed = 38,
  external_signaled = 39,
  update_accepted = 41,
  update_completed = 43,
  workflow_properties_modified = 46,
  update_admitted = 47,
  workflow_execution_paused = 60,
  workflow_execution_unpaused = 61,
  // retired: none yet
};

// "ACTIVITY_TASK_COMPLETED"; empty for a number this build does not know.
std::string_view event_type_name(EventType type);

}  // namespace millrace::engine
