// The record of a run (keys::run): what lists show, and the version that each batch of the run is conditional on.
//
// Everything else about a run is in its history; the record is rewritten with each batch of events, so it stays small.
#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/records/record.h"

namespace millrace::engine {

// Stored numbers of ExecutionStatus: its order. Never reordered.
struct RunRecord {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the record of a run";

  std::uint64_t version = 0;  // grows with each batch
  std::string workflow_id;
  std::string type;
  ExecutionStatus status = ExecutionStatus::running;
  WallTime started;
  std::optional<WallTime> closed;
  bool cancel_requested = false;
  std::uint64_t history_length = 0;  // the last event's id
  std::uint64_t history_bytes = 0;
  std::uint64_t last_batch = 0;  // first event id of the last batch: where the end of the history lies
  std::string memo;
  std::optional<Failure> failure;  // why it did not complete
  bool is_blocked = false;
  Divergence blocked;
  std::string first_run_id;  // of the chain; empty: this run
  std::string parent_run_id;
  std::string parent_workflow_id;
  std::uint64_t parent_event_id = 0;  // the parent's INITIATED
  std::string continued_run_id;       // the run before this one in its chain
  bool set_aside = false;             // blocked since the server crashed while it ran, again and again
  std::string reset_run_id;           // made by a reset: of this run, up to reset_event_id
  std::uint64_t reset_event_id = 0;
  ResetChildren reset_children = ResetChildren::adopt;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("version", s.version);
    v("workflowId", s.workflow_id);
    v("type", s.type);
    v("status", s.status);
    v("started", s.started);
    v("closed", s.closed);
    v("cancelRequested", s.cancel_requested);
    v("historyLength", s.history_length);
    v("historyBytes", s.history_bytes);
    v("lastBatch", s.last_batch);
    v("memo", s.memo);
    v("failure", s.failure);
    v("isBlocked", s.is_blocked);
    v("blockedEventId", s.blocked.event_id);
    v("blockedExpected", s.blocked.expected);
    v("blockedGot", s.blocked.got);
    v("blockedPosition", s.blocked.position);
    v("firstRunId", s.first_run_id);
    v("parentRunId", s.parent_run_id);
    v("parentWorkflowId", s.parent_workflow_id);
    v("parentEventId", s.parent_event_id);
    v("continuedRunId", s.continued_run_id);
    v("setAside", s.set_aside);
    v("resetRunId", s.reset_run_id);
    v("resetEventId", s.reset_event_id);
    v("resetChildren", s.reset_children);
  }
};

// As users see it; input and result, which lie in the history, left out.
Execution to_execution(const std::string& run_id, const RunRecord& record);

}  // namespace millrace::engine
