// Delivery of messages between executions. Each is idempotent at its receiver and is tried until its row is gone; what
// a server that stops leaves behind, the next one delivers.
#include "common/errors.h"
#include "common/log.h"
#include "engine/engine_impl.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr Duration kRetryDelay = std::chrono::seconds(1);
constexpr int kChainTries = 10;  // of a message to a child whose run changes under it

}  // namespace

void Engine::Impl::begin_delivery() {
  core_->deliver = [weak = weak_from_this()](const std::string& key, const OutboxRow& row) {
    const auto self = weak.lock();
    if (self && !self->core_->stopped) self->core_->tasks.spawn("engine outbox", deliver(self, key, row));
  };
}

asio::awaitable<void> Engine::Impl::deliver_all() {
  state::Range range = state::prefix_range(keys::outbox_prefix(state::kEmbeddedShard));
  for (;;) {
    const auto rows = co_await core_->store->scan(range);
    if (rows.empty()) co_return;
    for (const state::KeyValue& row : rows) core_->deliver(row.key, decode_record<OutboxRow>(row.value));
    range.begin = rows.back().key + '\0';
  }
}

asio::awaitable<void> Engine::Impl::deliver(std::shared_ptr<Impl> self, std::string key, OutboxRow row) {
  for (;;) {
    std::exception_ptr error;
    try {
      co_await self->deliver_once(key, row);
      co_return;
    } catch (...) {
      error = std::current_exception();
    }
    if (is_cancelled(error) || self->core_->draining) co_return;  // the row stays for the next server
    log_warn("a message between executions is tried again",
             {{"from", row.from_run_id}, {"to", row.workflow_id}, {"error", millrace::describe(error)}});
    co_await self->core_->runtime.sleep_for(kRetryDelay);
  }
}

asio::awaitable<void> Engine::Impl::erase_row(std::string key) {
  state::Batch batch;
  batch.erase(std::move(key));
  co_await core_->store->commit(std::move(batch));
}

// The run that goes on for this one: a child may have continued as new, been retried or reset since its parent knew it.
asio::awaitable<std::string> Engine::Impl::current_run_of(std::string workflow_id, std::string run_id) {
  if (run_id.empty()) co_return run_id;
  const auto known = co_await core_->store->get(keys::run(run_id));
  const auto row = co_await core_->store->get(keys::current(workflow_id));
  if (!known || !row) co_return run_id;
  const std::string current = decode_record<CurrentRow>(*row).run_id;
  const auto record = co_await core_->store->get(keys::run(current));
  if (!record) co_return run_id;
  const auto first_of = [](const std::string& run, const RunRecord& r) {
    return r.first_run_id.empty() ? run : r.first_run_id;
  };
  const bool same_chain =
      first_of(current, decode_record<RunRecord>(*record)) == first_of(run_id, decode_record<RunRecord>(*known));
  co_return same_chain ? current : run_id;
}

// A cancel, or what the close policy asks for. The run that is met may be followed by another at that very moment.
asio::awaitable<void> Engine::Impl::tell_child(OutboxRow row, std::string request_id) {
  std::string met;
  for (int i = 0;; ++i) {
    const std::string run = co_await current_run_of(row.workflow_id, row.run_id);
    if (!run.empty()) {
      // A run before it may have got this very request.
      Found found = co_await find({}, run);
      const std::string knows = co_await run_that_knows(std::move(found), "cancel", request_id);
      if (!knows.empty()) co_return;
    }
    try {
      if (row.kind == OutboxKind::cancel)
        co_await request_cancel(row.workflow_id, run, "asked for by " + row.from_workflow_id, request_id);
      else if (row.policy == ParentClosePolicy::terminate)
        co_await terminate(row.workflow_id, run, "its parent " + row.from_workflow_id + " closed");
      else
        co_await request_cancel(row.workflow_id, run, "its parent closed", request_id);
      co_return;
    } catch (const Error& e) {
      if (e.code() != "workflow.closed" || row.run_id.empty() || run == met || i == kChainTries) throw;
    }
    met = run;
  }
}

