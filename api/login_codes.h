// One-time codes that open a session of the web UI: behind the # of the link in the server's banner.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/runtime.h"

namespace millrace::api {

// Thread-safe. Codes live in memory only: those of a process end with it.
class LoginCodes {
 public:
  static constexpr Duration kLifetime = std::chrono::hours(24);
  static constexpr std::size_t kMost = 1'000;  // codes that wait at once; the oldest goes first

  explicit LoginCodes(Runtime runtime) : runtime_(std::move(runtime)) {}

  // A code that opens a session with the rights of that token.
  std::string make(std::string token_id);
  // The token's id, once; empty: unknown, used or too old.
  std::optional<std::string> take(const std::string& code);

 private:
  struct Waiting {
    std::string token_id;
    MonoTime made;
  };
  void forget_old();

  Runtime runtime_;
  std::mutex mutex_;
  std::map<std::string, Waiting> by_hash_;
};

}  // namespace millrace::api
