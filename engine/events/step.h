// Events of steps (Temporal: activities).
//
// That an attempt started is durable before it runs. The first attempt mostly starts with the batch that schedules the
// step: then ACTIVITY_TASK_SCHEDULED itself says so (startedBy). Others have a record beside the history
// (records/attempt_record.h), so that retries cost no history. ACTIVITY_TASK_STARTED is written with the event that
// closes the step and tells of its last attempt.
#pragma once

#include <optional>
#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"
#include "engine/options.h"
#include "engine/retry.h"

namespace millrace::engine::events {

struct ActivityTaskScheduled {
  static constexpr EventType kType = EventType::activity_task_scheduled;
  std::string activity_id;
  std::string activity_type;
  std::string task_queue;
  StoredPayload input;
  StepTimeouts timeouts;
  RetryPolicy retry;
  std::uint32_t priority = 0;
  std::string fairness_key;
  std::uint64_t turn_event_id = 0;
  std::string started_by;  // the process that ran attempt 1 from here on; empty: it did not start with this batch
  std::optional<double> fairness_weight;  // empty: 1
  std::vector<std::string> limit_keys;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("activityId", s.activity_id);
    v("activityType", s.activity_type);
    v("taskQueue", s.task_queue);
    v("input", s.input);
    v("timeouts", s.timeouts);
    v("retryPolicy", s.retry);
    v("priority", s.priority);
    v("fairnessKey", s.fairness_key);
    v("workflowTaskCompletedEventId", s.turn_event_id);
    v("startedBy", s.started_by);
    v("fairnessWeight", s.fairness_weight);
    v("limitKeys", s.limit_keys);
  }
};

struct ActivityTaskStarted {
  static constexpr EventType kType = EventType::activity_task_started;
  std::uint64_t scheduled_event_id = 0;
  std::uint32_t attempt = 0;
  WallTime started;      // the event's time is when this was written
  std::string identity;  // the process that ran it
  std::optional<Failure> last_failure;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("attempt", s.attempt);
    v("startedTime", s.started);
    v("identity", s.identity);
    v("lastFailure", s.last_failure);
  }
};

struct ActivityTaskCompleted {
  static constexpr EventType kType = EventType::activity_task_completed;
  std::uint64_t scheduled_event_id = 0;
  std::uint64_t started_event_id = 0;
  StoredPayload result;
  std::string identity;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("startedEventId", s.started_event_id);
    v("result", s.result);
    v("identity", s.identity);
  }
};

struct ActivityTaskFailed {
  static constexpr EventType kType = EventType::activity_task_failed;
  std::uint64_t scheduled_event_id = 0;
  std::uint64_t started_event_id = 0;
  Failure failure;
  RetryState retry_state = RetryState::unspecified;
  std::string identity;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("startedEventId", s.started_event_id);
    v("failure", s.failure);
    v("retryState", s.retry_state);
    v("identity", s.identity);
  }
};

struct ActivityTaskTimedOut {
  static constexpr EventType kType = EventType::activity_task_timed_out;
  std::uint64_t scheduled_event_id = 0;
  std::uint64_t started_event_id = 0;  // 0: no attempt had started
  Failure failure;                     // type says which time-out; details: the last heartbeat
  RetryState retry_state = RetryState::unspecified;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("startedEventId", s.started_event_id);
    v("failure", s.failure);
    v("retryState", s.retry_state);
  }
};

struct ActivityTaskCancelRequested {
  static constexpr EventType kType = EventType::activity_task_cancel_requested;
  std::uint64_t scheduled_event_id = 0;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

struct ActivityTaskCanceled {
  static constexpr EventType kType = EventType::activity_task_canceled;
  std::uint64_t scheduled_event_id = 0;
  std::uint64_t started_event_id = 0;  // 0: no attempt had started
  std::uint64_t cancel_requested_event_id = 0;
  StoredPayload details;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("scheduledEventId", s.scheduled_event_id);
    v("startedEventId", s.started_event_id);
    v("latestCancelRequestedEventId", s.cancel_requested_event_id);
    v("details", s.details);
  }
};

}  // namespace millrace::engine::events
