// Runs a coroutine to its end on a strand of a real runtime, for tests: run(runtime, work()) returns or throws what it
// does.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/runtime.h"

namespace millrace::test {

template <class T>
asio::awaitable<void> store_result(asio::awaitable<T> work, std::optional<T>& out) {
  out.emplace(co_await std::move(work));
}
inline asio::awaitable<void> on_strand(asio::any_io_executor strand, asio::awaitable<void> work) {
  co_await asio::co_spawn(strand, std::move(work), asio::use_awaitable);
}

template <class T>
T run(RealRuntime& runtime, asio::awaitable<T> work) {
  auto strand = runtime.runtime().make_strand();
  if constexpr (std::is_void_v<T>) {
    runtime.run_until_done(on_strand(strand, std::move(work)));
  } else {
    std::optional<T> result;
    runtime.run_until_done(on_strand(strand, store_result(std::move(work), result)));
    return std::move(*result);
  }
}

}  // namespace millrace::test
