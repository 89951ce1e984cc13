// One client's connection: bytes to requests, responses to bytes. Internal to HttpServer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>

#include "api/http_server.h"

namespace millrace::api {

// A byte stream that may be TLS. Used on its strand only.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual asio::awaitable<void> handshake() = 0;
  // 0: the peer has closed. Throws boost::system::system_error.
  virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) = 0;
  // Both buffers in one write, whole.
  virtual asio::awaitable<void> write(asio::const_buffer a, asio::const_buffer b) = 0;
  virtual asio::awaitable<void> shut_down_write() = 0;
  virtual void cancel() = 0;  // what waits throws operation_aborted
  virtual void close() = 0;
  virtual asio::any_io_executor executor() = 0;
  virtual bool peer_has_closed() = 0;  // looks without taking bytes
  virtual bool is_tls() const = 0;
  virtual std::string remote_address() const = 0;
  virtual std::string local_address() const = 0;
};

// What the server and its watchman see of a connection. Thread-safe.
struct ConnectionState {
  explicit ConnectionState(std::shared_ptr<Transport> t) : transport(std::move(t)) {}
  std::shared_ptr<Transport> transport;
  static constexpr std::int64_t kNever = INT64_MAX;
  std::atomic<std::int64_t> deadline_us{kNever};  // MonoTime; past it the watchman cancels what waits
  std::atomic<bool> timed_out{false};
  std::atomic<bool> idle{true};       // between two requests: may be closed at any time
  std::atomic<bool> handling{false};  // the handler runs: watch whether the client is still there
  std::function<void()> abandon;      // cancels the handler; on the strand only
};

struct ConnectionContext {
  ConnectionContext(Runtime r, std::shared_ptr<RequestHandler> h, HttpLimits l)
      : runtime(std::move(r)), handler(std::move(h)), limits(std::move(l)) {}
  Runtime runtime;
  std::shared_ptr<RequestHandler> handler;
  HttpLimits limits;
  std::atomic<bool> stopping{false};
};

// Serves until the client goes, a limit is passed or the server stops. Never throws.
asio::awaitable<void> serve_connection(std::shared_ptr<const ConnectionContext> context,
                                       std::shared_ptr<ConnectionState> state);

}  // namespace millrace::api
