// What bounds the steps that run at once: by queue, and by key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/time_point.h"

namespace millrace::engine {

// The queue of steps that name none.
inline constexpr const char* kDefaultQueue = "default";
inline constexpr std::size_t kDefaultConcurrency = 200;

struct Limits {
  static constexpr std::size_t kNoBound = static_cast<std::size_t>(-1);
  Limits() = default;
  explicit Limits(std::size_t n, double rate = 0) : concurrency(n), rate_per_second(rate) {}
  std::size_t concurrency = kNoBound;  // what runs at once; 0: nothing is taken
  double rate_per_second = 0;          // starts of attempts; 0: no bound. As many as a second's may start together
  friend bool operator==(const Limits&, const Limits&) = default;
};

// The bounds of a server. A queue that is not named here has `otherwise`.
struct QueueSettings {
  QueueSettings() = default;
  std::map<std::string, Limits> queues;
  // By limit key, or by "prefix*" (each key that begins so has its own count); the longest match holds.
  std::map<std::string, Limits> keys;
  Limits otherwise{kDefaultConcurrency};
};

inline constexpr std::uint32_t kHighestPriority = 1, kDefaultPriority = 3, kLowestPriority = 5;
inline constexpr double kLeastWeight = 0.001, kMostWeight = 1000;

// What a step asks of its queue.
struct QueueTask {
  QueueTask() = default;
  std::string queue = kDefaultQueue;
  std::string type;       // of the step
  bool external = false;  // taken by a worker that polls, not by this process
  std::uint32_t priority = kDefaultPriority;
  std::string fairness_key;
  double weight = 1;  // of its fairness key
  std::vector<std::string> limit_keys;
  WallTime since;  // first come, first served within a key
};

}  // namespace millrace::engine
