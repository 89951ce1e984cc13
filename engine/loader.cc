#include "engine/loader.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "engine/running_execution.h"

namespace millrace::engine {
namespace {

asio::awaitable<void> load(RunningPtr execution) { co_await execution->load(); }

}  // namespace

void Loader::ask(const CorePtr& core, RunningPtr execution, bool urgent) {
  {
    std::lock_guard lock(mutex_);
    (urgent ? urgent_ : rest_).push_back(std::move(execution));
    if (running_ >= at_once_) return;
    ++running_;
  }
  core->tasks.spawn("engine load", run(core));
}

void Loader::clear() {
  std::deque<RunningPtr> dropped, more;
  std::lock_guard lock(mutex_);
  dropped.swap(urgent_);
  more.swap(rest_);
}

// What nobody waits for is left to the next server when this one stops.
RunningPtr Loader::next(bool draining) {
  std::lock_guard lock(mutex_);
  auto& from = urgent_.empty() && !draining ? rest_ : urgent_;
  if (from.empty()) {
    --running_;
    return nullptr;
  }
  RunningPtr execution = std::move(from.front());
  from.pop_front();
  return execution;
}

asio::awaitable<void> Loader::run(CorePtr core) {
  for (RunningPtr execution = core->loader.next(core->draining); execution;
       execution = core->loader.next(core->draining)) {
    std::exception_ptr error;
    // Not told of our cancellation, which waits for the next co_await: Boost 1.81 hands it to the other strand by a
    // pointer into our frame, which may be gone when it gets there (found by tests/sim, seed 3657).
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    try {
      co_await asio::co_spawn(execution->strand(), load(execution), apart);
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) continue;
    if (is_cancelled(error)) std::rethrow_exception(error);
    log_error("execution cannot be loaded", {{"run", execution->run_id()}, {"error", millrace::describe(error)}});
    core->executions.erase(execution->run_id(), execution.get());
    execution->abandon();
  }
}

}  // namespace millrace::engine
