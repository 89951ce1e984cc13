// Numbers of jobs, 1, 2, 3, ..., drawn from the store in blocks so that a start costs no write of its own. A restart
// skips what was left of a block.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "common/awaitable.h"
#include "state/store.h"

namespace millrace::resources {

// Thread-safe.
class JobNumbers {
 public:
  explicit JobNumbers(std::shared_ptr<state::Store> store) : store_(std::move(store)) {}
  asio::awaitable<std::int64_t> next();

  static constexpr std::int64_t kBlock = 10;

 private:
  std::shared_ptr<state::Store> store_;
  std::mutex mutex_;
  std::int64_t next_ = 0;  // guarded
  std::int64_t end_ = 0;   // guarded; exclusive
};

}  // namespace millrace::resources
