// The HTTP server: sockets, limits, time-outs, TLS, stop. What a request means is the Handler's business.
//
// One connection is one coroutine on one strand; requests of a connection are answered one after the other. No timer is
// made for a request: each connection publishes the moment at which it must have got on, and one watchman looks at all
// of them (a quarter of the least time-out apart, and only while there are connections).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/message.h"
#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace::api {

struct HttpLimits {
  HttpLimits() = default;
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 16 << 20;
  std::size_t connections = 2'048;      // beyond it: 503 and closed
  std::size_t linger_bytes = 16 << 20;  // of a refused body, read and dropped so that the client sees the answer
  Duration header_time = std::chrono::seconds(10);     // from the first byte to the end of the header
  Duration body_progress = std::chrono::seconds(30);   // without a byte of the body
  Duration write_progress = std::chrono::seconds(30);  // without the client taking the answer
  Duration idle_time = std::chrono::seconds(75);       // between two requests
  Duration linger_time = std::chrono::seconds(2);
};

// Calls come from many strands at once.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Looks at method, target and headers before the body is read: an answer here refuses the request. May fill in path,
  // path_values and caller. Never throws.
  virtual std::optional<Response> admit(Request& request) = 0;
  // Never throws but when cancelled.
  virtual asio::awaitable<Response> handle(Request& request) = 0;
  // A request that was not understood (bad HTTP, too large, too slow): the answer for `code`.
  virtual Response refuse(std::string_view code, std::string detail) = 0;
  // An answer went out.
  virtual void answered(const Request& request, int status, Duration took) = 0;
};

struct ListenOptions {
  ListenOptions() = default;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;                // 0: a free one
  std::string tls_cert_file, tls_key_file;  // PEM; both or none
};

class HttpServer {
 public:
  HttpServer(Runtime runtime, std::shared_ptr<RequestHandler> handler, HttpLimits limits);
  ~HttpServer();

  // Binds and accepts. Throws server.address_in_use, server.listen_failed, server.tls_unusable. The port it got.
  std::uint16_t start(ListenOptions options);
  // Accepts no more; idle connections are closed at once, running requests are awaited up to `grace`, then cancelled.
  asio::awaitable<void> stop(Duration grace);
  std::size_t connections() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// "host:port", "[v6]:port" or ":port". Throws server.listen_failed.
ListenOptions parse_listen(const std::string& text);
bool is_loopback_address(const std::string& address);

}  // namespace millrace::api
