#include "engine/slots.h"

namespace millrace::engine {

bool Slots::try_take() {
  std::lock_guard lock(mutex_);
  if (free_ == 0 || !waiting_.empty()) return false;
  --free_;
  return true;
}

void Slots::wait(std::function<void()> granted) {
  {
    std::lock_guard lock(mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(granted));
      return;
    }
    --free_;
  }
  granted();
}

void Slots::give_back() {
  std::function<void()> next;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next();
}

std::size_t Slots::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace millrace::engine
