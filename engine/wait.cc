#include "engine/wait.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace millrace::engine {

asio::awaitable<bool> wait_until(Event& event, Runtime runtime, MonoTime until) {
  using namespace asio::experimental::awaitable_operators;
  if (event.is_set()) co_return true;
  auto either = event.wait() || runtime.sleep_until(until);
  co_await std::move(either);
  co_return event.is_set();
}

}  // namespace millrace::engine
