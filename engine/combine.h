// Waiting for several things at once: select, all, race. Over anything that is a Future: steps, timers, signals,
// children, messages. Deterministic, since futures are resolved in the order of the history's events: of two that end
// in one turn, the one whose event stands first wins, live and on replay.
//
//   const std::size_t first = co_await engine::select({step, timer});
//   std::vector<Payload> results = co_await engine::all(std::move(steps));
//
//   Context racers = ctx.scope();                       // the losers are cancelled with their scope
//   std::vector<Future> both = {racers.start_step(...), racers.timer(limit)};
//   engine::Race race = co_await engine::race(racers, std::move(both));
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/workflow.h"

namespace millrace::engine {

// Ends when one of the futures has: with the index of the first. Throws nothing; what the future ended with is asked of
// it. None at all: never ends.
class Select : public detail::EngineAwaitable {
 public:
  explicit Select(std::vector<Future> futures) : futures_(std::move(futures)) {}

  bool await_ready() const noexcept {
    return std::any_of(futures_.begin(), futures_.end(), [](const Future& f) { return f.is_ready(); });
  }
  void await_suspend(std::coroutine_handle<> h) {
    handle_ = h;
    for (const Future& f : futures_) f.pending()->waiters.push_back(h);
  }
  std::size_t await_resume() {
    // The others wake it no more.
    for (const Future& f : futures_) std::erase(f.pending()->waiters, handle_);
    const auto it = std::find_if(futures_.begin(), futures_.end(), [](const Future& f) { return f.is_ready(); });
    return static_cast<std::size_t>(it - futures_.begin());
  }

 private:
  std::vector<Future> futures_;
  std::coroutine_handle<> handle_;
};
inline Select select(std::vector<Future> futures) { return Select(std::move(futures)); }

// Ends when all have, with their values in order. The first that fails ends it with its failure; the others go on.
inline Workflow<std::vector<Payload>> all(std::vector<Future> futures) {
  std::vector<Future> open = futures;
  while (!open.empty()) {
    const std::size_t i = co_await select(open);
    if (open[i].has_failed()) co_await open[i];  // throws
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::vector<Payload> values;
  values.reserve(futures.size());
  for (Future& f : futures) values.push_back(co_await f);
  co_return values;
}

struct Race {
  Race(std::size_t i, Payload v) : index(i), value(std::move(v)) {}
  std::size_t index;
  Payload value;
};
// The first that ends wins, also with a failure (which is thrown); then `scope`, in which all were asked for, is
// cancelled.
inline Workflow<Race> race(Context scope, std::vector<Future> futures) {
  const std::size_t first = co_await select(futures);
  Future winner = futures[first];
  scope.cancel();
  co_return Race(first, co_await winner);
}

}  // namespace millrace::engine
