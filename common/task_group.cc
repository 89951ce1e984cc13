#include "common/task_group.h"

#include <map>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"

namespace millrace {

struct TaskGroup::State {
  explicit State(Runtime r) : runtime(std::move(r)) {}
  struct Task {
    asio::any_io_executor strand;
    asio::cancellation_signal signal;
  };
  Runtime runtime;
  mutable std::mutex mutex;
  std::uint64_t next = 0;
  std::map<std::uint64_t, std::shared_ptr<Task>> tasks;
  std::exception_ptr first_failure;
  bool stopping = false;
  Event changed;

  void cancel(bool for_good) {
    std::vector<std::shared_ptr<Task>> running;
    {
      std::lock_guard lock(mutex);
      stopping = stopping || for_good;
      for (auto& [_, t] : tasks) running.push_back(t);
    }
    // The signal belongs to the task's strand: emit there.
    for (auto& t : running) asio::post(t->strand, [t] { t->signal.emit(asio::cancellation_type::terminal); });
  }
};

TaskGroup::TaskGroup(Runtime runtime) : state_(std::make_shared<State>(std::move(runtime))) {}
TaskGroup::~TaskGroup() { check(running() == 0, "a task group is empty when it is destroyed"); }

std::size_t TaskGroup::running() const {
  std::lock_guard lock(state_->mutex);
  return state_->tasks.size();
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  spawn_on(state_->runtime.make_strand(), std::move(name), std::move(task));
}

void TaskGroup::spawn_on(asio::any_io_executor strand, std::string name, asio::awaitable<void> task) {
  auto entry = std::make_shared<State::Task>();
  entry->strand = strand;
  std::uint64_t id = 0;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    id = state_->next++;
    state_->tasks.emplace(id, entry);
  }
  auto done = [state = state_, id, entry, name = std::move(name)](std::exception_ptr error) {
    bool failed = false;
    {
      std::lock_guard lock(state->mutex);
      if (error && !is_cancelled(error)) {
        failed = true;
        if (!state->first_failure) state->first_failure = error;
      }
    }
    if (failed) log_debug("task failed", {{"task", name}, {"error", describe(error)}});
    {
      std::lock_guard lock(state->mutex);
      state->tasks.erase(id);
    }
    state->changed.set();
  };
  asio::co_spawn(strand, std::move(task), asio::bind_cancellation_slot(entry->signal.slot(), std::move(done)));
}

void TaskGroup::cancel() { state_->cancel(false); }

// The flag is reset before the look, never after it: a task that ends in between sets it again and the wait returns.
namespace {
template <class StatePtr>
asio::awaitable<void> wait_empty(StatePtr state) {
  for (;;) {
    state->changed.reset();
    {
      std::lock_guard lock(state->mutex);
      if (state->tasks.empty()) {
        state->changed.set();  // for another waiter whose flag this reset took
        co_return;
      }
    }
    co_await state->changed.wait();
  }
}
}  // namespace

asio::awaitable<void> TaskGroup::stop() {
  auto state = state_;
  state->cancel(true);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await wait_empty(state);
}

asio::awaitable<void> TaskGroup::join() {
  auto state = state_;
  std::exception_ptr interrupted;
  bool cancelled_rest = false;
  for (;;) {
    state->changed.reset();
    bool failed = false;
    {
      std::lock_guard lock(state->mutex);
      if (state->tasks.empty()) {
        state->changed.set();
        break;
      }
      failed = state->first_failure != nullptr;
    }
    if ((failed || interrupted) && !cancelled_rest) {
      cancelled_rest = true;
      state->cancel(false);
    }
    if (interrupted) {
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      co_await asio::this_coro::throw_if_cancelled(false);
    }
    try {
      co_await state->changed.wait();
    } catch (...) {
      interrupted = std::current_exception();
    }
  }
  std::exception_ptr failure;
  {
    std::lock_guard lock(state->mutex);
    failure = std::exchange(state->first_failure, nullptr);
  }
  if (failure) std::rethrow_exception(failure);
  if (interrupted) std::rethrow_exception(interrupted);
}

}  // namespace millrace
