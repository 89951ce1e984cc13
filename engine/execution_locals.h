// The local steps of an execution: code that runs beside its turns. Nothing of one is written before its end, which is
// a marker; until then it lives in memory, retries included, and a crash runs it again from attempt 1.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/replayer.h"
#include "engine/step_run.h"
#include "engine/transaction.h"

namespace millrace::engine {

class RunningExecution;

// On the execution's strand.
class ExecutionLocals {
 public:
  explicit ExecutionLocals(RunningExecution& execution) : execution_(execution) {}

  // After a turn or a replay: runs what the code has asked for, ends what it has cancelled.
  void take(Transaction& tx, Replayer& replayer);
  void on_close(Transaction& tx);
  bool is_empty() const { return open_.empty(); }
  // Cancels what runs; no end is recorded.
  void abandon();

 private:
  struct Local {
    LocalAsk ask;
    std::uint32_t attempt = 0;
    std::shared_ptr<StepRun> run;
    TimerQueue::Id timer = 0;  // of the time-out while it runs, of the next attempt else
  };
  void launch(const std::string& id);
  void ended(Transaction& tx, const std::string& id, std::uint32_t attempt, AttemptEnd end);
  void record(Transaction& tx, const std::string& id, Payload result, std::optional<Failure> failure);

  RunningExecution& execution_;
  std::map<std::string, Local> open_;
};

}  // namespace millrace::engine
