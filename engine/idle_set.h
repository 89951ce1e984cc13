// Executions in memory that only wait, the longest idle first. Above a bound in bytes the first are told to leave
// memory; they come back by replay when something comes for them.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace millrace::engine {

class RunningExecution;

// Thread-safe.
class IdleSet {
 public:
  explicit IdleSet(std::size_t bound) : bound_(bound) {}
  // It waits since now and holds about so many bytes.
  void add(const std::shared_ptr<RunningExecution>& execution, std::size_t bytes);
  void remove(const RunningExecution* execution);
  std::size_t bytes() const;

 private:
  struct Entry {
    std::weak_ptr<RunningExecution> execution;
    const RunningExecution* key;
    std::size_t bytes;
  };
  const std::size_t bound_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<const RunningExecution*, std::list<Entry>::iterator> by_execution_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::engine
