// The coroutine type of all work outside workflow code. Headers include this and nothing more of Asio.
//
// Trap of g++ 12: inside an expression with co_await, temporaries that the compiler builds member by member are
// destroyed twice: brace-initialised aggregates, and closures that capture something with a destructor by value. So
//   co_await f([name] { ... });                    // double free of `name`, without a warning
//   auto work = [name] { ... }; co_await f(work);  // right; captures by reference or of plain values are right too
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace millrace {
namespace asio = boost::asio;
}  // namespace millrace
