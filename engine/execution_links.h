// The links of an execution to others: children it started, messages it sent, the parent it has.
//
// Every message is an outbox row in the batch of its decision; delivery begins after the commit and again at each start
// of the server, until the row is erased.
#pragma once

#include <map>
#include <string>

#include "engine/events/event.h"
#include "engine/records/outbox_row.h"
#include "engine/transaction.h"

namespace millrace::engine {

class RunningExecution;
struct ResetSource;

struct PendingChild {
  std::string workflow_id;
  std::string run_id;  // empty: not started yet
  ParentClosePolicy policy = ParentClosePolicy::terminate;
};

// On the execution's strand.
class ExecutionLinks {
 public:
  explicit ExecutionLinks(RunningExecution& execution) : execution_(execution) {}

  // ---- commands ----
  void on_child_initiated(Transaction& tx, const HistoryEvent& event);
  void on_signal_initiated(Transaction& tx, const HistoryEvent& event);
  void on_cancel_initiated(Transaction& tx, const HistoryEvent& event);
  // The run closes: children are told as their policies say, the parent is told how.
  void on_close(Transaction& tx, const HistoryEvent& closing);

  // A reset has made the run: what is unanswered is asked again, children are taken over as their policy says.
  void begin_again(Transaction& tx, const ResetSource& source);
  // Before the run closes in favour of another: children that both know are the other's now.
  void leave_to(ResetChildren policy, const ExecutionLinks& next);

  // ---- answers; each erases the row of the message. Repeats are dropped. ----
  void child_started(Transaction& tx, const std::string& row_key, std::uint64_t initiated, const std::string& run_id);
  void child_not_started(Transaction& tx, const std::string& row_key, std::uint64_t initiated, const Failure& failure);
  void child_closed(Transaction& tx, const std::string& row_key, const OutboxRow& row);
  void message_arrived(Transaction& tx, const std::string& row_key, OutboxKind kind, std::uint64_t initiated,
                       const std::optional<Failure>& failure);

  void restore(const HistoryEvent& event);
  // The execution leaves memory; restore() brings all back.
  void forget_all() {
    children_ = {};
    unanswered_ = {};
  }

 private:
  void send(Transaction& tx, OutboxRow row);

  RunningExecution& execution_;
  bool replaced_ = false;                           // by a reset: that is no outcome, the parent is not told
  std::map<std::uint64_t, PendingChild> children_;  // by their INITIATED
  std::map<std::uint64_t, OutboxKind> unanswered_;  // signals and cancels by their INITIATED
};

}  // namespace millrace::engine
