// The machine behind a Context: runs a workflow's code turn by turn, live and over its history.
//
// A turn: the events that came in since the last one (news) are handed to the code in the order of their ids, each
// resolving what the code waits for; whatever the code then asks for is a list of commands. Live, the commands become
// events behind the turn's WORKFLOW_TASK_COMPLETED. On replay they are matched, one by one and in order, against the
// command events that stand there; the first that does not match is a Divergence. The code is woken exactly as often
// and in the same order as it was live, since both go by the same events.
//
// Pure: no clock, no thread, no store. Lives on its execution's strand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/events/event.h"
#include "engine/replay_view.h"
#include "engine/scope.h"
#include "engine/workflow.h"

namespace millrace::engine {

// Something that code waits for and history ends: a step, a timer, a signal.
struct Operation {
  enum class Kind { step, timer, signal, child, message, local };
  Kind kind = Kind::step;
  detail::PendingPtr pending;
  detail::PendingPtr started;  // of a child
  std::uint64_t event_id = 0;  // that scheduled it; 0: not in the history yet
  std::string name;            // activity id or timer id
  ScopePtr scope;
  CancelMode cancel_mode = CancelMode::wait;
  ChildCancelMode child_cancel_mode = ChildCancelMode::wait_completed;
  std::shared_ptr<Operation> waits_for_request;  // of a cancel's message: the child that ends with its arrival
  bool cancel_requested = false;
  bool closed = false;  // the event that ends it was delivered
};
using OperationPtr = std::shared_ptr<Operation>;

// What a turn asks for: the event it will be, without its id.
struct Command {
  explicit Command(Attributes b, OperationPtr o = nullptr) : body(std::move(b)), operation(std::move(o)) {}
  Attributes body;
  OperationPtr operation;  // bound to the event's id once that is known
};

// A local step that the code asked for and that has no end yet.
struct LocalAsk {
  std::string activity_id;
  std::string type;
  Payload input;
  LocalStepOptions options;
};

struct Turn {
  std::vector<Command> commands;   // a closing one is the last
  std::optional<std::string> bug;  // the code threw what is no outcome: nothing of this turn may be used
};

class Replayer {
 public:
  struct Identity {
    std::string workflow_id;
    std::string run_id;
    std::string type;
    std::string original_run_id;  // seeds random()
  };
  // `function` must outlive the replayer.
  Replayer(Identity identity, const WorkflowFunction& function, Payload input);
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  // Keeps an event for the next turn. A divergence: it speaks of something that the code has not asked for.
  std::optional<Divergence> deliver(const HistoryEvent& news);
  bool has_news() const { return !news_.empty() || !started(); }
  std::uint64_t first_news() const { return news_.empty() ? 0 : news_.front().id; }

  // Runs one turn at `now`; live.
  Turn live_turn(WallTime now);
  // Tells under which id a command of the last turn stands in the history.
  void bind(const Attributes& command, const OperationPtr& operation, std::uint64_t event_id);
  // Runs the turn of `turn_event` and matches it against the command events behind it.
  std::optional<Divergence> replay_turn(const HistoryEvent& turn_event, const std::vector<HistoryEvent>& commands);

  // ---- to be looked at (replay_look.cc): the code goes no further after this ----
  // The next turn without any effect: of the history (`turn_event` and the commands recorded for it), or one that it
  // does not hold (both null).
  Turn peek_turn(WallTime now, const HistoryEvent* turn_event, const std::vector<HistoryEvent>* recorded);
  // Matches a turn against its events, as replay does.
  std::optional<Divergence> match(const HistoryEvent& turn_event, const std::vector<HistoryEvent>& recorded,
                                  const Turn& turn);
  // Gives those first commands that agree their place.
  void bind_agreeing(const std::vector<HistoryEvent>& recorded, const Turn& turn);
  // What waits for the next turn.
  const std::vector<HistoryEvent>& news() const { return news_; }
  // What the code waits for, in the order of the events that asked for it.
  std::vector<ReplayWait> waits() const;

  bool started() const { return coroutine_.has_value(); }
  // The code has ended: only a closing event may follow.
  bool ended() const { return ended_; }
  // The last command that got its place in the history.
  const std::string& position() const { return position_; }

  // ---- between turns ----
  // Throws Error workflow.query_unknown; FailureError if the handler refuses; workflow.query_failed if it does what a
  // query may not.
  Payload query(const std::string& name, Payload input);
  // Throws Error workflow.update_unknown; FailureError if the validator refuses.
  void validate_update(const std::string& name, const Payload& input);
  // Signals that came and were not read, in order.
  std::vector<events::WorkflowExecutionSignaled> unread_signals() const;
  std::vector<PendingSignal> unread_signal_heads() const;

