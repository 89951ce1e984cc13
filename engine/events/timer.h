// Events of timers that workflow code waits for.
#pragma once

#include <string>

#include "common/time_point.h"
#include "engine/events/types.h"

namespace millrace::engine::events {

struct TimerStarted {
  static constexpr EventType kType = EventType::timer_started;
  std::string timer_id;
  Duration start_to_fire{0};
  WallTime fires;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("timerId", s.timer_id);
    v("startToFireTimeout", s.start_to_fire);
    v("fireTime", s.fires);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

struct TimerFired {
  static constexpr EventType kType = EventType::timer_fired;
  std::string timer_id;
  std::uint64_t started_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("timerId", s.timer_id);
    v("startedEventId", s.started_event_id);
  }
};

struct TimerCanceled {
  static constexpr EventType kType = EventType::timer_canceled;
  std::string timer_id;
  std::uint64_t started_event_id = 0;
  std::uint64_t turn_event_id = 0;

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("timerId", s.timer_id);
    v("startedEventId", s.started_event_id);
    v("workflowTaskCompletedEventId", s.turn_event_id);
  }
};

}  // namespace millrace::engine::events
