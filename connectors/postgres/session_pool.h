// Sessions of one server, kept for reuse between splits, all with the same pinned settings.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

using SessionPtr = std::unique_ptr<net::PostgresSession>;

// Thread-safe: sessions may be taken and given back on any strand; each is used by one coroutine at a time.
class SessionPool {
 public:
  SessionPool(Runtime runtime, net::PostgresParameters parameters, std::string setup_sql);

  // An idle session, or a new one on which the setup ran. A session that is not given back is simply closed.
  asio::awaitable<SessionPtr> take();
  // Must be outside a transaction. A session that is not usable is closed.
  void give_back(SessionPtr session);
  void close();

  static constexpr std::size_t kMaxIdle = 8;

 private:
  Runtime runtime_;
  net::PostgresParameters parameters_;
  std::string setup_sql_;
  std::mutex mutex_;
  std::vector<SessionPtr> idle_;
  bool closed_ = false;
};

// Settings that decide how values look or how long things wait, pinned so that a server's own can't change a result.
std::string pinned_settings();

}  // namespace millrace::connectors::postgres
