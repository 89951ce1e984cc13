// The engine: starts, runs, recovers and shows durable executions. It knows nothing of data integration.
//
// Decide, write, act: each turn of a workflow yields commands; one conditional batch writes everything the decision
// changes; only after its commit do actions run (a step starts, an answer leaves). One execution lives on one strand.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "engine/failure.h"
#include "engine/operator.h"
#include "engine/options.h"
#include "engine/queues/view.h"
#include "engine/queues/worker_task.h"
#include "engine/step.h"
#include "engine/workflow.h"
#include "state/store.h"

namespace millrace::engine {

// Which code runs for which name. Filled before the engine starts; names are what histories keep, so they are forever.
class Registry {
 public:
  // `check_input` is asked before a start is accepted; it throws an Error for an input that the code can't take.
  using InputCheck = std::function<void(const Payload& input)>;
  void add_workflow(std::string type, WorkflowFunction function, InputCheck check_input = {});
  void add_step(std::string type, StepFunction function);
  const WorkflowFunction* workflow(const std::string& type) const;
  const StepFunction* step(const std::string& type) const;
  std::vector<std::string> workflow_types() const;
  // What add_workflow() was given; does nothing for types without a check.
  void check_input(const std::string& type, const Payload& input) const;

 private:
  std::map<std::string, WorkflowFunction> workflows_;
  std::map<std::string, InputCheck> input_checks_;
  std::map<std::string, StepFunction> steps_;
};

enum class ExecutionStatus { running, completed, failed, canceled, terminated, timed_out, continued_as_new, paused };
// Not ended: running or paused.
inline bool is_open(ExecutionStatus s) { return s == ExecutionStatus::running || s == ExecutionStatus::paused; }
// Temporal's words: "Running", "Completed", ...
std::string_view to_string(ExecutionStatus status);

// One try of a step, kept for good (first 5 and last 50 of a step).
struct Attempt {
  std::uint32_t number = 0;
  WallTime started;
  std::optional<WallTime> ended;   // empty: runs now
  std::optional<Failure> failure;  // empty with `ended`: it completed; type "UnknownOutcome": its process died
};

enum class StepState { scheduled, running, backing_off, completed, failed, timed_out, canceled };

// One step of a run, open or closed, in the order of the history.
struct StepDescription {
  std::string activity_id;
  std::string type;
  std::uint64_t scheduled_event_id = 0;
  StepState state = StepState::scheduled;
  WallTime scheduled;
  std::optional<WallTime> closed;
  std::optional<WallTime> next_attempt;  // while backing off
  std::vector<Attempt> attempts;
  std::optional<Failure> last_failure;
  bool paused = false;
  std::string pause_reason;
  Payload heartbeat;  // the latest details; empty: none
  std::map<std::string, Payload> checkpoints;
  Payload result;  // when completed
  std::string queue;
  std::uint32_t priority = kDefaultPriority;
  std::string fairness_key;
  std::vector<std::string> limit_keys;
  std::optional<WaitingFor> waiting_for;  // while scheduled: why it does not run
};

// Both sides of a replay that came out differently.
struct Divergence {
  std::uint64_t event_id = 0;
  std::string expected;  // what the history holds: "ACTIVITY_TASK_SCHEDULED check-1 (check)"
  std::string got;       // what the code asked for; "nothing" if it asked for less
  std::string position;  // where the code was: the last command it issued
};

struct PendingTimer {
  std::string timer_id;
  std::uint64_t started_event_id = 0;
  WallTime fires;
};

// A child of a run, open or closed, in the order of the history.
struct ChildDescription {
  std::string workflow_id;
  std::string run_id;  // empty: not started
  std::string type;
  std::uint64_t initiated_event_id = 0;
  ParentClosePolicy parent_close_policy = ParentClosePolicy::terminate;
  WallTime initiated;
  std::optional<WallTime> closed;
  std::optional<ExecutionStatus> status;  // empty: asked for, not started yet
  std::optional<Failure> failure;         // why it was not started, or did not complete
  Payload result;
};

// A signal that the code has not read.
struct PendingSignal {
  std::uint64_t event_id = 0;
  std::string name;
  WallTime time;
};

// An update that was accepted and has no outcome yet.
struct PendingUpdate {
  std::uint64_t accepted_event_id = 0;
  std::string update_id;
  std::string name;
  WallTime time;
};

struct Execution {
  std::string workflow_id;
  std::string run_id;
  std::string type;
  ExecutionStatus status = ExecutionStatus::running;
  std::optional<Divergence> blocked;  // beside Running
  WallTime started;
  std::optional<WallTime> closed;
  Payload input;
  Payload memo;
  Payload result;
  std::optional<Failure> failure;
  bool cancel_requested = false;
  std::uint64_t history_length = 0;
  std::uint64_t history_bytes = 0;
  bool set_aside = false;          // beside blocked: the server crashed while it ran, again and again
  std::string first_run_id;        // of the chain of continue-as-new; empty: this run
  std::string parent_workflow_id;  // empty: nobody's child
  std::string parent_run_id;
};

struct ExecutionDetail {
  Execution execution;
  std::vector<StepDescription> steps;
  std::vector<PendingTimer> timers;
  std::vector<ChildDescription> children;
  std::vector<PendingSignal> pending_signals;  // of an open run
  std::vector<PendingUpdate> pending_updates;
  std::string continued_run_id;  // the run that follows this one
};

// An event as users see it: attributes are a JSON object in camelCase, type is Temporal's name.
struct EventView {
  std::uint64_t id = 0;
  WallTime time;
  std::string type;  // "ACTIVITY_TASK_COMPLETED"
  Payload attributes;
};

struct LogLine {
  std::uint64_t seq = 0;
  WallTime time;
  LogLevel level = LogLevel::info;
  std::string step;  // activity id
  std::string text;
};

struct StartRequest {
  StartRequest() = default;
  std::string type;
  std::string workflow_id;  // empty: a new UUID
  std::string run_id;       // empty: a new UUID. For callers whose `extra` names the run
  Payload input;
  Payload memo;            // a JSON object, shown in lists
  std::string request_id;  // empty: none. The same one starts nothing twice
  std::optional<Duration> run_timeout;
  state::Batch extra;  // written in the batch of the start, its conditions included
};

struct StartResult {
  std::string workflow_id;
  std::string run_id;
  bool started = false;  // false: the same request id had started it before
};

struct ListFilter {
  ListFilter() = default;
  std::optional<std::string> type;
  std::optional<std::string> workflow_id;
  std::optional<ExecutionStatus> status;
  std::size_t limit = 100;
  std::string page;  // opaque; from the former answer
};
struct ListPage {
  std::vector<Execution> executions;  // newest first; input and result left out
  std::string next;                   // empty: no more
};

struct VerifyReport {
  std::uint64_t events_checked = 0;
  std::optional<Divergence> divergence;
  bool open_end = false;  // the execution is open: the code agrees as far as the history goes
};

struct UpdateRequest {
  UpdateRequest() = default;
  std::string workflow_id;
  std::string run_id;  // empty: the current one
  std::string name;
  Payload input;
  std::string update_id;       // empty: a new UUID. The same one is answered again, not done again
  bool wait_completed = true;  // else the answer comes when it is accepted
};
// The update was accepted and ended with this failure. One that was refused, and left no trace, is a plain
// FailureError.
class UpdateFailed : public FailureError {
 public:
  using FailureError::FailureError;
};
struct UpdateResult {
  std::string run_id;
  std::string update_id;
  bool completed = false;
  Payload value;
};

class CrashNotes;         // engine/crash_notes.h
struct VerifyAllRequest;  // engine/replay_view.h
struct VerifyAllReport;
struct VerifiedFile;
struct ReplayView;
using VerifyProgress = std::function<asio::awaitable<void>(const VerifyAllReport& so_far)>;

// A worker in another process asks for a step.
struct PollRequest {
  PollRequest() = default;
  std::string queue;
  std::string identity;            // shown with its attempts
  std::vector<std::string> types;  // of steps; empty: all that this server has no code for
  Duration wait{0};
};
struct HeartbeatAnswer {
  HeartbeatAnswer() = default;
  bool cancel_requested = false;  // end, and fail with the type "Cancelled"
  bool paused = false;            // the execution is paused: an attempt may end as it likes
};

struct EngineOptions {
  EngineOptions() = default;
  QueueSettings queues;  // what runs at once, by queue and by key
  // Of attempts on workers whose steps have no time-out that would end them.
  Duration worker_start_to_close = std::chrono::hours(1);
  // What executions that only wait may hold in memory; the longest idle are written off and replayed when something
  // comes for them. Estimated.
  std::size_t idle_bytes = 64 << 20;
  std::size_t recovery_at_once = 64;  // executions replayed at the same time after a start
  Duration heartbeat_write = std::chrono::seconds(1);
  std::shared_ptr<CrashNotes> crash_notes;  // null: crashes are not counted
  std::uint32_t crashes_in_a_row = 3;       // that set an execution aside which ran in each
};

// Thread-safe: calls hop to the strand of the execution they are about.
class Engine {
 public:
  Engine(Runtime runtime, std::shared_ptr<state::Store> store, Registry registry, EngineOptions options);
  ~Engine();

