// Idempotency-Key: the same key, the same answer.
//
// A successful answer to a POST that carried the header is kept in the store (keys::dedupe, scope "http") for 30 days.
// The same key with the same request gets it again; with another request it is refused. While the first is still being
// worked on, a second one waits for it. Creating resources and starting jobs and workflows hand the key on as their own
// request id, so that a crash between the effect and this record doubles nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/message.h"
#include "common/event.h"
#include "common/runtime.h"
#include "state/store.h"

namespace millrace::api {

inline constexpr std::size_t kMaxIdempotencyKey = 255;  // bytes
inline constexpr Duration kIdempotencyRetention = std::chrono::hours(24 * 30);

// Thread-safe.
class Idempotency {
 public:
  Idempotency(Runtime runtime, std::shared_ptr<state::Store> store);

  // Answers from the record, or by `work` and keeps what it answered. Throws idempotency.mismatch.
  asio::awaitable<Response> run(std::string key, Request& request,
                                const std::function<asio::awaitable<Response>(Request&)>& work);
  // Erases records past their retention. Called at the start and daily.
  asio::awaitable<void> sweep();

 private:
  asio::awaitable<std::optional<Response>> find(std::string key, std::string fingerprint);
  asio::awaitable<void> keep(std::string key, std::string fingerprint, const Response& response);

  Runtime runtime_;
  std::shared_ptr<state::Store> store_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Event>> in_progress_;
};

}  // namespace millrace::api
