// One HTTP request and its answer, as handlers see them: what the wire looks like stays in connection.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/awaitable.h"
#include "common/time_point.h"

namespace millrace::api {

struct Route;

// A client that wants to follow something. Events are written as they come; one that goes is told by an exception.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // One server-sent event (WHATWG HTML, 9.2): `data` is one line of JSON. Throws when the client has gone.
  virtual asio::awaitable<void> send(std::string event, std::string id, std::string data) = 0;
  // A comment line, so that a client that has gone is noticed and proxies keep the connection.
  virtual asio::awaitable<void> keep_alive() = 0;
  // The server stops: end the stream soon.
  virtual bool stopping() const = 0;
};

struct Response {
  Response() = default;
  explicit Response(int s) : status(s) {}
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool close = false;                                       // end the connection behind it
  std::function<asio::awaitable<void>(EventSink&)> stream;  // instead of a body: server-sent events
};

enum class Scope : std::uint8_t { admin, read, metrics, worker };
std::string_view to_string(Scope scope);

// Who asks. The name stands in revisions and logs.
struct Caller {
  Caller() = default;
  std::string name = "anonymous";
  Scope scope = Scope::metrics;
  bool authenticated = false;
  std::string token_id;    // of the token that was presented; empty: none
  bool by_cookie = false;  // a session of the web UI
};

struct Request {
  Request() = default;
  std::string method;                 // upper case as sent
  std::string target;                 // as sent
  std::string path;                   // without query, one trailing slash removed
  std::vector<std::string> segments;  // of the path, percent-decoded
  std::vector<std::pair<std::string, std::string>> query;
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined by ", "
  std::string body;
  std::string remote_address;
  std::string local_address;
  bool tls = false;
  std::map<std::string, std::string> path_values;  // {id} -> value
  Caller caller;
  const Route* route = nullptr;  // null until it is found

  const std::string* header(const std::string& lower_name) const;
  std::optional<std::string> query_value(std::string_view name) const;  // the first one
};

// Splits a request target into path, segments and query. Throws Error: request.malformed (bad percent sign, not a
// path), request.not_found (empty, "." and ".." segments: no path of ours has them).
void parse_target(Request& request);
std::string percent_encode(std::string_view text);
// application/x-www-form-urlencoded
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);

}  // namespace millrace::api
