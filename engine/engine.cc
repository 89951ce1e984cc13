#include "engine/engine.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "engine/engine_impl.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

Engine::Engine(Runtime runtime, std::shared_ptr<state::Store> store, Registry registry, EngineOptions options)
    : impl_(std::make_shared<Impl>(std::move(runtime), std::move(store), std::move(registry), options)) {}
Engine::~Engine() = default;

asio::awaitable<void> Engine::start() { return impl_->start(); }
asio::awaitable<void> Engine::stop(Duration grace) { return impl_->stop(grace); }
asio::awaitable<StartResult> Engine::start_workflow(StartRequest request) {
  return impl_->start_workflow(std::move(request));
}
asio::awaitable<Execution> Engine::wait_closed(std::string workflow_id, std::string run_id, Duration at_most) {
  return impl_->wait_closed(std::move(workflow_id), std::move(run_id), at_most);
}
asio::awaitable<ExecutionDetail> Engine::describe(std::string workflow_id, std::string run_id) {
  return impl_->describe(std::move(workflow_id), std::move(run_id));
}
asio::awaitable<std::vector<EventView>> Engine::history(std::string workflow_id, std::string run_id,
                                                        std::uint64_t after, std::size_t limit) {
  return impl_->history(std::move(workflow_id), std::move(run_id), after, limit);
}
asio::awaitable<void> Engine::wait_event(std::string workflow_id, std::string run_id, std::uint64_t after,
                                         Duration at_most) {
  return impl_->wait_event(std::move(workflow_id), std::move(run_id), after, at_most);
}
asio::awaitable<std::vector<LogLine>> Engine::log(std::string workflow_id, std::string run_id, std::uint64_t after,
                                                  std::size_t limit) {
  return impl_->log(std::move(workflow_id), std::move(run_id), after, limit);
}
asio::awaitable<ListPage> Engine::list(ListFilter filter) { return impl_->list(std::move(filter)); }
asio::awaitable<void> Engine::request_cancel(std::string workflow_id, std::string run_id, std::string reason,
                                             std::string request_id) {
  return impl_->request_cancel(std::move(workflow_id), std::move(run_id), std::move(reason), std::move(request_id));
}
asio::awaitable<void> Engine::terminate(std::string workflow_id, std::string run_id, std::string reason,
                                        std::string request_id, std::string identity) {
  return impl_->terminate(std::move(workflow_id), std::move(run_id), std::move(reason), std::move(request_id),
                          std::move(identity));
}
asio::awaitable<std::string> Engine::signal(std::string workflow_id, std::string run_id, std::string name,
                                            Payload input, std::string request_id) {
  return impl_->signal(std::move(workflow_id), std::move(run_id), std::move(name), std::move(input),
                       std::move(request_id));
}
asio::awaitable<Payload> Engine::query(std::string workflow_id, std::string run_id, std::string name, Payload input) {
  return impl_->query(std::move(workflow_id), std::move(run_id), std::move(name), std::move(input));
}
asio::awaitable<UpdateResult> Engine::update(UpdateRequest request) { return impl_->update(std::move(request)); }
asio::awaitable<void> Engine::resume(std::string workflow_id, std::string run_id) {
  return impl_->resume(std::move(workflow_id), std::move(run_id));
}
asio::awaitable<ResetResult> Engine::reset(ResetRequest request) { return impl_->reset(std::move(request)); }
asio::awaitable<void> Engine::pause(std::string workflow_id, std::string run_id, std::string reason,
                                    std::string identity, std::string request_id) {
  return impl_->set_paused(std::move(workflow_id), std::move(run_id), true, std::move(reason), std::move(identity),
                           std::move(request_id));
}
asio::awaitable<void> Engine::unpause(std::string workflow_id, std::string run_id, std::string reason,
                                      std::string identity, std::string request_id) {
  return impl_->set_paused(std::move(workflow_id), std::move(run_id), false, std::move(reason), std::move(identity),
                           std::move(request_id));
}
asio::awaitable<void> Engine::command_step(StepCommand command) { return impl_->command_step(std::move(command)); }
asio::awaitable<VerifyReport> Engine::verify(std::string workflow_id, std::string run_id) {
  return impl_->verify(std::move(workflow_id), std::move(run_id));
}
asio::awaitable<VerifyAllReport> Engine::verify_all(VerifyAllRequest request, VerifyProgress progress) {
  return impl_->verify_all(std::move(request), std::move(progress));
}
VerifiedFile Engine::verify_file(std::string_view text) const { return impl_->verify_file(text); }
asio::awaitable<ReplayView> Engine::replay_to(std::string workflow_id, std::string run_id,
                                              std::optional<std::uint64_t> up_to) {
  return impl_->replay_to(std::move(workflow_id), std::move(run_id), up_to);
}
std::size_t Engine::open_executions() const { return impl_->open_executions(); }

// Executions and their core hold each other while they are open.
Engine::Impl::~Impl() {
  core_->stopped = true;
  core_->executions.clear();
  core_->loader.clear();
  core_->deliver = {};
}

// ---- life ----

namespace {

asio::awaitable<void> run_timers(CorePtr core) { co_await core->timers.run(); }

}  // namespace

asio::awaitable<void> Engine::Impl::start() {
  begin_delivery();
  core_->tasks.spawn("engine timers", run_timers(core_));
  // All are found before any work is taken, so that requests reach them; they are replayed some at a time.
  std::vector<RunningPtr> stored;
  std::vector<state::KeyValue> open;
  state::Range range = state::prefix_range(keys::open_run_prefix());
  for (;;) {
    const auto rows = co_await core_->store->scan(range);
    if (rows.empty()) break;
    range.begin = rows.back().key + '\0';
    open.insert(open.end(), rows.begin(), rows.end());
  }
  co_await count_crashes(&open);
  for (const state::KeyValue& row : open) {
    state::KeyReader key(row.key);
    auto execution = std::make_shared<RunningExecution>(core_, key.str());
    if (decode_record<OpenRow>(row.value).crashes >= core_->options.crashes_in_a_row) execution->set_aside();
    execution->expect_load();
    core_->executions.insert(execution->run_id(), execution);
    stored.push_back(std::move(execution));
  }
  co_await deliver_all();
  if (stored.empty()) co_return;
  log_info("recovering executions", {{"count", stored.size()}});
  for (RunningPtr& execution : stored) core_->loader.ask(core_, std::move(execution), false);
}

asio::awaitable<void> Engine::Impl::stop(Duration grace) {
  const CorePtr core = core_;
  core->draining = true;
  core->queues->end_polls();
  // Steps see draining() and come to a good place by themselves, or are told to.
  const MonoTime end = core->runtime.mono() + grace;
  while (core->steps.count() != 0 && core->runtime.mono() < end) {
    const Duration left = std::chrono::duration_cast<Duration>(end - core->runtime.mono());
    co_await core->runtime.sleep_for(std::min<Duration>(left, std::chrono::milliseconds(10)));
  }
  for (const RunningPtr& execution : core->executions.all()) execution->shut_down_steps();
  co_await core->steps.wait_idle();
  core->stopped = true;
  for (const RunningPtr& execution : core->executions.all()) execution->abandon();
  co_await core->pumps.wait_idle();
  core->timers.stop();
  co_await core->tasks.stop();
  core->loader.clear();
  core->executions.clear();
}

}  // namespace millrace::engine
