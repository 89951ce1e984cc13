#include "engine/timer_queue.h"

#include "common/errors.h"
#include "engine/wait.h"

namespace millrace::engine {

TimerQueue::Id TimerQueue::add(MonoTime when, std::function<void()> due) {
  bool wake = false;
  Id id = 0;
  {
    std::lock_guard lock(mutex_);
    id = next_id_++;
    timers_.emplace(Key(when, id), std::move(due));
    times_.emplace(id, when);
    wake = when < wakes_;
    if (wake) wakes_ = when;
  }
  if (wake) earlier_.set();
  return id;
}

TimerQueue::Id TimerQueue::add_at(WallTime when, std::function<void()> due) {
  // A microsecond more: the two clocks are read one after the other.
  return add_in(std::max(Duration(0), when - runtime_.now()) + Duration(1), std::move(due));
}

void TimerQueue::cancel(Id& id) {
  if (id == 0) return;
  std::function<void()> dropped;  // destroyed outside the lock: it may own much
  std::lock_guard lock(mutex_);
  const auto it = times_.find(std::exchange(id, 0));
  if (it == times_.end()) return;
  const auto timer = timers_.find(Key(it->second, it->first));
  dropped = std::move(timer->second);
  timers_.erase(timer);
  times_.erase(it);
}

asio::awaitable<void> TimerQueue::run() {
  for (;;) {
    std::vector<std::function<void()>> due;
    MonoTime next = MonoTime::max();
    {
      std::lock_guard lock(mutex_);
      if (stopped_) co_return;
      earlier_.reset();
      const MonoTime now = runtime_.mono();
      while (!timers_.empty() && timers_.begin()->first.first <= now) {
        due.push_back(std::move(timers_.begin()->second));
        times_.erase(timers_.begin()->first.second);
        timers_.erase(timers_.begin());
      }
      if (due.empty() && !timers_.empty()) next = timers_.begin()->first.first;
      wakes_ = due.empty() ? next : MonoTime::min();
    }
    for (auto& f : due) f();
    if (!due.empty()) continue;
    if (next == MonoTime::max())
      co_await earlier_.wait();
    else
      co_await wait_until(earlier_, runtime_, next);
  }
}

void TimerQueue::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    wakes_ = MonoTime::min();
  }
  earlier_.set();
}

std::size_t TimerQueue::size() const {
  std::lock_guard lock(mutex_);
  return timers_.size();
}

}  // namespace millrace::engine
