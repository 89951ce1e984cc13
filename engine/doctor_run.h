// What the history of a run says, gathered event by event: what its record should be, what it waits for, and where it
// contradicts itself. For the doctor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/events/event.h"
#include "engine/records/run_record.h"

namespace millrace::engine {

class RunFacts {
 public:
  using Say = std::function<void(std::string check, std::string detail)>;
  explicit RunFacts(Say say) : say_(std::move(say)) {}

  void take(const HistoryEvent& event);
  // Where the stored record differs from what the history makes of it.
  void compare(const RunRecord& stored) const;

  bool is_open() const { return !closing_; }
  std::uint64_t last_event() const { return last_event_; }
  // What the run waits for: by the event that asked for it.
  const std::map<std::uint64_t, WallTime>& timers() const { return timers_; }
  const std::map<std::uint64_t, std::uint32_t>& steps() const { return steps_; }  // open ones
  const std::set<std::uint64_t>& unanswered() const { return unanswered_; }       // starts, signals, cancels
  const std::set<std::uint64_t>& children() const { return children_; }           // started and not closed
  std::optional<WallTime> run_deadline() const { return run_deadline_; }

 private:
  void close_step(const HistoryEvent& event, std::uint64_t scheduled);
  void answer(const HistoryEvent& event, std::uint64_t initiated);

  Say say_;
  std::uint64_t last_event_ = 0;
  std::optional<events::WorkflowExecutionStarted> started_;
  WallTime started_at_;
  std::optional<HistoryEvent> closing_;
  bool cancel_requested_ = false;
  std::map<std::uint64_t, std::uint32_t> steps_;
  std::set<std::uint64_t> closed_steps_;
  std::map<std::uint64_t, WallTime> timers_;
  std::set<std::uint64_t> unanswered_;
  std::set<std::uint64_t> children_;
  std::optional<WallTime> run_deadline_;
};

}  // namespace millrace::engine
