// Pause and unpause of a run, and what is done to one of its steps.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

asio::awaitable<void> Engine::Impl::set_paused(std::string workflow_id, std::string run_id, bool paused,
                                               std::string reason, std::string identity) {
  const RunningPtr execution = co_await find_open(std::move(workflow_id), std::move(run_id));
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  execution->submit([e, ack, paused, reason = std::move(reason), identity = std::move(identity)](Transaction& tx) {
    if (!e->accepts()) {
      ack->fail(std::make_exception_ptr(Error("workflow.closed")));
      return;
    }
    tx.acks.push_back(ack);
    e->set_paused(tx, paused, reason, identity);
  });
  co_await ack->wait();
}

asio::awaitable<void> Engine::Impl::command_step(StepCommand command) {
  const RunningPtr execution = co_await find_open(command.workflow_id, command.run_id);
  auto ack = std::make_shared<Ack>();
  auto shared = std::make_shared<StepCommand>(std::move(command));
  RunningExecution* e = execution.get();
  execution->submit([e, ack, shared](Transaction& tx) {
    try {
      if (!e->accepts()) throw Error("workflow.closed");
      e->steps().command(tx, *shared);
      tx.acks.push_back(ack);
    } catch (...) {
      ack->fail(std::current_exception());
    }
  });
  co_await ack->wait();
}

void RunningExecution::set_paused(Transaction& tx, bool paused, std::string reason, std::string identity) {
  if (paused == is_paused()) return;
  const auto index_key = [&] {
    return keys::index_by_attribute("status", to_string(record_.status), record_.started, run_id_);
  };
  tx.batch.erase(index_key());
  record_.status = paused ? ExecutionStatus::paused : ExecutionStatus::running;
  tx.batch.put(index_key(), {});
  const auto event = [&](auto e) {
    e.reason = std::move(reason);
    e.identity = std::move(identity);
    append(tx, std::move(e));
  };
  if (paused) {
    event(events::WorkflowExecutionPaused());
    steps_.leave_queues();
  } else {
    event(events::WorkflowExecutionUnpaused());
    steps_.resume(tx);
  }
}

}  // namespace millrace::engine
