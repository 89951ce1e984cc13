// Events of child workflows.
//
// A child's start is two-phase: INITIATED is in the parent's batch, with a message beside it (records/outbox_row.h);
// what became of it comes back as STARTED or START_FAILED.
#pragma once

#include <optional>
#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"
#include "engine/options.h"

namespace millrace::engine::events {

struct StartChildInitiated {
  static constexpr EventType kType = EventType::start_child_initiated;
  std::string workflow_id;
  std::string workflow_type;
  StoredPayload input;
  ParentClosePolicy parent_close_policy = ParentClosePolicy::terminate;
  std::uint64_t turn_event_id = 0;
  std::optional<Duration> run_timeout;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("workflowId", s.workflow_id);
    v("workflowType", s.workflow_type);
    v("input", s.input);
    v("parentClosePolicy", s.parent_close_policy);
    v("workflowTaskCompletedEventId", s.turn_event_id);
    v("runTimeout", s.run_timeout);
  }
};

struct StartChildFailed {
  static constexpr EventType kType = EventType::start_child_failed;
  std::uint64_t initiated_event_id = 0;
  std::string workflow_id;
  Failure failure;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
    v("workflowId", s.workflow_id);
    v("failure", s.failure);
  }
};

struct ChildStarted {
  static constexpr EventType kType = EventType::child_started;
  std::uint64_t initiated_event_id = 0;
  std::string workflow_id;
  std::string run_id;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
    v("workflowId", s.workflow_id);
    v("runId", s.run_id);
  }
};

struct ChildCompleted {
  static constexpr EventType kType = EventType::child_completed;
  std::uint64_t initiated_event_id = 0;
  StoredPayload result;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
    v("result", s.result);
  }
};

// Failed, cancelled, timed out, terminated: one shape under four types.
template <EventType Type>
struct ChildEnded {
  static constexpr EventType kType = Type;
  std::uint64_t initiated_event_id = 0;
  Failure failure;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("initiatedEventId", s.initiated_event_id);
    v("failure", s.failure);
  }
};
using ChildFailed = ChildEnded<EventType::child_failed>;
using ChildCanceled = ChildEnded<EventType::child_canceled>;
using ChildTimedOut = ChildEnded<EventType::child_timed_out>;
using ChildTerminated = ChildEnded<EventType::child_terminated>;

}  // namespace millrace::engine::events
