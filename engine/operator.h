// What a person may do to an execution beside signal, cancel and terminate: set it back, pause it, lend a step a hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/time_point.h"
#include "engine/failure.h"
#include "engine/options.h"
#include "state/store.h"

namespace millrace::engine {

// What becomes of children that are open, or were closed since the point.
enum class ResetChildren : std::uint8_t {
  adopt = 0,      // the new run has them: their ends are told to it, also those of the past; one that it starts again
                  // under the same id is taken over
  terminate = 1,  // they are terminated; the new run is told so
  abandon = 2,    // they go on for themselves; for the new run they have failed as abandoned
};

// Where a history is cut. A turn decides everything at once, so a cut lies between turns: `before` moves it to before
// the turn, `after` to behind it.
struct ResetPoint {
  enum class Kind { event, step, first_turn, last_turn, last_failed_step, time };
  ResetPoint() = default;
  Kind kind = Kind::event;
  std::uint64_t event_id = 0;
  std::string step;              // activity id, or a type of step
  std::uint32_t occurrence = 1;  // of that type, from 1
  bool after = false;            // the event, or the step's end, is kept
  WallTime time;                 // what happened until then is kept
};

struct ResetRequest {
  ResetRequest() = default;
  std::string workflow_id;
  std::string run_id;  // empty: the current one. Open or closed
  ResetPoint point;
  ResetChildren children = ResetChildren::adopt;
  bool reapply_signals = true;  // those that came after the point, in this run and in those that followed it
  bool reapply_updates = true;
  std::string reason;
  std::string identity;
  std::string request_id;  // the same one resets nothing twice
  std::string new_run_id;  // empty: a new UUID. For callers whose `extra` names the run
  state::Batch extra;      // written in the batch of the reset, its conditions included
  // Instead of the base run's. The code gets the input as if the base had begun with it: for what is known of the new
  // run only now, such as its number and why it was made.
  std::optional<Payload> input;
  std::optional<Payload> memo;
};

struct ResetResult {
  ResetResult() = default;
  std::string run_id;               // the new one
  std::uint64_t kept_event_id = 0;  // the last event of the history that was kept
  bool made = false;                // false: the same request id had made it before
};

struct StepCommand {
  enum class Verb { retry, pause, unpause, reset, complete, fail, options };
  StepCommand() = default;
  std::string workflow_id;
  std::string run_id;  // empty: the current one
  std::string activity_id;
  Verb verb = Verb::retry;
  Payload result;                        // complete
  Failure failure;                       // fail
  bool reset_heartbeat = false;          // reset: the next attempt starts without the details of those before
  std::optional<StepTimeouts> timeouts;  // options: those that are set replace the step's
  std::optional<RetryPolicy> retry;      // options
  std::string reason;
  std::string identity;
  std::string request_id;  // the same one does nothing twice
};

}  // namespace millrace::engine
