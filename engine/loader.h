// Brings stored executions back into memory, a bounded number at the same time; those that something waits for first.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "common/awaitable.h"

namespace millrace::engine {

struct Core;
class RunningExecution;

// Thread-safe. Owned by the core it is given.
class Loader {
 public:
  explicit Loader(std::size_t at_once) : at_once_(at_once) {}
  // Asking twice does no harm: an execution that is there is left alone.
  void ask(const std::shared_ptr<Core>& core, std::shared_ptr<RunningExecution> execution, bool urgent);
  void clear();

 private:
  static asio::awaitable<void> run(std::shared_ptr<Core> core);
  std::shared_ptr<RunningExecution> next(bool draining);

  const std::size_t at_once_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<RunningExecution>> urgent_, rest_;
  std::size_t running_ = 0;
};

}  // namespace millrace::engine
