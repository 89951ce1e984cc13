// An open execution in memory: decide, write, act.
//
// All that happens to an execution comes in as an input: a start, the end of an attempt, a timer, a request. Inputs
// queue on the execution's strand. The pump takes all that wait, lets each change the state and add events, runs the
// turns of the code that these wake, and writes everything as one batch, conditional on the run's record as it was last
// written. Only after the commit do actions run: attempts start, callers get their answer. While a batch is on its way
// further inputs gather for the next; so at most one batch of a run is in flight, and many ends of steps cost one turn.
//
// The state in memory is ahead of the store only while a batch is in flight. A batch that can't be written because the
// disk is full waits and is written again; one that fails for good ends the execution in memory (the store is closed,
// or another owner has the run), and nothing of it is acted on.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/event.h"
#include "engine/core.h"
#include "engine/execution_links.h"
#include "engine/execution_locals.h"
#include "engine/execution_steps.h"
#include "engine/execution_timers.h"
#include "engine/records/run_record.h"
#include "engine/replayer.h"
#include "engine/transaction.h"

namespace millrace::engine {

struct ResetSource;

class RunningExecution : public std::enable_shared_from_this<RunningExecution> {
 public:
  using Input = std::function<void(Transaction&)>;

  RunningExecution(CorePtr core, std::string run_id);

  // Thread-safe. Inputs wait while the execution is being loaded. `acks` of an input that comes too late fail.
  void submit(Input input);
  const std::string& run_id() const { return run_id_; }
  const asio::any_io_executor& strand() const { return strand_; }

  // Where a run comes from that nobody started.
  struct Origin {
    std::string continued_run_id;
    std::string first_run_id;
    std::string initiator;
    std::string parent_workflow_id;
    std::string parent_run_id;
    std::uint64_t parent_event_id = 0;
  };

  // Begins a new run; the batch is conditional on there being no such run and on the conditions in `request.extra` and
  // `beside`, and writes both. Done when it is durable: true, or false if a condition failed (then nothing was
  // written). Throws store.disk_full.
  asio::awaitable<bool> start(StartRequest request, state::Batch beside, Origin origin);
  // Begins the run that a reset makes, where no open run is before it; otherwise like start().
  asio::awaitable<bool> start_reset(std::shared_ptr<ResetSource> source);
  // Who wants a run to hold still. On its strand, once hold() was called.
  struct Holder {
    bool gone = false;   // released: it wants nothing any more
    bool holds = false;  // it is its turn
  };
  using HolderPtr = std::shared_ptr<Holder>;
  // From hold() to release() nothing is decided or written: the history in the store is all there is. What comes in
  // waits, also other holders, each for its turn. A closed run holds still by itself. Every hold() needs its release(),
  // also one that was not waited for; its input, if any, comes before all that waits.
  asio::awaitable<void> hold(HolderPtr holder);
  void release(HolderPtr holder, Input first = {});
  // Reads and replays what the store has; then goes on with it. On the strand.
  asio::awaitable<void> load();
  // Before load(): its code is not run, so that it can't bring the server down again.
  void set_aside() { set_aside_ = true; }
  // It is in the store and not in memory: it is loaded when its turn comes, or something comes for it. Before anything
  // is submitted.
  void expect_load() { unloaded_ = true; }
  // Leaves memory if it still only waits (execution_eviction.cc). Thread-safe.
  void evict();
  // Gives up what waits and takes no more.
  void abandon();
  // The server stops: what runs is told to end.
  void shut_down_steps();
  // What of the pending steps and timers is newer in memory than in the store. Hops to the strand.
  struct Live {
    struct Step {
      StepState state = StepState::scheduled;
      std::optional<WallTime> next_attempt;
      std::optional<Payload> heartbeat;
      bool paused = false;
      std::string pause_reason;
      std::optional<WaitingFor> waiting_for;
    };
    std::map<std::uint64_t, Step> steps;
    std::vector<PendingSignal> signals;  // not read by the code
  };
  asio::awaitable<Live> live();

  // Returns at once when the history is longer than `after`, or the run is closed.
  asio::awaitable<void> wait_event(std::uint64_t after, Duration at_most);
  asio::awaitable<void> wait_closed(Duration at_most);
  // How it ended, if it did since it is in memory and is small; else the store has it. Thread-safe.
  std::optional<Execution> final_state() const;

