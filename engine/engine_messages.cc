// Signals, queries and updates: how callers reach an execution that runs.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/history.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

asio::awaitable<void> Engine::Impl::signal(std::string workflow_id, std::string run_id, std::string name, Payload input,
                                           std::string request_id) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  const std::string key = request_id.empty() ? std::string() : keys::dedupe("signal/" + found.run_id, request_id);
  if (!key.empty()) {
    const auto before = co_await core_->store->get(key);
    if (before) co_return;
  }
  const RunningPtr execution = co_await find_open(found.record.workflow_id, found.run_id);
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  auto event = std::make_shared<events::WorkflowExecutionSignaled>();
  event->name = std::move(name);
  event->input = std::move(input);
  event->request_id = request_id;
  execution->submit([e, ack, key, event](Transaction& tx) {
    if (!e->accepts()) {
      ack->fail(std::make_exception_ptr(Error("workflow.closed")));
      return;
    }
    tx.acks.push_back(ack);
    // Two with one request id at the same moment: the first is in this process's memory before it is in the store.
    if (!key.empty() && !e->first_of(event->request_id)) return;
    if (!key.empty()) {
      DedupeRow row;
      row.workflow_id = e->record().workflow_id;
      row.run_id = e->run_id();
      row.time = tx.now;
      tx.batch.put(key, encode_record(row));
    }
    e->signal(tx, std::move(*event));
  });
  co_await ack->wait();
}

asio::awaitable<Payload> Engine::Impl::query(std::string workflow_id, std::string run_id, std::string name,
                                             Payload input) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  const RunningPtr execution = core_->executions.find(found.run_id);
  if (execution) {
    auto answer = std::make_shared<Answer>();
    RunningExecution* e = execution.get();
    auto shared = std::make_shared<Payload>(std::move(input));
    execution->submit([e, answer, name, shared](Transaction& tx) {
      if (e->accepts())
        e->query(tx, name, std::move(*shared), answer);
      else
        answer->fail(std::make_exception_ptr(Error("workflow.closed", "the run was closed meanwhile; ask again")));
    });
    co_await answer->wait();
    co_return answer->value;
  }
  // Closed: its code is run over its history, and asked at the end.
  const Replayed replayed = co_await replay(found.run_id);
  if (replayed.divergence)
    throw Error("workflow.query_failed", "today's code does not agree with the history: at event " +
                                             std::to_string(replayed.divergence->event_id) + " it holds " +
                                             replayed.divergence->expected + ", the code asks for " +
                                             replayed.divergence->got);
  co_return replayed.replayer->query(name, std::move(input));
}

asio::awaitable<UpdateResult> Engine::Impl::update(UpdateRequest request) {
  const RunningPtr execution = co_await find_open(request.workflow_id, request.run_id);
  if (request.update_id.empty()) request.update_id = core_->runtime.uuid();
  auto answer = std::make_shared<Answer>();
  auto shared = std::make_shared<UpdateRequest>(std::move(request));
  RunningExecution* e = execution.get();
  execution->submit([e, answer, shared](Transaction& tx) {
    if (!e->accepts()) {
      answer->fail(std::make_exception_ptr(Error("workflow.closed")));
      return;
    }
    events::WorkflowExecutionUpdateAccepted accepted;
    accepted.update_id = shared->update_id;
    accepted.name = shared->name;
    accepted.input = shared->input;
    e->update(tx, std::move(accepted), shared->wait_completed, answer);
  });
  co_await answer->wait();
  if (answer->refused) throw FailureError(*answer->refused);
  UpdateResult result;
  result.run_id = execution->run_id();
  result.update_id = shared->update_id;
  result.completed = shared->wait_completed;
  result.value = answer->value;
  co_return result;
}

}  // namespace millrace::engine
