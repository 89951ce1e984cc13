// Each waiter is a small shared object that is completed exactly once: by set(), by pulse() or by cancellation. The
// cancellation slot is assigned before the waiter becomes visible to other threads, since a waiter that another thread
// completes may already run on while this one would still touch the slot.
#include "common/event.h"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace millrace {
namespace {

using Handler = asio::any_completion_handler<void(boost::system::error_code)>;

struct Waiter {
  Waiter(Handler h, asio::any_io_executor ex) : handler(std::move(h)), executor(std::move(ex)), work(executor) {}
  void complete(boost::system::error_code ec) {
    if (done.exchange(true)) return;
    auto ex = executor;
    asio::post(ex, asio::append(std::move(handler), ec));
    work.reset();
  }
  Handler handler;
  asio::any_io_executor executor;
  asio::executor_work_guard<asio::any_io_executor> work;
  std::atomic<bool> done{false};
};

}  // namespace

struct Event::State {
  std::mutex mutex;
  bool set = false;
  std::list<std::shared_ptr<Waiter>> waiters;

  void add(Handler handler, asio::any_io_executor executor, const std::shared_ptr<State>& self) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto waiter = std::make_shared<Waiter>(std::move(handler), std::move(executor));
    if (slot.is_connected()) {
      slot.assign(
          [weak = std::weak_ptr<State>(self), weak_waiter = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
            auto state = weak.lock();
            auto w = weak_waiter.lock();
            if (!state || !w) return;
            {
              std::lock_guard lock(state->mutex);
              state->waiters.remove(w);
            }
            w->complete(asio::error::operation_aborted);
          });
    }
    {
      std::lock_guard lock(mutex);
      if (!set) {
        waiters.push_back(std::move(waiter));
        return;
      }
    }
    waiter->complete({});
  }

  void wake(bool and_set) {
    std::list<std::shared_ptr<Waiter>> woken;
    {
      std::lock_guard lock(mutex);
      set = set || and_set;
      woken.swap(waiters);
    }
    for (auto& w : woken) w->complete({});
  }
};

Event::Event() : state_(std::make_shared<State>()) {}
Event::~Event() = default;

asio::awaitable<void> Event::wait() {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->set) co_return;
  }
  // The frame does not keep the state alive, since the state keeps the frame (through the waiter's handler): a wait
  // that is never completed goes away with its Event. A name, not a temporary: g++ 12 destroys a closure with captures
  // twice when it is made inside a co_await expression.
  auto initiation = [weak = std::weak_ptr<State>(state_)](auto handler) {
    auto state = weak.lock();
    asio::any_io_executor executor = asio::get_associated_executor(handler);
    state->add(Handler(std::move(handler)), std::move(executor), state);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(initiation,
                                                                                                asio::use_awaitable);
}

// Each keeps the state for itself: a waiter may destroy the Event as soon as it is woken.
void Event::set() {
  const auto state = state_;
  state->wake(true);
}
void Event::pulse() {
  const auto state = state_;
  state->wake(false);
}
void Event::reset() {
  std::lock_guard lock(state_->mutex);
  state_->set = false;
}
bool Event::is_set() const {
  std::lock_guard lock(state_->mutex);
  return state_->set;
}

}  // namespace millrace
