#include "engine/core.h"

namespace millrace::engine {

bool OpenExecutions::insert(const std::string& run_id, const RunningPtr& execution) {
  std::lock_guard lock(mutex_);
  return executions_.emplace(run_id, execution).second;
}
void OpenExecutions::erase(const std::string& run_id, const RunningExecution* execution) {
  RunningPtr dropped;
  std::lock_guard lock(mutex_);
  if (const auto it = executions_.find(run_id); it != executions_.end() && it->second.get() == execution) {
    dropped = std::move(it->second);
    executions_.erase(it);
  }
}
RunningPtr OpenExecutions::find(const std::string& run_id) const {
  std::lock_guard lock(mutex_);
  const auto it = executions_.find(run_id);
  return it == executions_.end() ? nullptr : it->second;
}
std::vector<RunningPtr> OpenExecutions::all() const {
  std::vector<RunningPtr> all;
  std::lock_guard lock(mutex_);
  for (const auto& [_, e] : executions_) all.push_back(e);
  return all;
}
std::size_t OpenExecutions::size() const {
  std::lock_guard lock(mutex_);
  return executions_.size();
}
void OpenExecutions::clear() {
  std::unordered_map<std::string, RunningPtr> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(executions_);
}

void Busy::enter() { ++count_; }
void Busy::leave() {
  if (--count_ == 0) idle_.set();
}
asio::awaitable<void> Busy::wait_idle() {
  // The flag is reset before the look: what leaves in between sets it again.
  for (;;) {
    idle_.reset();
    if (count_ == 0) co_return;
    co_await idle_.wait();
  }
}

}  // namespace millrace::engine
