// The replication slots of all sources that follow a log, as GET /v1/slots shows them; and the watch over them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "common/task_group.h"
#include "connectors/change.h"
#include "resources/resources.h"

namespace millrace::workflows {

// Each source is asked now; one that does not answer is told with its error. JSON objects, by the sources' names.
asio::awaitable<std::vector<nlohmann::json>> slots(Runtime runtime, std::shared_ptr<resources::Resources> resources);

// millrace_cdc_slot_*: what an alarm needs.
void set_slot_metrics(const connectors::FeedStatus& status);

// Asks for the slots twice a minute, so that their metrics are true also while no job runs. start() once; stop() before
// it goes.
class SlotWatch {
 public:
  SlotWatch(Runtime runtime, std::shared_ptr<resources::Resources> resources);
  void start();
  asio::awaitable<void> stop();

  static constexpr Duration kEvery = std::chrono::seconds(30);

 private:
  asio::awaitable<void> watch();

  Runtime runtime_;
  std::shared_ptr<resources::Resources> resources_;
  TaskGroup tasks_;
};

}  // namespace millrace::workflows
