// Keeps connections with `scheduleType: continuous` running.
//
// Every few seconds: an active one without a job gets a sync, which runs until something ends it. A failed one is begun
// again after a pause. One that a person cancelled stays so until the connection is changed or a person starts it. One
// that was changed or made inactive is cancelled, and begun again with the new revision.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/runtime.h"
#include "common/task_group.h"
#include "resources/resources.h"
#include "workflows/jobs.h"

namespace millrace::workflows {

class ContinuousKeeper {
 public:
  ContinuousKeeper(Runtime runtime, std::shared_ptr<resources::Resources> resources, std::shared_ptr<Jobs> jobs);
  void start();
  asio::awaitable<void> stop();

  static constexpr Duration kEvery = std::chrono::seconds(2);
  static constexpr Duration kAfterFailure = std::chrono::minutes(1);

 private:
  asio::awaitable<void> watch();
  asio::awaitable<void> look();
  asio::awaitable<void> look_at(resources::Resource connection);

  Runtime runtime_;
  std::shared_ptr<resources::Resources> resources_;
  std::shared_ptr<Jobs> jobs_;
  std::map<std::string, MonoTime> not_before_;  // of connections whose last job failed
  TaskGroup tasks_;
};

}  // namespace millrace::workflows
