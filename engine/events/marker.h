// Values that workflow code took from outside its history, kept so that replay takes the same.
#pragma once

#include <string>

#include "engine/codec/payload.h"
#include "engine/events/types.h"

namespace millrace::engine::events {

enum class MarkerKind : std::uint8_t {
  side_effect = 1,
  version = 2,  // a patch id (see engine.md: versions)
  local_step = 3,
};
inline std::string_view to_string(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::side_effect:
      return "SideEffect";
    case MarkerKind::version:
      return "Version";
    case MarkerKind::local_step:
      return "LocalActivity";
  }
  return {};
}

struct MarkerRecorded {
  static constexpr EventType kType = EventType::marker_recorded;
  MarkerKind kind = MarkerKind::side_effect;
  std::string name;
  StoredPayload details;
  std::uint64_t turn_event_id = 0;
  std::optional<Failure> failure;
  std::string activity_type;  // of a local step

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("markerKind", s.kind);
    v("markerName", s.name);
    v("details", s.details);
    v("workflowTaskCompletedEventId", s.turn_event_id);
    v("failure", s.failure);
    v("activityType", s.activity_type);
  }
};

}  // namespace millrace::engine::events
