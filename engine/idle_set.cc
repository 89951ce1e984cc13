#include "engine/idle_set.h"

#include <vector>

#include "engine/running_execution.h"

namespace millrace::engine {

void IdleSet::add(const RunningPtr& execution, std::size_t bytes) {
  std::vector<RunningPtr> leave;
  {
    std::lock_guard lock(mutex_);
    if (const auto it = by_execution_.find(execution.get()); it != by_execution_.end()) {
      bytes_ -= it->second->bytes;
      entries_.erase(it->second);
      by_execution_.erase(it);
    }
    entries_.push_back({execution, execution.get(), bytes});
    by_execution_.emplace(execution.get(), std::prev(entries_.end()));
    bytes_ += bytes;
    while (bytes_ > bound_ && !entries_.empty()) {
      bytes_ -= entries_.front().bytes;
      by_execution_.erase(entries_.front().key);
      if (auto first = entries_.front().execution.lock()) leave.push_back(std::move(first));
      entries_.pop_front();
    }
  }
  for (const RunningPtr& one : leave) one->evict();
}

void IdleSet::remove(const RunningExecution* execution) {
  std::lock_guard lock(mutex_);
  const auto it = by_execution_.find(execution);
  if (it == by_execution_.end()) return;
  bytes_ -= it->second->bytes;
  entries_.erase(it->second);
  by_execution_.erase(it);
}

std::size_t IdleSet::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace millrace::engine
