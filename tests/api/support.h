// A server on a free port of this process, and a client that writes bytes as they are.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_server.h"
#include "common/runtime.h"

namespace millrace::test {

// Runs a RealRuntime's pool on a thread of its own until it goes.
class BackgroundRuntime {
 public:
  BackgroundRuntime();
  ~BackgroundRuntime();
  Runtime runtime() const { return real_.runtime(); }
  // Runs a coroutine on the pool and waits for it; throws what it throws.
  void await(asio::awaitable<void> work);

 private:
  RealRuntime real_;
  std::unique_ptr<Thread> thread_;
};

struct RawAnswer {
  RawAnswer() = default;
  int status = 0;  // 0: none came
  std::map<std::string, std::string> headers;
  std::string body;
  std::string rest;  // bytes behind it
};

// A blocking socket on 127.0.0.1.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False: the server has closed its side.
  bool send(std::string_view bytes);
  // Waits for one whole answer (Content-Length or until close).
  RawAnswer receive();
  // Everything until the server closes.
  std::string receive_all();
  void close();
  // Sends a request with Host and Content-Length and waits for the answer.
  RawAnswer ask(const std::string& method, const std::string& target, const std::string& headers = "",
                const std::string& body = "");

 private:
  int fd_ = -1;
  std::uint16_t port_;
  std::string buffer_;
};

}  // namespace millrace::test
