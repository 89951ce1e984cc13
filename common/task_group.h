// TaskGroup: the one spelling of background work.
//
// spawn() starts a coroutine on a strand of its own (or on one given); stop() cancels all and waits for them; join()
// waits for all and throws the first failure, cancelling the rest when one fails. The destructor checks that nothing
// runs any more, so the group is the last member of its owner and the owner awaits stop() before it goes.
#pragma once

#include <exception>
#include <memory>
#include <string>

#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace {

class TaskGroup {
 public:
  explicit TaskGroup(Runtime runtime);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Refused (the coroutine is dropped unstarted) once stop() was called. An exception that leaves `task` is kept for
  // join() and, unless it is a cancellation, logged with `name`. Thread-safe.
  void spawn(std::string name, asio::awaitable<void> task);
  void spawn_on(asio::any_io_executor strand, std::string name, asio::awaitable<void> task);

  // Asks all tasks to end. Thread-safe, may be called twice.
  void cancel();
  // cancel(), then waits until nothing runs. May be called twice and without a spawn. Its own wait is not cancellable:
  // when it returns, nothing runs on; a cancellation that came meanwhile is thrown by the caller's next wait. A caller
  // that may be cancelled already sets this_coro::throw_if_cancelled(false) first, or Asio throws before this begins.
  asio::awaitable<void> stop();
  // Waits until nothing runs; the first failure cancels the others and is thrown at the end. If the caller is cancelled
  // meanwhile, the tasks are cancelled, waited for, and the cancellation is thrown.
  asio::awaitable<void> join();

  std::size_t running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace millrace
