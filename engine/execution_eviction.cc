// How an execution that only waits leaves memory and comes back.
//
// What is left is this object, its run id and record, and one timer for the first thing that will be due: its code, its
// history and its own timers are dropped. Whatever comes for it afterwards, a signal, a query, the end of a child or
// that timer, is an input as always; it waits while the execution is replayed from the store, as after a restart.
#include <boost/asio/dispatch.hpp>

#include "engine/running_execution.h"

namespace millrace::engine {
namespace {

constexpr std::size_t kBaseBytes = 6 << 10;  // an execution with next to no history, measured
constexpr Duration kWakeAhead =
    std::chrono::seconds(2);  // replayed so long before something is due, so that it isn't late
constexpr Duration kTooSoon = std::chrono::seconds(10);  // what is due so soon stays

}  // namespace

bool RunningExecution::only_waits() const {
  if (!ready_ || pumping_ || !inputs_.empty() || dead_ || !is_open() || is_paused() || is_blocked() || !replayer_)
    return false;
  if (!steps_.pending().empty() || !locals_.is_empty()) return false;
  for (const auto& [_, update] : updates_)
    if (!update.waiting.empty()) return false;
  const auto due = timers_.next_due();
  return !due || *due > core_->runtime.now() + kTooSoon;
}

void RunningExecution::rest() {
  if (core_->stopped || core_->draining || !only_waits()) return;
  idle_listed_ = true;
  core_->idle.add(shared_from_this(), kBaseBytes + record_.history_bytes);
}

void RunningExecution::stir() {
  if (std::exchange(idle_listed_, false)) core_->idle.remove(this);
  if (unloaded_ && !std::exchange(hurried_, true)) core_->loader.ask(core_, shared_from_this(), true);
}

void RunningExecution::evict() {
  asio::dispatch(strand_, [self = shared_from_this()] { self->leave_memory(); });
}

void RunningExecution::leave_memory() {
  idle_listed_ = false;
  if (core_->stopped || core_->draining || !only_waits()) return;
  const auto due = timers_.next_due();
  ready_ = false;
  unloaded_ = true;
  hurried_ = false;
  replayer_.reset();
  steps_.forget_all();
  timers_.abandon();
  links_.forget_all();
  updates_ = {};
  request_ids_ = {};
  if (due)
    wake_timer_ = core_->timers.add_at(*due - kWakeAhead, [weak = weak_from_this()] {
      if (const auto e = weak.lock()) e->submit([](Transaction&) {});
    });
  core_->metrics.evicted(1);
}

}  // namespace millrace::engine
