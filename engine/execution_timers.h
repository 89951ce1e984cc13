// The timers of an execution: those its code waits for, and the run time-out. Each has a row in the store, and, while
// the execution is in memory, an entry in the timer queue.
#pragma once

#include <map>
#include <string>

#include "engine/events/event.h"
#include "engine/timer_queue.h"
#include "engine/transaction.h"

namespace millrace::engine {

class RunningExecution;

struct UserTimer {
  std::string timer_id;
  WallTime fires;
  TimerQueue::Id queued = 0;
};

// On the execution's strand.
class ExecutionTimers {
 public:
  explicit ExecutionTimers(RunningExecution& execution) : execution_(execution) {}

  void on_started(Transaction& tx, const HistoryEvent& event);
  void on_canceled(Transaction& tx, const HistoryEvent& event);
  // The run began and may last so long.
  void on_run_timeout(Transaction& tx, WallTime expires);
  void on_close(Transaction& tx);

  // A reset has made the run: what its events have started is pending here too.
  void begin_again(Transaction& tx);

  void restore(const HistoryEvent& event);
  void recover(Transaction& tx);
  void abandon();
  const std::map<std::uint64_t, UserTimer>& pending() const { return pending_; }
  std::optional<WallTime> next_due() const;

 private:
  void arm(std::uint64_t event_id);
  void arm_run_timeout();
  void due(Transaction& tx, std::uint64_t event_id);
  std::string row_key(std::uint64_t event_id, const UserTimer& timer) const;

  RunningExecution& execution_;
  std::map<std::uint64_t, UserTimer> pending_;  // by the id of their TIMER_STARTED
  std::optional<WallTime> run_expires_;
  std::optional<Duration> run_timeout_;
  TimerQueue::Id run_timer_ = 0;
};

}  // namespace millrace::engine
