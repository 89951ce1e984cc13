// Waiting for something that another coroutine or thread does.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "common/awaitable.h"

namespace millrace {

// A flag that coroutines wait for. Thread-safe; any number of waiters; each is resumed on its own executor, never
// inside set(). A wait can be cancelled (throws, see is_cancelled) and then leaves nothing behind. The Event may be
// destroyed while nobody waits.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Returns when the flag is set; at once if it is.
  asio::awaitable<void> wait();
  // Sets the flag and wakes all waiters. Stays set until reset().
  void set();
  void reset();
  // Wakes those who wait now, without setting the flag: for "something changed, look again" under the waiter's own
  // lock.
  void pulse();
  bool is_set() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace millrace
