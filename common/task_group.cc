#include "common/task_group.h"

#include <map>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"

namespace millrace {

struct TaskGroup::State {
  explicit State(Runtime r) : runtime(std::move(r)) {}
  struct Task {
    asio::any_io_executor strand;
    asio::cancellation_signal signal;  // on the strand, as is the flag
    bool cancelled = false;
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
    for (auto& t : running) {
      asio::post(t->strand, [t] {
        t->cancelled = true;
        t->signal.emit(asio::cancellation_type::terminal);
      });
    }
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
  // Started on its strand, so that a cancel that comes from another thread meanwhile is either before the start, and
  // seen here, or behind it, and delivered.
  asio::post(strand, [entry, task = std::move(task), done = std::move(done)]() mutable {
    if (entry->cancelled) return done(std::make_exception_ptr(Cancelled()));
    asio::co_spawn(entry->strand, std::move(task), asio::bind_cancellation_slot(entry->signal.slot(), std::move(done)));
  });
}

void TaskGroup::cancel() { state_->cancel(false); }

namespace {

// The flag is reset before the look, never after it: a task that ends in between sets it again and the wait returns.
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

// wait_empty() that a cancellation does not end, since it runs as a coroutine of its own. The cancellation is not lost:
// it stays in the caller's state, whose next wait throws. (Resetting the caller's cancellation state instead would make
// all of its later waits deaf.) To be awaited under throw_if_cancelled(false).
template <class StatePtr>
asio::awaitable<void> wait_empty_shielded(StatePtr state) {
  const auto executor = co_await asio::this_coro::executor;
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_await asio::co_spawn(executor, wait_empty(state), token);
}

}  // namespace

asio::awaitable<void> TaskGroup::stop() {
  auto state = state_;
  state->cancel(true);
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await wait_empty_shielded(state);
  co_await asio::this_coro::throw_if_cancelled(throws);
}

asio::awaitable<void> TaskGroup::join() {
  auto state = state_;
  std::exception_ptr interrupted;
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
    if (failed || interrupted) {
      state->cancel(false);
      const bool throws = co_await asio::this_coro::throw_if_cancelled();
      co_await asio::this_coro::throw_if_cancelled(false);
      co_await wait_empty_shielded(state);
      co_await asio::this_coro::throw_if_cancelled(throws);
      break;
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
