// The engine's timers in memory: one sleeper for all of them.
//
// What must survive a crash has a row in the store beside it (records/rows.h); here is what will be due in this
// process. Thread-safe. Callbacks run on the queue's strand, short; those due together run in the order of their times,
// then of their making.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "common/event.h"
#include "common/runtime.h"

namespace millrace::engine {

class TimerQueue {
 public:
  using Id = std::uint64_t;  // 0: none

  explicit TimerQueue(Runtime runtime) : runtime_(std::move(runtime)) {}

  // `due` runs at or after `when`, never before.
  Id add(MonoTime when, std::function<void()> due);
  Id add_at(WallTime when, std::function<void()> due);
  Id add_in(Duration delay, std::function<void()> due) { return add(runtime_.mono() + delay, std::move(due)); }
  // Nothing happens if it has run or does not exist. Sets `id` to 0.
  void cancel(Id& id);

  // Sleeps and calls until stop(). To be spawned once.
  asio::awaitable<void> run();
  void stop();

  std::size_t size() const;

 private:
  using Key = std::pair<MonoTime, Id>;
  Runtime runtime_;
  mutable std::mutex mutex_;
  Id next_id_ = 1;
  std::map<Key, std::function<void()>> timers_;
  std::unordered_map<Id, MonoTime> times_;
  MonoTime wakes_ = MonoTime::max();  // when the sleeper will look again
  bool stopped_ = false;
  Event earlier_;  // something is due before that
};

}  // namespace millrace::engine
