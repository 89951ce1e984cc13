// A worker in another process that waits for a step of a queue.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/event.h"
#include "engine/queues/worker_task.h"

namespace millrace::engine {

// Thread-safe. waiting -> matched (a step is being started for it) -> handed, or back to waiting; or closed.
class Poller {
 public:
  Poller(std::string identity, std::vector<std::string> types)
      : identity_(std::move(identity)), types_(std::move(types)) {}

  const std::string& identity() const { return identity_; }
  const std::vector<std::string>& types() const { return types_; }  // empty: all

  // False if nobody is there any more: then the task is still the caller's.
  bool hand(WorkerTask task);
  // The step was not started after all. True if it waits again; false if its time is over.
  bool return_unused();
  // No more waiting: a match under way is still waited for, but not another one.
  void last_call();
  // Nobody is there any more; what was handed and not fetched.
  std::optional<WorkerTask> close();
  // What was handed; empty: nothing.
  std::optional<WorkerTask> fetch();
  // Set when there is something to fetch, or nothing more to wait for.
  Event ready;

 private:
  const std::string identity_;
  const std::vector<std::string> types_;
  std::mutex mutex_;
  bool last_call_ = false, closed_ = false;
  std::optional<WorkerTask> task_;
};
using PollerPtr = std::shared_ptr<Poller>;

}  // namespace millrace::engine
