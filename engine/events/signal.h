// Events of signals: messages that come to an execution from outside.
#pragma once

#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"

namespace millrace::engine::events {

struct WorkflowExecutionSignaled {
  static constexpr EventType kType = EventType::workflow_execution_signaled;
  std::string name;
  StoredPayload input;
  std::string identity;
  std::string request_id;
  std::string external_workflow_id;  // the execution that sent it
  std::string external_run_id;
  std::uint64_t external_initiated_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("signalName", s.name);
    v("input", s.input);
    v("identity", s.identity);
    v("requestId", s.request_id);
    v("externalWorkflowId", s.external_workflow_id);
    v("externalRunId", s.external_run_id);
    v("externalInitiatedEventId", s.external_initiated_event_id);
  }
};

}  // namespace millrace::engine::events
