// Children of a run that was reset: those that both runs know are handed to the new one, and one that the new run
// starts again under the same id is taken over instead. A child that closed meanwhile has its end looked up.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

void RunningExecution::set_parent(const std::string& run_id, std::uint64_t initiated) {
  record_.parent_run_id = run_id;
  record_.parent_event_id = initiated;
  record_changed_ = true;
}

namespace {

// True once it is durable that this open child tells `parent` of its end; false if it has ended.
asio::awaitable<bool> hand_over(RunningPtr child, std::string parent, std::uint64_t initiated) {
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = child.get();
  child->submit([e, ack, parent, initiated](Transaction& tx) {
    if (!e->accepts()) {
      ack->fail(std::make_exception_ptr(Error("workflow.closed")));
      return;
    }
    e->set_parent(parent, initiated);
    tx.acks.push_back(ack);
  });
  bool closed = false;
  try {
    co_await ack->wait();
  } catch (const Error& error) {
    if (error.code() != "workflow.closed") throw;
    closed = true;
  }
  co_return !closed;
}

}  // namespace

asio::awaitable<void> Engine::Impl::adopt_child(std::string key, OutboxRow row) {
  const bool terminate_it = row.status == ExecutionStatus::terminated;
  std::string run = row.run_id;
  if (run.empty()) {
    // Whether it was started before the point is not known: the same request starts it once.
    if (!core_->executions.find(row.from_run_id)) {
      co_await erase_row(std::move(key));
      co_return;
    }
    StartRequest request;
    request.type = row.name;
    request.workflow_id = row.workflow_id;
    request.input = row.payload;
    request.run_timeout = row.run_timeout;
    request.request_id = "link/" + row.origin_run_id + "/" + std::to_string(row.event_id);
    RunningExecution::Origin origin;
    origin.parent_workflow_id = row.from_workflow_id;
    origin.parent_run_id = row.from_run_id;
    origin.parent_event_id = row.event_id;
    std::exception_ptr error;
    try {
      run = (co_await start_workflow(std::move(request), std::move(origin))).run_id;
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      const Failure failure = failure_from_exception(error);
      if (failure.retryable || is_cancelled(error)) std::rethrow_exception(error);
      const RunningPtr receiver = core_->executions.find(row.from_run_id);
      if (!receiver) {
        co_await erase_row(std::move(key));
        co_return;
      }
      RunningExecution* e = receiver.get();
      receiver->submit([e, key, id = row.event_id, failure](Transaction& tx) {
        e->links().child_not_started(tx, key, id, failure);
      });
      co_return;
    }
  }
  // The child may have continued as new, or been reset itself: its current run is meant.
  Found child = co_await find({}, run);
  Found latest = co_await find(row.workflow_id, {});
  if (latest.run_id != child.run_id && latest.record.parent_event_id == row.event_id &&
      latest.record.parent_workflow_id == row.from_workflow_id)
    child = std::move(latest);
  bool open = false;
  if (is_open(child.record.status)) {
    const RunningPtr execution = co_await find_open(child.record.workflow_id, child.run_id);
    open = co_await hand_over(execution, row.from_run_id, row.event_id);
    if (open && terminate_it)
      co_await terminate(child.record.workflow_id, child.run_id, "its parent " + row.from_workflow_id + " was reset");
  }
  if (!open) child = co_await find({}, child.run_id);
  const RunningPtr receiver = core_->executions.find(row.from_run_id);
  if (!receiver) {
    co_await erase_row(std::move(key));
    co_return;
  }
  RunningExecution* e = receiver.get();
  if (open) {
    receiver->submit([e, key, id = row.event_id, run_id = child.run_id](Transaction& tx) {
      e->links().child_started(tx, key, id, run_id);
    });
    co_return;
  }
  OutboxRow end;
  end.kind = OutboxKind::child_closed;
  end.event_id = row.event_id;
  end.from_workflow_id = row.workflow_id;
  end.from_run_id = child.run_id;
  end.status = child.record.status;
  end.failure = child.record.failure;
  end.payload = (co_await read_execution(child)).result;
  receiver->submit([e, key, end](Transaction& tx) { e->links().child_closed(tx, key, end); });
}

// A start that found an open run: if that is a child of a run which the sender is a reset of, it is the sender's now,
// or is terminated first, as the reset has asked for. True: `child_run` is the sender's child.
asio::awaitable<bool> Engine::Impl::take_over_child(OutboxRow row, std::string* child_run) {
  const Found child = co_await find(row.workflow_id, {});
  const Found sender = co_await find({}, row.from_run_id);
  if (sender.record.reset_run_id.empty() || sender.record.reset_children == ResetChildren::abandon ||
      child.record.parent_workflow_id != row.from_workflow_id || child.record.type != row.name)
    co_return false;
  const bool ours = co_await is_reset_of(row.from_run_id, child.record.parent_run_id);
  if (!ours) co_return false;
  if (sender.record.reset_children == ResetChildren::terminate) {
    co_await terminate(row.workflow_id, child.run_id, "its parent " + row.from_workflow_id + " was reset");
    throw Error("workflow.start_refused", "the child of the run before is being terminated");
  }
  const RunningPtr execution = co_await find_open(row.workflow_id, child.run_id);
  const bool open = co_await hand_over(execution, row.from_run_id, row.event_id);
  if (!open) throw Error("workflow.start_refused", "the child of the run before has just ended");
  *child_run = child.run_id;
  co_return true;
}

}  // namespace millrace::engine