asio::awaitable<void> Engine::Impl::deliver_once(std::string key, OutboxRow row) {
  if (row.kind == OutboxKind::adopt_child) {
    co_await adopt_child(std::move(key), std::move(row));
    co_return;
  }
  const std::string request_id =
      "link/" + (row.origin_run_id.empty() ? row.from_run_id : row.origin_run_id) + "/" + std::to_string(row.event_id);
  std::string child_run;
  std::optional<Failure> refused;
  std::exception_ptr error;
  try {
    switch (row.kind) {
      case OutboxKind::start_child: {
        StartRequest request;
        request.type = row.name;
        request.workflow_id = row.workflow_id;
        request.input = row.payload;
        request.run_timeout = row.run_timeout;
        request.request_id = request_id;
        RunningExecution::Origin origin;
        origin.parent_workflow_id = row.from_workflow_id;
        origin.parent_run_id = row.from_run_id;
        origin.parent_event_id = row.event_id;
        child_run = (co_await start_workflow(std::move(request), std::move(origin))).run_id;
        break;
      }
      case OutboxKind::signal:
        co_await signal(row.workflow_id, row.run_id, row.name, row.payload, request_id);
        break;
      case OutboxKind::cancel:
      case OutboxKind::parent_closed:
        co_await tell_child(row, request_id);
        break;
      case OutboxKind::child_closed:
      case OutboxKind::adopt_child:
        break;
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    const Failure failure = failure_from_exception(error);
    if (row.kind == OutboxKind::start_child && failure.type == "workflow.already_running" &&
        co_await take_over_child(row, &child_run))
      error = nullptr;
  }
  if (error) {
    const Failure failure = failure_from_exception(error);
    if (failure.retryable || is_cancelled(error)) std::rethrow_exception(error);
    refused = failure;  // nobody there, closed, in use: that is the answer
  }
  const RunningPtr receiver =
      core_->executions.find(row.kind == OutboxKind::child_closed ? row.run_id : row.from_run_id);
  // Open, but not in memory: the server stops. The row waits for the next one; erasing it would lose the answer.
  if (row.kind != OutboxKind::parent_closed && !receiver) {
    const auto record =
        co_await core_->store->get(keys::run(row.kind == OutboxKind::child_closed ? row.run_id : row.from_run_id));
    if (record && decode_record<RunRecord>(*record).status == ExecutionStatus::running) {
      if (core_->draining) co_return;
      throw Error("store.unavailable", "the run that waits for this message is not in memory");
    }
  }
  if (row.kind == OutboxKind::parent_closed || !receiver) {
    // Nobody waits for an answer. A child whose parent closed before it could know its run is told here.
    if (row.kind == OutboxKind::start_child && !child_run.empty() && row.policy != ParentClosePolicy::abandon) {
      row.kind = OutboxKind::parent_closed;
      row.run_id = child_run;
      co_await deliver_once(std::move(key), std::move(row));
      co_return;
    }
    co_await erase_row(std::move(key));
    co_return;
  }
  RunningExecution* e = receiver.get();
  receiver->submit([e, key, row, child_run, refused, core = core_](Transaction& tx) {
    if (e->is_open() && !e->accepts()) return;  // given up: the same
    if (row.kind == OutboxKind::child_closed)
      e->links().child_closed(tx, key, row);
    else if (row.kind != OutboxKind::start_child)
      e->links().message_arrived(tx, key, row.kind, row.event_id, refused);
    else if (refused)
      e->links().child_not_started(tx, key, row.event_id, *refused);
    else if (e->accepts())
      e->links().child_started(tx, key, row.event_id, child_run);
    else
      tx.act([core, key, row] { core->deliver(key, row); });  // it closed just now: again, for its policy
  });
}

}  // namespace millrace::engine