  // Recovers: ends what a dead process had started as attempts of unknown outcome, re-arms timers, replays open
  // executions. Returns when work may be taken; replay goes on behind it.
  asio::awaitable<void> start();
  // Takes no new work, sets draining() for steps, waits up to `grace`, then cancels them. Nothing runs on afterwards.
  asio::awaitable<void> stop(Duration grace);

  // Throws workflow.type_unknown, what the type's input check throws, workflow.already_running (an open run has this
  // id), idempotency.mismatch (same request id, other type or input), workflow.start_refused if a condition of `extra`
  // failed.
  asio::awaitable<StartResult> start_workflow(StartRequest request);
  // The execution once it is closed, or as it is after `at_most`. Dropping the wait changes nothing.
  asio::awaitable<Execution> wait_closed(std::string workflow_id, std::string run_id, Duration at_most);

  // `run_id` empty: the current (or last) run. Throws workflow.not_found.
  asio::awaitable<ExecutionDetail> describe(std::string workflow_id, std::string run_id);
  asio::awaitable<std::vector<EventView>> history(std::string workflow_id, std::string run_id, std::uint64_t after,
                                                  std::size_t limit);
  // Returns when an event after `after` exists, the run is closed, or `at_most` passed: for following.
  asio::awaitable<void> wait_event(std::string workflow_id, std::string run_id, std::uint64_t after, Duration at_most);
  asio::awaitable<std::vector<LogLine>> log(std::string workflow_id, std::string run_id, std::uint64_t after,
                                            std::size_t limit);
  asio::awaitable<ListPage> list(ListFilter filter);

