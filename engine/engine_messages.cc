// Signals, queries and updates: how callers reach an execution that runs.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/history.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr int kHopsBack = 8;     // runs of a chain that are asked for a request id
constexpr int kChainTries = 10;  // of a message to a workflow id whose run changes under it

DedupeRow seen(Transaction& tx, const RunningExecution& e) {
  DedupeRow row;
  row.workflow_id = e.record().workflow_id;
  row.run_id = e.run_id();
  row.time = tx.now;
  return row;
}

}  // namespace

asio::awaitable<std::string> Engine::Impl::run_that_knows(Found found, std::string scope, std::string request_id) {
  for (int i = 0; i < kHopsBack; ++i) {
    const auto row = co_await core_->store->get(keys::dedupe(scope + "/" + found.run_id, request_id));
    if (row) co_return found.run_id;
    if (found.record.continued_run_id.empty()) break;
    found.run_id = found.record.continued_run_id;
    const auto record = co_await core_->store->get(keys::run(found.run_id));
    if (!record) break;
    found.record = decode_record<RunRecord>(*record);
  }
  co_return std::string();
}

// A message to "the current run" goes to the run that follows when the one it met has just continued as new.
asio::awaitable<std::string> Engine::Impl::signal(std::string workflow_id, std::string run_id, std::string name,
                                                  Payload input, std::string request_id) {
  std::string met;
  for (int i = 0;; ++i) {
    const auto found = co_await find(workflow_id, run_id);
    try {
      co_return co_await signal_once(found.record.workflow_id, found.run_id, name, input, request_id);
    } catch (const Error& e) {
      if (e.code() != "workflow.closed" || !run_id.empty() || found.run_id == met || i == kChainTries) throw;
    }
    met = found.run_id;
  }
}

asio::awaitable<std::string> Engine::Impl::signal_once(std::string workflow_id, std::string run_id, std::string name,
                                                       Payload input, std::string request_id) {
  if (!request_id.empty()) {
    auto found = co_await find(workflow_id, run_id);
    std::string knows = co_await run_that_knows(std::move(found), "signal", request_id);
    if (!knows.empty()) co_return knows;
  }
  const RunningPtr execution = co_await find_open(std::move(workflow_id), std::move(run_id));
  const std::string key =
      request_id.empty() ? std::string() : keys::dedupe("signal/" + execution->run_id(), request_id);
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  auto event = std::make_shared<events::WorkflowExecutionSignaled>();
  event->name = std::move(name);
  event->input = std::move(input);
  event->request_id = std::move(request_id);
  execution->submit([e, ack, key, event](Transaction& tx) {
    if (!e->accepts()) {
      ack->fail(e->refusal());
      return;
    }
    tx.acks.push_back(ack);
    // Two with one request id at the same moment: the first is in this process's memory before it is in the store.
    if (!key.empty() && !e->first_of("signal/" + event->request_id)) return;
    if (!key.empty()) tx.batch.put(key, encode_record(seen(tx, *e)));
    e->signal(tx, std::move(*event));
  });
  co_await ack->wait();
  co_return execution->run_id();
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
        answer->fail(e->refusal());
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
  const bool own_id = !request.update_id.empty();  // of the caller, who may come with it again
  if (!own_id) request.update_id = core_->runtime.uuid();
  std::string met;
  for (int i = 0;; ++i) {
    auto found = co_await find(request.workflow_id, request.run_id);
    UpdateRequest one = request;
    one.workflow_id = found.record.workflow_id;
    one.run_id = found.run_id;
    const std::string knows = co_await run_that_knows(found, "update", request.update_id);
    if (!knows.empty()) {
      // Its run may be open still: then it is waited for there.
      if (!core_->executions.find(knows)) co_return co_await recorded_update(knows, request.update_id);
      one.run_id = knows;
    } else if (own_id) {
      const std::string refused_by = co_await run_that_knows(found, "refused", request.update_id);
      if (!refused_by.empty()) {
        const auto bytes = co_await core_->store->get(keys::dedupe("refused/" + refused_by, request.update_id));
        if (bytes) throw FailureError(decode_record<RefusedRow>(*bytes).failure.value_or(Failure()));
      }
    }
    try {
      co_return co_await update_once(std::move(one), own_id);
    } catch (const Error& e) {
      if (e.code() != "workflow.closed" || !request.run_id.empty() || found.run_id == met || i == kChainTries) throw;
    }
    met = found.run_id;
  }
}

// What the history of a closed run says of an update.
asio::awaitable<UpdateResult> Engine::Impl::recorded_update(std::string run_id, std::string update_id) {
  HistoryReader reader(*core_->store, run_id);
  for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next()) {
    for (const HistoryEvent& event : events) {
      const auto* done = std::get_if<events::WorkflowExecutionUpdateCompleted>(&event.attributes);
      if (done == nullptr || done->update_id != update_id) continue;
      if (done->failure) throw UpdateFailed(*done->failure);
      UpdateResult result;
      result.run_id = run_id;
      result.update_id = update_id;
      result.completed = true;
      result.value = done->result.text;
      co_return result;
    }
  }
  throw Error("workflow.closed", "the run was closed before the update completed");
}

asio::awaitable<UpdateResult> Engine::Impl::update_once(UpdateRequest request, bool keep_refusal) {
  const RunningPtr execution = co_await find_open(request.workflow_id, request.run_id);
  auto answer = std::make_shared<Answer>();
  auto shared = std::make_shared<UpdateRequest>(std::move(request));
  RunningExecution* e = execution.get();
  const std::string refusal_key =
      keep_refusal ? keys::dedupe("refused/" + execution->run_id(), shared->update_id) : std::string();
  execution->submit([e, answer, shared, refusal_key](Transaction& tx) {
    if (!e->accepts()) {
      answer->fail(e->refusal());
      return;
    }
    events::WorkflowExecutionUpdateAccepted accepted;
    accepted.update_id = shared->update_id;
    accepted.name = shared->name;
    accepted.input = shared->input;
    if (e->update(tx, std::move(accepted), shared->wait_completed, answer, refusal_key))
      tx.batch.put(keys::dedupe("update/" + e->run_id(), shared->update_id), encode_record(seen(tx, *e)));
  });
  co_await answer->wait();
  if (answer->refused) throw UpdateFailed(*answer->refused);
  UpdateResult result;
  result.run_id = execution->run_id();
  result.update_id = shared->update_id;
  result.completed = shared->wait_completed;
  result.value = answer->value;
  co_return result;
}

}  // namespace millrace::engine
