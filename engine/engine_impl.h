// The engine behind its handle. One part a file: engine.cc (life), engine_start.cc (starts and requests),
// engine_reads.cc (what is shown), engine_list.cc, engine_verify.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/core.h"
#include "engine/once_request.h"
#include "engine/records/run_record.h"
#include "engine/replay_view.h"
#include "engine/running_execution.h"

namespace millrace::engine {

class Engine::Impl : public std::enable_shared_from_this<Engine::Impl> {
 public:
  Impl(Runtime runtime, std::shared_ptr<state::Store> store, Registry registry, EngineOptions options)
      : core_(std::make_shared<Core>(std::move(runtime), std::move(store), std::move(registry), options)) {}
  ~Impl();

  asio::awaitable<void> start();
  asio::awaitable<void> stop(Duration grace);

  asio::awaitable<StartResult> start_workflow(StartRequest request,
                                              RunningExecution::Origin origin = RunningExecution::Origin());
  asio::awaitable<void> request_cancel(std::string workflow_id, std::string run_id, std::string reason,
                                       std::string request_id);
  asio::awaitable<void> terminate(std::string workflow_id, std::string run_id, std::string reason,
                                  std::string request_id = {}, std::string identity = {});

  asio::awaitable<std::string> signal(std::string workflow_id, std::string run_id, std::string name, Payload input,
                                      std::string request_id);
  asio::awaitable<Payload> query(std::string workflow_id, std::string run_id, std::string name, Payload input);
  asio::awaitable<UpdateResult> update(UpdateRequest request);

  asio::awaitable<void> resume(std::string workflow_id, std::string run_id);

  asio::awaitable<Execution> wait_closed(std::string workflow_id, std::string run_id, Duration at_most);
  asio::awaitable<void> wait_event(std::string workflow_id, std::string run_id, std::uint64_t after, Duration at_most);
  asio::awaitable<ExecutionDetail> describe(std::string workflow_id, std::string run_id);
  asio::awaitable<std::vector<EventView>> history(std::string workflow_id, std::string run_id, std::uint64_t after,
                                                  std::size_t limit);
  asio::awaitable<std::vector<LogLine>> log(std::string workflow_id, std::string run_id, std::uint64_t after,
                                            std::size_t limit);
  asio::awaitable<ListPage> list(ListFilter filter);
  asio::awaitable<ResetResult> reset(ResetRequest request);
  asio::awaitable<void> set_paused(std::string workflow_id, std::string run_id, bool paused, std::string reason,
                                   std::string identity, std::string request_id);
  asio::awaitable<void> command_step(StepCommand command);
  asio::awaitable<VerifyReport> verify(std::string workflow_id, std::string run_id);
  asio::awaitable<VerifyAllReport> verify_all(VerifyAllRequest request, VerifyProgress progress);
  VerifiedFile verify_file(std::string_view text) const;
  asio::awaitable<ReplayView> replay_to(std::string workflow_id, std::string run_id,
                                        std::optional<std::uint64_t> up_to);
  std::size_t open_executions() const { return core_->executions.size(); }
  Queues& queues() { return *core_->queues; }
  asio::awaitable<std::optional<WorkerTask>> poll(PollRequest request);
  asio::awaitable<HeartbeatAnswer> worker_heartbeat(std::string queue, std::string token,
                                                    std::optional<Payload> details);
  asio::awaitable<void> worker_ended(std::string queue, std::string token, std::shared_ptr<AttemptEnd> end);

 private:
  struct Found {
    std::string run_id;
    RunRecord record;
  };
  // The run that is meant, with its record; throws workflow.not_found.
  asio::awaitable<Found> find(std::string workflow_id, std::string run_id);
  // The same, to act on it; throws workflow.closed too.
  asio::awaitable<RunningPtr> find_open(std::string workflow_id, std::string run_id);
  asio::awaitable<std::optional<StartResult>> earlier_start(StartRequest request, std::string digest);
  // The run of the chain that ends with `found` (a few hops back) which knows this request id in `scope`; empty: none.
  asio::awaitable<std::string> run_that_knows(Found found, std::string scope, std::string request_id);
  asio::awaitable<std::string> signal_once(std::string workflow_id, std::string run_id, std::string name, Payload input,
                                           std::string request_id);
  asio::awaitable<UpdateResult> update_once(UpdateRequest request, bool keep_refusal);
  asio::awaitable<UpdateResult> recorded_update(std::string run_id, std::string update_id);
  asio::awaitable<void> count_crashes(std::vector<state::KeyValue>* rows);
  struct Replayed {
    std::unique_ptr<Replayer> replayer;
    std::optional<Divergence> divergence;
    std::uint64_t events = 0;  // that agreed
  };
  // Today's code over the whole history of a run, without any effect.
  asio::awaitable<Replayed> replay(std::string run_id);
  // The run's input, and its result if it has one.
  asio::awaitable<Execution> read_execution(Found found);

  void give_task_back(const WorkerTask& task);

  // engine_operator.cc
  asio::awaitable<void> do_once(Found found, std::shared_ptr<const OnceRequest> once,
                                std::function<void(RunningExecution&, Transaction&)> work);

  // engine_reset.cc
  asio::awaitable<std::optional<ResetResult>> earlier_reset(std::string workflow_id, std::string request_id,
                                                            std::string digest);
  asio::awaitable<std::optional<ResetResult>> try_reset(std::shared_ptr<ResetRequest> request, std::string digest);
  asio::awaitable<std::vector<HistoryEvent>> read_history(std::string run_id);
  // The runs between `base` and the current one, in their order; empty if they are of different chains.
  asio::awaitable<std::vector<Found>> later_runs(std::string base, Found current);
  // The run that made an event which resets have copied into `run`.
  asio::awaitable<std::string> origin_of(std::string run_id, std::uint64_t event_id);
  asio::awaitable<bool> is_reset_of(std::string run_id, std::string ancestor);

  // engine_outbox.cc
  asio::awaitable<void> adopt_child(std::string key, OutboxRow row);
  asio::awaitable<bool> take_over_child(OutboxRow row, std::string* child_run);
  asio::awaitable<std::string> current_run_of(std::string workflow_id, std::string run_id);
  asio::awaitable<void> tell_child(OutboxRow row, std::string request_id);
  void begin_delivery();
  asio::awaitable<void> deliver_all();
  static asio::awaitable<void> deliver(std::shared_ptr<Impl> self, std::string key, OutboxRow row);
  asio::awaitable<void> deliver_once(std::string key, OutboxRow row);
  asio::awaitable<void> erase_row(std::string key);

  CorePtr core_;
};

}  // namespace millrace::engine
