// What users see of the task queues.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/queues/limits.h"

namespace millrace::engine {

// Why a step waits, as users see it.
struct WaitingFor {
  WaitingFor() = default;
  std::string queue;
  std::string reason;  // queue_full | queue_rate | key_full | key_rate | no_worker | turn
  std::string detail;  // a sentence
  std::string limit_key;
  std::size_t position = 0;  // 1: the next of its queue
};

// A queue, as users see it.
struct QueueView {
  QueueView() = default;
  std::string name;
  Limits limits;
  std::size_t running = 0, waiting = 0, waiting_for_workers = 0, pollers = 0;
  std::optional<WallTime> oldest;  // since when the one that waits longest waits
  struct Key {
    std::string key;
    std::uint32_t priority = 0;
    double weight = 1;
    std::size_t waiting = 0;
  };
  std::vector<Key> fairness_keys;  // the longest lines first, 100 at most
  struct Limit {
    std::string key;
    Limits limits;
    std::size_t running = 0, waiting = 0;
  };
  std::vector<Limit> limit_keys;  // in use, of all queues; 100 at most
};

}  // namespace millrace::engine
