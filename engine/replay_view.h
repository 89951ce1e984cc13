// What replay shows: one past execution walked event by event, and today's code against many histories at once. All of
// it without any effect: no step begins, nothing is written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/time_point.h"
#include "engine/engine.h"

namespace millrace::engine {

// Something that the code waits for.
struct ReplayWait {
  std::string kind;            // "step", "timer", "signal", "child", "message", "localStep"
  std::string name;            // activity id, timer id, name of the signal, workflow id
  std::uint64_t event_id = 0;  // that asked for it; 0: a signal, or it is asked for in the turn that is shown
};

// Something that the code asks for in the turn that is shown, beside what the history holds at that place.
struct ReplayCommand {
  std::string type;  // of the event that it becomes
  std::string text;  // "ACTIVITY_TASK_SCHEDULED check-1 (check)"
  Payload attributes;
  std::uint64_t recorded_event_id = 0;  // 0: the history holds nothing for it
  bool agrees = false;                  // what is recorded there is the same
};

// An execution as its code sees it when it has consumed the events up to `up_to`, and what the code does next.
struct ReplayView {
  std::string workflow_id, run_id, type;
  ExecutionStatus status = ExecutionStatus::running;
  std::uint64_t history_length = 0;
  std::uint64_t up_to = 0;
  // The turn that is shown: the one in which `up_to` lies, else the next one. 0: the history has none; then it is what
  // the code would do if it were woken now.
  std::uint64_t turn_event_id = 0;
  WallTime now;                          // what now() is in that turn
  std::vector<EventView> news;           // what wakes the code in that turn, of the events up to `up_to`
  std::vector<ReplayCommand> commands;   // what it asks for then
  std::vector<EventView> recorded;       // the history behind `up_to`, to the end of that turn (at most kMostRecorded)
  std::vector<ReplayWait> waits;         // after that turn
  std::string position;                  // where the code is: its last command that has its place in the history
  bool ended = false;                    // the code has come to its end
  std::optional<Divergence> divergence;  // the first place, up to that turn, where code and history differ
  static constexpr std::size_t kMostRecorded = 200;
};

struct VerifyAllRequest {
  VerifyAllRequest() = default;
  ListFilter filter;              // which runs; its limit and page do not count
  std::optional<WallTime> since;  // only runs that began then or later
};
struct VerifiedRun {
  std::string workflow_id, run_id, type;
  Divergence divergence;
};
struct VerifyAllReport {
  std::uint64_t runs = 0;
  std::uint64_t open_runs = 0;  // of them: the code agrees as far as their history goes
  std::uint64_t events = 0;
  std::uint64_t diverged = 0;
  std::vector<VerifiedRun> divergences;  // the first kMostShown
  static constexpr std::size_t kMostShown = 100;
};
// VerifyProgress (engine.h) is told now and then how far it is, and throws to end it.

// What an exported history came to.
struct VerifiedFile {
  std::string workflow_id, run_id, type;
  VerifyReport report;
};

}  // namespace millrace::engine
