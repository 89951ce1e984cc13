// Events of an execution as a whole: how it began, what was asked of it, how it ended.
#pragma once

#include <optional>
#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"
#include "engine/options.h"

namespace millrace::engine::events {

struct WorkflowExecutionStarted {
  static constexpr EventType kType = EventType::workflow_execution_started;
  std::string workflow_type;
  std::string workflow_id;
  std::string task_queue = "default";
  StoredPayload input;
  StoredPayload memo;
  std::optional<Duration> execution_timeout;  // of the whole chain of runs
  std::optional<Duration> run_timeout;
  std::optional<WallTime> expiration;  // of the chain, absolute
  std::optional<RetryPolicy> retry;
  std::uint32_t attempt = 1;  // of a workflow that is retried
  std::string initiator;      // "", "workflow", "retry", "cron", "reset"
  std::string continued_run_id;
  std::string first_run_id;     // of the chain; empty: this run
  std::string original_run_id;  // seed of random(); empty: this run
  std::string parent_workflow_id;
  std::string parent_run_id;
  std::uint64_t parent_initiated_event_id = 0;
  std::optional<Duration> first_turn_backoff;
  StoredPayload last_completion_result;
  std::optional<Failure> continued_failure;
  std::string identity;  // who started it
  std::string build_id;
  std::string reset_run_id;  // of a reset: the run and the event it was cut at
  std::uint64_t reset_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("workflowType", s.workflow_type);
    v("workflowId", s.workflow_id);
    v("taskQueue", s.task_queue);
    v("input", s.input);
    v("memo", s.memo);
    v("workflowExecutionTimeout", s.execution_timeout);
    v("workflowRunTimeout", s.run_timeout);
    v("workflowExecutionExpirationTime", s.expiration);
    v("retryPolicy", s.retry);
    v("attempt", s.attempt);
    v("initiator", s.initiator);
    v("continuedExecutionRunId", s.continued_run_id);
    v("firstExecutionRunId", s.first_run_id);
    v("originalExecutionRunId", s.original_run_id);
    v("parentWorkflowId", s.parent_workflow_id);
    v("parentRunId", s.parent_run_id);
    v("parentInitiatedEventId", s.parent_initiated_event_id);
    v("firstWorkflowTaskBackoff", s.first_turn_backoff);
    v("lastCompletionResult", s.last_completion_result);
    v("continuedFailure", s.continued_failure);
    v("identity", s.identity);
    v("buildId", s.build_id);
    v("resetRunId", s.reset_run_id);
    v("resetEventId", s.reset_event_id);
  }
};

struct WorkflowExecutionCompleted {
  static constexpr EventType kType = EventType::workflow_execution_completed;
  StoredPayload result;
  std::uint64_t turn_event_id = 0;  // the WORKFLOW_TASK_COMPLETED that asked for it
  std::string new_run_id;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("result", s.result);
    v("workflowTaskCompletedEventId", s.turn_event_id);
    v("newExecutionRunId", s.new_run_id);
  }
};

struct WorkflowExecutionFailed {
  static constexpr EventType kType = EventType::workflow_execution_failed;
  Failure failure;
  std::uint64_t turn_event_id = 0;
  std::string retry_state;
  std::string new_run_id;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("failure", s.failure);
    v("workflowTaskCompletedEventId", s.turn_event_id);
    v("retryState", s.retry_state);
    v("newExecutionRunId", s.new_run_id);
  }
};

struct WorkflowExecutionCanceled {
  static constexpr EventType kType = EventType::workflow_execution_canceled;
  StoredPayload details;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("details", s.details);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

// Closes the run and begins another of the same workflow id, in one batch.
struct WorkflowExecutionContinuedAsNew {
  static constexpr EventType kType = EventType::workflow_execution_continued_as_new;
  std::string new_run_id;
  StoredPayload input;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("newExecutionRunId", s.new_run_id);
    v("input", s.input);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

// Closes the run without running code.
struct WorkflowExecutionTimedOut {
  static constexpr EventType kType = EventType::workflow_execution_timed_out;
  std::string retry_state;
  std::string new_run_id;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("retryState", s.retry_state);
    v("newExecutionRunId", s.new_run_id);
  }
};

// Closes the run without running code.
struct WorkflowExecutionTerminated {
  static constexpr EventType kType = EventType::workflow_execution_terminated;
  std::string reason;
  StoredPayload details;
  std::string identity;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("reason", s.reason);
    v("details", s.details);
    v("identity", s.identity);
  }
};

struct WorkflowExecutionCancelRequested {
  static constexpr EventType kType = EventType::workflow_execution_cancel_requested;
  std::string cause;
  std::string identity;
  std::string request_id;
  std::string external_workflow_id;
  std::string external_run_id;
  std::uint64_t external_initiated_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("cause", s.cause);
    v("identity", s.identity);
    v("requestId", s.request_id);
    v("externalWorkflowId", s.external_workflow_id);
    v("externalRunId", s.external_run_id);
    v("externalInitiatedEventId", s.external_initiated_event_id);
  }
};

}  // namespace millrace::engine::events
