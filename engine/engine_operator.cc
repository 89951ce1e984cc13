// What a person does to a run: terminate, pause and unpause, a hand lent to one of its steps. A request with an id of
// its own is done once: its row is written in the batch that does it, and lives as long as the run's.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

std::string digest_of(std::vector<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part + '\0';
  return payload_hash(all);
}

std::string digest_of(const StepCommand& c) {
  std::string options;
  if (c.timeouts) {
    const StepTimeouts& t = *c.timeouts;
    for (const auto& d : {t.schedule_to_start, t.start_to_close, t.schedule_to_close, t.heartbeat})
      options += (d ? std::to_string(d->count()) : std::string()) + ",";
  }
  if (c.retry) {
    options += std::to_string(c.retry->initial_interval.count()) + "," + std::to_string(c.retry->backoff_coefficient) +
               "," + std::to_string(c.retry->maximum_interval.count()) + "," +
               std::to_string(c.retry->maximum_attempts);
    for (const std::string& type : c.retry->non_retryable_types) options += "," + type;
  }
  return digest_of({c.activity_id, std::to_string(static_cast<int>(c.verb)), c.result, to_json(c.failure),
                    c.reset_heartbeat ? "heartbeat" : "", options, c.reason});
}

}  // namespace

// ---- once ----

OnceRequest::OnceRequest(std::string scope, const std::string& run_id, std::string request_id, std::string digest)
    : name_(scope + "/" + request_id),
      key_(request_id.empty() ? std::string() : keys::dedupe(scope + "/" + run_id, request_id)),
      id_(std::move(request_id)),
      digest_(std::move(digest)) {}

asio::awaitable<bool> OnceRequest::done_before(std::shared_ptr<state::Store> store) const {
  if (key_.empty()) co_return false;
  const auto bytes = co_await store->get(key_);
  if (!bytes) co_return false;
  const auto row = decode_record<DedupeRow>(*bytes);
  if (!row.digest.empty() && row.digest != digest_)
    throw Error("idempotency.mismatch", "request id " + id_ + " was used for another request to run " + row.run_id);
  co_return true;
}

bool OnceRequest::is_done(const RunningExecution& execution) const { return !key_.empty() && execution.knows(name_); }

void OnceRequest::done(Transaction& tx, RunningExecution& execution) const {
  if (key_.empty()) return;
  execution.first_of(name_);
  DedupeRow row;
  row.workflow_id = execution.record().workflow_id;
  row.run_id = execution.run_id();
  row.digest = digest_;
  row.time = tx.now;
  tx.batch.put(key_, encode_record(row));
}

// The run may be closed if the request was done before.
asio::awaitable<void> Engine::Impl::do_once(Found found, std::shared_ptr<const OnceRequest> once,
                                            std::function<void(RunningExecution&, Transaction&)> work) {
  const bool before = co_await once->done_before(core_->store);
  if (before) co_return;
  const RunningPtr execution = co_await find_open(found.record.workflow_id, found.run_id);
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  execution->submit([e, ack, once, work = std::move(work)](Transaction& tx) {
    try {
      if (!once->is_done(*e)) {
        if (!e->accepts()) std::rethrow_exception(e->refusal());
        work(*e, tx);
        once->done(tx, *e);
      }
      tx.acks.push_back(ack);
    } catch (...) {
      ack->fail(std::current_exception());
    }
  });
  co_await ack->wait();
}

// ---- the requests ----

asio::awaitable<void> Engine::Impl::terminate(std::string workflow_id, std::string run_id, std::string reason,
                                              std::string request_id, std::string identity) {
  Found found = co_await find(std::move(workflow_id), std::move(run_id));
  auto once =
      std::make_shared<const OnceRequest>("terminate", found.run_id, std::move(request_id), digest_of({reason}));
  std::function<void(RunningExecution&, Transaction&)> work = [reason, identity](RunningExecution& e, Transaction& tx) {
    events::WorkflowExecutionTerminated terminated;
    terminated.reason = reason;
    terminated.identity = identity;
    e.close_by_force(tx, std::move(terminated));
  };
  co_await do_once(std::move(found), std::move(once), std::move(work));
}

asio::awaitable<void> Engine::Impl::set_paused(std::string workflow_id, std::string run_id, bool paused,
                                               std::string reason, std::string identity, std::string request_id) {
  Found found = co_await find(std::move(workflow_id), std::move(run_id));
  auto once =
      std::make_shared<const OnceRequest>(paused ? "pause" : "unpause", found.run_id, request_id, digest_of({reason}));
  std::function<void(RunningExecution&, Transaction&)> work = [paused, reason, identity, request_id](
                                                                  RunningExecution& e, Transaction& tx) {
    e.set_paused(tx, paused, reason, identity, request_id);
  };
  co_await do_once(std::move(found), std::move(once), std::move(work));
}

asio::awaitable<void> Engine::Impl::command_step(StepCommand command) {
  Found found = co_await find(command.workflow_id, command.run_id);
  auto once = std::make_shared<const OnceRequest>("step", found.run_id, command.request_id, digest_of(command));
  auto shared = std::make_shared<StepCommand>(std::move(command));
  std::function<void(RunningExecution&, Transaction&)> work = [shared](RunningExecution& e, Transaction& tx) {
    e.steps().command(tx, *shared);
  };
  co_await do_once(std::move(found), std::move(once), std::move(work));
}

void RunningExecution::set_paused(Transaction& tx, bool paused, std::string reason, std::string identity,
                                  std::string request_id) {
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
    e.request_id = std::move(request_id);
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
