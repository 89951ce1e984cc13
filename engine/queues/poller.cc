#include "engine/queues/poller.h"

#include <utility>

namespace millrace::engine {

bool Poller::hand(WorkerTask task) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    closed_ = true;
    task_ = std::move(task);
  }
  ready.set();
  return true;
}

bool Poller::return_unused() {
  {
    std::lock_guard lock(mutex_);
    if (!closed_ && !last_call_) return true;
    closed_ = true;
  }
  ready.set();
  return false;
}

void Poller::last_call() {
  std::lock_guard lock(mutex_);
  last_call_ = true;
}

std::optional<WorkerTask> Poller::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  return std::exchange(task_, std::nullopt);
}

std::optional<WorkerTask> Poller::fetch() {
  std::lock_guard lock(mutex_);
  return std::exchange(task_, std::nullopt);
}

}  // namespace millrace::engine
