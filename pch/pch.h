// What most files need, compiled once for each room. Nothing may rely on it: every file includes what it uses.
#ifndef MILLRACE_PCH_H_  // not #pragma once: g++ refuses it in a file that it precompiles
#define MILLRACE_PCH_H_
#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
#endif
