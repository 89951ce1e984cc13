// Events of messages to other executions: a signal or a cancel request goes out, and what became of it comes back.
#pragma once

#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"

namespace millrace::engine::events {

struct SignalExternalInitiated {
  static constexpr EventType kType = EventType::signal_external_initiated;
  std::string workflow_id;
  std::string run_id;
  std::string name;
  StoredPayload input;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("workflowId", s.workflow_id);
    v("runId", s.run_id);
    v("signalName", s.name);
    v("input", s.input);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

struct RequestCancelExternalInitiated {
  static constexpr EventType kType = EventType::request_cancel_external_initiated;
  std::string workflow_id;
  std::string run_id;
  std::uint64_t child_initiated_event_id = 0;  // of a child of ours; 0: of nobody's
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("workflowId", s.workflow_id);
    v("runId", s.run_id);
    v("childInitiatedEventId", s.child_initiated_event_id);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

// The message arrived.
template <EventType Type>
struct ExternalDone {
  static constexpr EventType kType = Type;
  std::uint64_t initiated_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
  }
};
using ExternalSignaled = ExternalDone<EventType::external_signaled>;
using ExternalCancelRequested = ExternalDone<EventType::external_cancel_requested>;

// There was nobody to take it.
template <EventType Type>
struct ExternalFailed {
  static constexpr EventType kType = Type;
  std::uint64_t initiated_event_id = 0;
  Failure failure;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
    v("failure", s.failure);
  }
};
using SignalExternalFailed = ExternalFailed<EventType::signal_external_failed>;
using RequestCancelExternalFailed = ExternalFailed<EventType::request_cancel_external_failed>;

}  // namespace millrace::engine::events
