// keys::run_item(run, kStepItem, event id as decimal digits): what a person or a reset has changed about a pending
// step. Written when it changes; a step without one is as its SCHEDULED event says.
#pragma once

#include <optional>
#include <string>

#include "engine/options.h"
#include "engine/records/record.h"

namespace millrace::engine {

inline constexpr std::uint8_t kStepItem = 16;

struct StepRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a step";
  std::optional<WallTime> clock;  // its time-outs count from here instead of from SCHEDULED
  bool paused = false;
  std::string pause_reason;
  std::string identity;
  std::optional<RetryPolicy> retry;  // instead of the event's
  std::optional<StepTimeouts> timeouts;
  std::uint32_t no_wait_after = 0;  // after this attempt failed, the next comes without the rest of the back-off

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("clock", s.clock);
    v("paused", s.paused);
    v("pauseReason", s.pause_reason);
    v("identity", s.identity);
    v("retry", s.retry);
    v("timeouts", s.timeouts);
    v("noWaitAfter", s.no_wait_after);
  }
};

}  // namespace millrace::engine
