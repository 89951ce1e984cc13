// Workers in other processes: they poll a queue, and report by the token of their task.
#include "common/errors.h"
#include "engine/engine_impl.h"

namespace millrace::engine {

namespace {

Error stale(const std::string& token) {
  return Error("task.not_found", "no attempt runs under the token " + token.substr(0, 200));
}

}  // namespace

asio::awaitable<std::optional<WorkerTask>> Engine::poll(PollRequest request) { return impl_->poll(std::move(request)); }
asio::awaitable<HeartbeatAnswer> Engine::worker_heartbeat(std::string queue, std::string token,
                                                          std::optional<Payload> details) {
  return impl_->worker_heartbeat(std::move(queue), std::move(token), std::move(details));
}
asio::awaitable<void> Engine::worker_complete(std::string queue, std::string token, Payload result) {
  AttemptEnd end;
  end.result = std::move(result);
  return impl_->worker_ended(std::move(queue), std::move(token), std::make_shared<AttemptEnd>(std::move(end)));
}
asio::awaitable<void> Engine::worker_fail(std::string queue, std::string token, Failure failure) {
  AttemptEnd end;
  end.error = std::make_exception_ptr(FailureError(std::move(failure)));
  return impl_->worker_ended(std::move(queue), std::move(token), std::make_shared<AttemptEnd>(std::move(end)));
}

asio::awaitable<std::optional<WorkerTask>> Engine::Impl::poll(PollRequest request) {
  if (core_->draining) throw Error("workflow.draining");
  const CorePtr core = core_;
  const auto poller = std::make_shared<Poller>(request.identity, request.types);
  core->queues->add_poller(request.queue, poller);
  std::exception_ptr gone;
  try {
    const bool came = co_await wait_for(poller->ready, core->runtime, request.wait);
    if (!came) {
      poller->last_call();
      // A step is being started for it just now: that is soon known.
      if (!core->queues->remove_poller(request.queue, poller)) co_await poller->ready.wait();
    }
  } catch (...) {
    gone = std::current_exception();
  }
  if (gone) {
    poller->last_call();
    core->queues->remove_poller(request.queue, poller);
    if (const auto task = poller->close()) give_task_back(*task);
    std::rethrow_exception(gone);
  }
  co_return poller->fetch();
}

void Engine::Impl::give_task_back(const WorkerTask& task) {
  const RunningPtr execution = core_->executions.find(task.run_id);
  if (!execution) return;
  RunningExecution* e = execution.get();
  execution->submit([e, id = task.scheduled_event_id, attempt = task.attempt](Transaction& tx) {
    if (e->accepts()) e->steps().give_task_back(tx, id, attempt);
  });
}

asio::awaitable<HeartbeatAnswer> Engine::Impl::worker_heartbeat(std::string queue, std::string token,
                                                                std::optional<Payload> details) {
  const auto parsed = WorkerToken::parse(token);
  const RunningPtr execution = parsed ? core_->executions.find(parsed->run_id) : nullptr;
  if (!execution) throw stale(token);
  auto ack = std::make_shared<Ack>();
  auto answer = std::make_shared<HeartbeatAnswer>();
  RunningExecution* e = execution.get();
  auto shared = std::make_shared<std::optional<Payload>>(std::move(details));
  execution->submit([e, ack, answer, shared, queue, token, t = *parsed](Transaction&) {
    if (e->steps().worker_heartbeat(t, queue, std::move(*shared), &answer->cancel_requested)) {
      answer->paused = e->record().status == ExecutionStatus::paused;
      ack->succeed();  // durable a second later at most, as every heartbeat
    } else {
      ack->fail(std::make_exception_ptr(stale(token)));
    }
  });
  co_await ack->wait();
  co_return *answer;
}

asio::awaitable<void> Engine::Impl::worker_ended(std::string queue, std::string token,
                                                 std::shared_ptr<AttemptEnd> end) {
  const auto parsed = WorkerToken::parse(token);
  const RunningPtr execution = parsed ? core_->executions.find(parsed->run_id) : nullptr;
  if (!execution) throw stale(token);
  auto ack = std::make_shared<Ack>();
  RunningExecution* e = execution.get();
  execution->submit([e, ack, end, queue, token, t = *parsed](Transaction& tx) {
    if (e->steps().worker_ended(tx, t, queue, std::move(*end)))
      tx.acks.push_back(ack);
    else
      ack->fail(std::make_exception_ptr(stale(token)));
  });
  co_await ack->wait();
}

}  // namespace millrace::engine
