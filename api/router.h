// Routes: which handler answers which method and path, and what the OpenAPI document says about it.
//
// A pattern is a path whose segments are literals or `{name}` (any text) or `{name:int}`. Literals win over parameters.
// Filled before the server starts, then only read: find() is thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/message.h"
#include "common/awaitable.h"

namespace millrace::api {

// The request outlives the coroutine: the connection owns it and awaits the answer.
using Handler = std::function<asio::awaitable<Response>(Request&)>;

struct Parameter {
  Parameter(std::string n, std::string t, std::string d)
      : name(std::move(n)), type(std::move(t)), description(std::move(d)) {}
  std::string name;
  std::string type;  // string | integer | boolean
  std::string description;
};

struct Route {
  Route(std::string m, std::string p, std::string s)
      : method(std::move(m)), pattern(std::move(p)), summary(std::move(s)) {}
  std::string method;
  std::string pattern;
  std::string summary;
  std::string tag;
  std::vector<Parameter> query;
  std::string body_schema;      // name of a schema of the OpenAPI document; empty: takes no body
  std::string response_schema;  // the same; empty: none named
  int success = 200;
  Scope scope = Scope::admin;    // what a token must have; read routes are open to admin too
  bool open = false;             // needs no token
  bool metrics = false;          // open on loopback, else scope metrics
  bool own_idempotency = false;  // the handler itself makes the same key the same work
  bool ignores_unknown = false;  // unknown query parameters are let through (Airbyte's API)
  bool hidden = false;           // not in the OpenAPI document (aliases)
  Handler handler;
};

class Router {
 public:
  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  void add(Route route);

  struct Match {
    Match() = default;
    const Route* route = nullptr;  // null: no such path, or not this method
    std::string allow;             // methods of the path, when it exists: "GET, POST"
    std::map<std::string, std::string> path_values;
  };
  // HEAD finds GET.
  Match find(const std::string& method, const std::vector<std::string>& segments) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace millrace::api