  // Local steps to be run: asked for since the last call, and not ended or cancelled meanwhile.
  std::vector<LocalAsk> take_local_asks();
  // Those that were cancelled since the last call.
  std::vector<std::string> take_local_cancels() { return std::exchange(local_cancels_, {}); }
  // The size of the history before the turn that comes; live.
  void set_history_bytes(std::uint64_t bytes) { history_bytes_ = bytes; }

  // ---- for Context ----
  const Identity& identity() const { return identity_; }
  WallTime now() const { return now_; }
  bool cancel_requested() const { return root_->cancelled; }
  Future start_step(const ScopePtr& scope, std::string type, Payload input, StepOptions options);
  Future start_timer(const ScopePtr& scope, Duration d);
  std::uint64_t random();
  Payload side_effect(const std::string& name, const std::function<Payload()>& value);
  bool patched(const std::string& id);
  Context::Child start_child(const ScopePtr& scope, std::string type, Payload input, ChildOptions options);
  Future signal_external(const ScopePtr& scope, std::string workflow_id, std::string name, Payload input);
  Future cancel_external(const ScopePtr& scope, std::string workflow_id);
  Future local_step(const ScopePtr& scope, std::string type, Payload input, LocalStepOptions options);
  Future next_signal(const ScopePtr& scope, const std::string& name);
  void on_query(std::string name, QueryHandler handler) { queries_[std::move(name)] = std::move(handler); }
  void on_update(std::string name, UpdateValidator validator, UpdateHandler handler);
  bool continue_as_new_suggested() const;
  void cancel(Scope& scope);

 private:
  Turn run_turn(WallTime now, const std::vector<HistoryEvent>* recorded);
  void begin();
  void apply(const HistoryEvent& news);
  void resume(std::coroutine_handle<> handle);
  void take_signal(const HistoryEvent& event);
  bool take_link(const HistoryEvent& event);
  void take_local_result(const HistoryEvent& event);
  void cancel_child(const OperationPtr& child);
  void begin_update(const HistoryEvent& event);
  void finish_updates();
  void resolve(Operation& operation, Payload value);
  void fail(Operation& operation, Failure failure);
  void wake(const detail::PendingPtr& pending);
  void cancel(const OperationPtr& operation);
  void finish(Turn& turn);
  Divergence divergence(std::uint64_t event_id, std::string expected, std::string got) const;

  const Identity identity_;
  const WorkflowFunction& function_;
  Payload input_;
  ScopePtr root_ = std::make_shared<Scope>();
  Context context_;
  std::unique_ptr<std::mt19937_64> random_;  // made on first use: it is large
  WallTime now_;
  std::vector<HistoryEvent> news_;
  std::vector<Command> commands_;
  const std::vector<HistoryEvent>* recorded_ = nullptr;  // while a turn is replayed
  bool peeking_ = false;                                 // no effect at all: values of side effects are not made
  std::size_t recorded_markers_ = 0;                     // how many of them this turn has taken
  std::map<std::uint64_t, OperationPtr> operations_;
  std::map<std::string, std::uint32_t> step_counts_;
  std::map<std::string, bool> patches_;
  std::uint32_t timer_count_ = 0;
  std::uint32_t child_count_ = 0;
  std::uint64_t last_turn_id_ = 0;  // of events seen, for continue_as_new_suggested()
  std::uint64_t history_bytes_ = 0;
  std::map<std::string, OperationPtr> locals_;  // open ones, by activity id
  std::vector<LocalAsk> local_asks_;
  std::vector<OperationPtr> asked_for_;  // in the turn that is looked at
  std::vector<std::string> local_cancels_;
  std::map<std::string, std::vector<OperationPtr>> signal_waits_;
  std::vector<HistoryEvent> unread_signals_;
  std::map<std::string, QueryHandler> queries_;
  struct UpdateCode {
    UpdateValidator validator;
    UpdateHandler handler;
  };
  std::map<std::string, UpdateCode> updates_;
  std::string position_ = "the start";
  std::optional<std::string> bug_;
  bool ended_ = false;
  // Last: their frames use all of the above.
  std::optional<Workflow<Payload>> coroutine_;
  struct RunningUpdate {
    std::string id;
    std::uint64_t accepted_event_id;
    Workflow<Payload> code;
  };
  std::vector<std::unique_ptr<RunningUpdate>> running_updates_;
};

// What a cancelled wait fails with.
Failure cancelled_failure();

// The command is what the event holds: kind and key equal (engine.md 2.9: not inputs, durations or options).
bool same_command(const Attributes& command, const Attributes& event);

}  // namespace millrace::engine
