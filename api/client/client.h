// A thin typed client of the HTTP interface, for the command line. Every failure is a Problem or an Error of net/.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "net/http_client.h"

namespace millrace::api::client {

// What the server refused, in its own words.
class Problem : public std::exception {
 public:
  Problem(int s, std::string c, std::string t, std::string d, std::string r)
      : status(s), code(std::move(c)), title(std::move(t)), detail(std::move(d)), remedy(std::move(r)) {
    what_ = title + ": " + detail;
  }
  const char* what() const noexcept override { return what_.c_str(); }

  int status;
  std::string code, title, detail, remedy;
  std::vector<std::pair<std::string, std::string>> faults;  // JSON pointer, what

 private:
  std::string what_;
};

struct Options {
  Options() = default;
  std::string server = "http://127.0.0.1:8000";
  std::string token;
  std::string ca_file;
  bool insecure = false;
  Duration timeout = std::chrono::seconds(120);  // of one request
};

class Client {
 public:
  Client(Runtime runtime, Options options);
  ~Client();

  const std::string& server() const { return options_.server; }

  // Throw Problem for any status of 400 and above. An empty answer is null.
  asio::awaitable<nlohmann::ordered_json> get(std::string path);
  asio::awaitable<std::string> get_text(std::string path);
  asio::awaitable<nlohmann::ordered_json> post(std::string path, std::string body, std::string idempotency_key = {});
  asio::awaitable<nlohmann::ordered_json> put(std::string path, std::string body);
  asio::awaitable<nlohmann::ordered_json> patch(std::string path, std::string body);
  asio::awaitable<nlohmann::ordered_json> remove(std::string path);
  // All items of a list, page by page.
  asio::awaitable<std::vector<nlohmann::ordered_json>> all(std::string path);
  // A resource by name, else by id. `kind` in the plural: "sources". Throws Problem 404.
  asio::awaitable<nlohmann::ordered_json> find(std::string kind, std::string name_or_id);
  // Server-sent events until the stream ends; `on_event` gets event name and data.
  asio::awaitable<void> follow(std::string path,
                               std::function<void(const std::string& event, const std::string& data)> on_event);

 private:
  asio::awaitable<net::HttpResponse> send(std::string method, std::string path, std::string body,
                                          std::string idempotency_key);

  net::HttpClient http_;
  Options options_;
};

std::string url_encode(std::string_view text);

}  // namespace millrace::api::client
