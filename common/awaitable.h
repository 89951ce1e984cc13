// The coroutine type of all work outside workflow code. Headers include this and nothing more of Asio.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace millrace {
namespace asio = boost::asio;
}  // namespace millrace
