// A message from one execution to another (keys::outbox): written in the batch of the decision that sends it, erased in
// the batch that takes its answer in. Delivered at least once; the receiver knows repeats by the sender's run and
// event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/records/record.h"

namespace millrace::engine {

enum class OutboxKind : std::uint8_t {
  start_child = 1,    // answer: child started, or not
  child_closed = 2,   // to the parent
  signal = 3,         // answer: it arrived, or not
  cancel = 4,         // the same
  parent_closed = 5,  // to a child, whose policy says what now; no answer
  adopt_child = 6,    // of a run that a reset made, about a child of the run before; answer: started, or its end
};

struct OutboxRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "a message between executions";

  OutboxKind kind = OutboxKind::start_child;
  std::string from_workflow_id;
  std::string from_run_id;
  std::uint64_t event_id = 0;  // of the sender; child_closed: of the parent that initiated it
  std::string workflow_id;     // to whom
  std::string run_id;          // empty: the current one
  std::string name;            // workflow type, signal name
  std::string payload;
  ParentClosePolicy policy = ParentClosePolicy::terminate;
  ExecutionStatus status = ExecutionStatus::running;  // child_closed: how
  std::optional<Failure> failure;
  std::optional<Duration> run_timeout;  // start_child
  std::string origin_run_id;  // the run that made event_id, if a reset has copied it since; part of the request id

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("kind", s.kind);
    v("fromWorkflowId", s.from_workflow_id);
    v("fromRunId", s.from_run_id);
    v("eventId", s.event_id);
    v("workflowId", s.workflow_id);
    v("runId", s.run_id);
    v("name", s.name);
    v("payload", s.payload);
    v("policy", s.policy);
    v("status", s.status);
    v("failure", s.failure);
    v("runTimeout", s.run_timeout);
    v("originRunId", s.origin_run_id);
  }
};

}  // namespace millrace::engine
