// Slots: how many steps run at once. A step takes one before its start is written and gives it back when its code has
// ended, which may be later than its outcome is known.
//
// First come, first served. The place for named queues, limits by key and fairness. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace millrace::engine {

class Slots {
 public:
  explicit Slots(std::size_t count) : free_(count) {}

  // False when none is free or others wait.
  bool try_take();
  // `granted` is called once, with a slot taken for it: at once if one is free. It may be called on any thread.
  void wait(std::function<void()> granted);
  void give_back();
  std::size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::size_t free_;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace millrace::engine
