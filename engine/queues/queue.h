// One task queue, under the lock of its Queues.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/metrics.h"
#include "engine/queues/gate.h"
#include "engine/queues/poller.h"
#include "engine/queues/waiting_line.h"

namespace millrace::engine {

struct QueueMetrics {
  explicit QueueMetrics(const std::string& queue);
  Gauge backlog, oldest, used, free;
  Histogram schedule_to_start;
};

struct Queue {
  std::string name;
  Limits limits;
  std::size_t running = 0;
  TokenBucket bucket;
  WaitingLine own, external;  // for this process, for workers
  std::list<PollerPtr> pollers;
  std::set<TaskOrder> order;  // all that wait, the oldest first
  TimerQueue::Id timer = 0;
  std::shared_ptr<QueueMetrics> metrics;

  bool is_unused() const {
    return running == 0 && own.waiting() == 0 && external.waiting() == 0 && pollers.empty() && timer == 0;
  }
};

}  // namespace millrace::engine
