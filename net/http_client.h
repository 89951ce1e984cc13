// An HTTP client without blocking (curl multi driven by Asio). One HttpClient serves any number of requests at once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace::net {

struct HttpRequest {
  HttpRequest() = default;
  std::string method = "GET";
  std::string url;
  std::map<std::string, std::string> headers;
  std::string body;
  Duration timeout = std::chrono::seconds(60);  // of the whole exchange; zero: none (for following)
  // Called with each piece of the body as it arrives, instead of collecting it: for event streams.
  std::function<void(std::string_view)> on_body;
  std::string ca_file;  // own CA for TLS
  bool insecure = false;
};
struct HttpResponse {
  HttpResponse() = default;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Throws Error: http.unreachable, http.timed_out, http.tls_failed. A status is never an exception.
class HttpClient {
 public:
  explicit HttpClient(Runtime runtime);
  ~HttpClient();
  asio::awaitable<HttpResponse> send(HttpRequest request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::net
