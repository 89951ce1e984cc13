// Events of updates: requests to an execution that get an answer.
//
// An update that its validator rejects leaves no event. ACCEPTED comes in like a signal and wakes the handler;
// COMPLETED is what the handler asks for when it ends.
#pragma once

#include <optional>
#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"

namespace millrace::engine::events {

struct WorkflowExecutionUpdateAccepted {
  static constexpr EventType kType = EventType::update_accepted;
  std::string update_id;
  std::string name;
  StoredPayload input;
  std::string identity;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("updateId", s.update_id);
    v("updateName", s.name);
    v("input", s.input);
    v("identity", s.identity);
  }
};

struct WorkflowExecutionUpdateCompleted {
  static constexpr EventType kType = EventType::update_completed;
  std::string update_id;
  std::uint64_t accepted_event_id = 0;
  StoredPayload result;
  std::optional<Failure> failure;  // instead of a result
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("updateId", s.update_id);
    v("acceptedEventId", s.accepted_event_id);
    v("result", s.result);
    v("failure", s.failure);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

}  // namespace millrace::engine::events
