#include "engine/records/run_record.h"

namespace millrace::engine {

std::string_view to_string(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::running:
      return "Running";
    case ExecutionStatus::completed:
      return "Completed";
    case ExecutionStatus::failed:
      return "Failed";
    case ExecutionStatus::canceled:
      return "Canceled";
    case ExecutionStatus::terminated:
      return "Terminated";
    case ExecutionStatus::timed_out:
      return "TimedOut";
    case ExecutionStatus::continued_as_new:
      return "ContinuedAsNew";
    case ExecutionStatus::paused:
      return "Paused";
  }
  return {};
}

Execution to_execution(const std::string& run_id, const RunRecord& r) {
  Execution e;
  e.workflow_id = r.workflow_id;
  e.run_id = run_id;
  e.type = r.type;
  e.status = r.status;
  if (r.is_blocked) e.blocked = r.blocked;
  e.started = r.started;
  e.closed = r.closed;
  e.memo = r.memo;
  e.failure = r.failure;
  e.cancel_requested = r.cancel_requested;
  e.history_length = r.history_length;
  e.history_bytes = r.history_bytes;
  e.first_run_id = r.first_run_id;
  e.set_aside = r.set_aside;
  e.parent_workflow_id = r.parent_workflow_id;
  e.parent_run_id = r.parent_run_id;
  return e;
}

}  // namespace millrace::engine