  // Durable when it returns; idempotent by request id; refused on a closed run (workflow.closed).
  asio::awaitable<void> request_cancel(std::string workflow_id, std::string run_id, std::string reason,
                                       std::string request_id);
  asio::awaitable<void> terminate(std::string workflow_id, std::string run_id, std::string reason,
                                  std::string request_id = {}, std::string identity = {});

  // A message to the execution: durable when it returns; idempotent by request id within the chain of continue-as-new.
  // Returns the run that has it.
  asio::awaitable<std::string> signal(std::string workflow_id, std::string run_id, std::string name, Payload input,
                                      std::string request_id);
  // Asks the execution's code; a closed one is replayed for it. Sees all that was acknowledged before. Throws
  // workflow.query_unknown, workflow.query_failed, FailureError where the code refuses.
  asio::awaitable<Payload> query(std::string workflow_id, std::string run_id, std::string name, Payload input);
  // A request to the execution, durable once accepted. Throws workflow.update_unknown, FailureError where the code
  // refuses it (then it left no trace) or it failed.
  asio::awaitable<UpdateResult> update(UpdateRequest request);

  // Goes on with an execution that was set aside. Does nothing for one that is not.
  asio::awaitable<void> resume(std::string workflow_id, std::string run_id);
  // A new run with the history up to a point, which goes on from there; an open run is terminated in the same batch.
  // Throws workflow.not_found, workflow.reset_invalid, workflow.type_unknown, idempotency.mismatch,
  // workflow.start_refused if a condition of `extra` failed.
  asio::awaitable<ResetResult> reset(ResetRequest request);
  // While paused no turn runs and no attempt starts; what comes in is kept. Both are durable when they return and
  // change nothing if it is so already. Throw workflow.closed.
  asio::awaitable<void> pause(std::string workflow_id, std::string run_id, std::string reason, std::string identity,
                              std::string request_id = {});
  asio::awaitable<void> unpause(std::string workflow_id, std::string run_id, std::string reason, std::string identity,
                                std::string request_id = {});
  // Throws workflow.step_not_pending, workflow.closed.
  asio::awaitable<void> command_step(StepCommand command);

  // Replays the history against today's code without any effect.
  asio::awaitable<VerifyReport> verify(std::string workflow_id, std::string run_id);
  // The same for all runs that a filter finds, newest first; `progress` may be empty. A run whose history can't be read
  // counts as diverged. (replay_view.h)
  asio::awaitable<VerifyAllReport> verify_all(VerifyAllRequest request, VerifyProgress progress);
  // The same for an exported history (export_format.h). Throws history.invalid. A few MB take a second: not on the
  // pool.
  VerifiedFile verify_file(std::string_view text) const;
  // The execution when its code has consumed the events up to one (none given: all), and what the code does next.
  // Throws workflow.not_found, workflow.event_unknown.
  asio::awaitable<ReplayView> replay_to(std::string workflow_id, std::string run_id,
                                        std::optional<std::uint64_t> up_to);

  std::size_t open_executions() const;

  // ---- workers in other processes (engine_workers.cc) ----
  // A step whose start is durable; empty: none came in time. Dropping the wait hands nothing out.
  asio::awaitable<std::optional<WorkerTask>> poll(PollRequest request);
  // All throw task.not_found for a token whose attempt does not run any more; the others are durable when they return.
  asio::awaitable<HeartbeatAnswer> worker_heartbeat(std::string queue, std::string token,
                                                    std::optional<Payload> details);
  asio::awaitable<void> worker_complete(std::string queue, std::string token, Payload result);
  asio::awaitable<void> worker_fail(std::string queue, std::string token, Failure failure);

  // ---- task queues (engine_queues.cc) ----
  std::vector<QueueView> queues() const;
  // Throws queue.not_found.
  QueueView queue(std::string name) const;
  // Holds until the server is started again, or told so again.
  void configure_queue(std::string name, Limits limits);
  void configure_queues(QueueSettings settings);
  // Brings gauges up to date that grow by themselves: for whoever renders the metrics.
  void refresh_metrics();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::engine
