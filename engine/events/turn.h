// The event of a turn.
//
// One process needs no dispatch of turns, so a turn is one event instead of Temporal's three (scheduled, started,
// completed; an export in Temporal's shape shows them). It stands behind the events that woke it and before the events
// of its commands. Its time is what now() says in that turn; it is where a history can be cut (reset).
#pragma once

#include <cstdint>
#include <string>

#include "engine/events/types.h"

namespace millrace::engine::events {

struct WorkflowTaskCompleted {
  static constexpr EventType kType = EventType::workflow_task_completed;
  std::uint64_t woken_by_event_id = 0;  // the first of the events that woke it
  std::string build_id;
  std::uint64_t flags = 0;          // rules of replay that this turn was made under; none so far
  std::uint64_t history_bytes = 0;  // before it, in round numbers: what continue_as_new_suggested() goes by

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("wokenByEventId", s.woken_by_event_id);
    v("buildId", s.build_id);
    v("flags", s.flags);
    v("historySizeBytes", s.history_bytes);
  }
};

}  // namespace millrace::engine::events