  // ---- on the strand: for inputs and for the groups ----
  Core& core() { return *core_; }
  const CorePtr& shared_core() const { return core_; }
  bool is_open() const { return engine::is_open(record_.status); }
  // Open, and its batches can be written: what an input asks before it changes anything.
  bool accepts() const { return is_open() && !dead_; }
  // What a caller is told where accepts() is false: the run is closed, or the server stops and the run goes on later.
  std::exception_ptr refusal() const;
  bool is_blocked() const { return record_.is_blocked; }
  const RunRecord& record() const { return record_; }
  ExecutionSteps& steps() { return steps_; }
  ExecutionTimers& timers() { return timers_; }
  ExecutionLinks& links() { return links_; }
  ExecutionLocals& locals() { return locals_; }
  // Appends an event; the reference is good until the next one.
  const HistoryEvent& append(Transaction& tx, Attributes attributes);
  void request_cancel(Transaction& tx, std::string reason, std::string identity, std::string request_id);
  void signal(Transaction& tx, events::WorkflowExecutionSignaled signal);
  // Answered after the turns and the write of this round.
  void query(Transaction& tx, const std::string& name, Payload input, const AnswerPtr& answer);
  // True if it was accepted now; false: refused, or known before. A refusal is kept under `refusal_key`, if there is
  // one.
  bool update(Transaction& tx, events::WorkflowExecutionUpdateAccepted accepted, bool wait_completed,
              const AnswerPtr& answer, const std::string& refusal_key);
  // False if this request id was seen before in this process.
  bool first_of(const std::string& request_id) { return request_ids_.insert(request_id).second; }
  bool knows(const std::string& request_id) const { return request_ids_.contains(request_id); }
  // Closes the run in favour of one that a reset makes.
  void replace_by(Transaction& tx, const RunningPtr& next, ResetSource& source);
  // Of a child whose parent was reset: whom it tells of its end.
  void set_parent(const std::string& run_id, std::uint64_t initiated);
  void set_paused(Transaction& tx, bool paused, std::string reason, std::string identity, std::string request_id);
  bool is_paused() const { return record_.status == ExecutionStatus::paused; }
  // Closes the run without its code.
  void close_by_force(Transaction& tx, Attributes closing);
  // The next free number for a line of the log.
  std::uint64_t next_log_seq() { return next_log_seq_++; }

 private:
  void wake_pump();
  void take_hold(Transaction& tx, const HolderPtr& holder, const AckPtr& ack);
  // execution_eviction.cc
  bool only_waits() const;
  void rest();  // nothing more to do now
  void stir();  // something came
  void leave_memory();
  static asio::awaitable<Live> live_on_strand(RunningPtr self);
  asio::awaitable<void> pump(RunningPtr self);
  void decide(Transaction& tx, std::vector<Input> inputs);
  void run_turns(Transaction& tx);
  void dispatch(Transaction& tx, const HistoryEvent& event);
  void restore(const HistoryEvent& event);
  void block(Transaction& tx, Divergence divergence);
  void close(Transaction& tx, const HistoryEvent& closing);
  void begin(Transaction& tx, StartRequest& request, state::Batch beside, const Origin& origin);
  void continue_as_new(Transaction& tx, const HistoryEvent& event);
  void adopt(Transaction& first);
  void begin_reset(Transaction& tx, ResetSource& source);
  void write_kept(Transaction& tx, const std::vector<HistoryEvent>& kept);
  void follow_with(Transaction& tx, const RunningPtr& next, const std::shared_ptr<Transaction>& first);
  asio::awaitable<bool> start_with(Input first);
  void on_update_completed(Transaction& tx, const HistoryEvent& event);
  void restore_update(const HistoryEvent& event);
  void refuse_updates();
  void recover(Transaction& tx, const std::optional<Divergence>& divergence);
  void complete_batch(Transaction& tx);
  asio::awaitable<bool> write(Transaction* tx);
  void give_up(const Transaction& tx, const std::exception_ptr& error);
  void drop_pending();
  void tell_waiters();
  void keep_final(Payload result);
  asio::awaitable<void> wait_until_true(std::function<bool()> done, Duration at_most);

  const CorePtr core_;
  const std::string run_id_;
  const asio::any_io_executor strand_;

  // On the strand.
  std::vector<Input> inputs_;
  bool ready_ = false;  // loaded: inputs may be taken
  bool set_aside_ = false;
  bool loading_ = false;  // load() reads: what is pending is its own
  bool pumping_ = false;
  bool dead_ = false;         // closed, or given up
  bool unloaded_ = false;     // in the store, not here
  bool hurried_ = false;      // it was asked for, while unloaded
  bool idle_listed_ = false;  // in the core's idle set
  bool counted_open_ = false;
  TimerQueue::Id wake_timer_ = 0;  // while unloaded: before the first thing is due
  RunRecord record_;
  std::string stored_record_;    // its bytes as last written; empty: never
  std::string next_record_;      // its bytes in the batch on its way
  bool record_changed_ = false;  // beside what a batch of events changes
  std::uint64_t last_event_id_ = 0;
  std::uint64_t next_log_seq_ = 1;
  std::unique_ptr<Replayer> replayer_;
  ExecutionSteps steps_;
  ExecutionTimers timers_;
  ExecutionLinks links_;
  ExecutionLocals locals_;
  std::optional<Duration> run_timeout_;
  struct UpdateState {
    bool completed = false;
    Payload result;
    std::optional<Failure> failure;
    std::vector<AnswerPtr> waiting;
  };
  std::map<std::string, UpdateState> updates_;
  std::set<std::string> request_ids_;

  // For waiters on other strands.
  std::atomic<std::uint64_t> durable_length_{0};
  std::atomic<bool> durable_closed_{false};
  std::optional<Payload> input_;  // kept for final_, where it is small
  mutable std::mutex waiters_mutex_;
  std::optional<Execution> final_;  // under waiters_mutex_
  std::list<std::shared_ptr<Event>> waiters_;
};

}  // namespace millrace::engine
