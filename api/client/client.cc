#include "api/client/client.h"

#include <nlohmann/json.hpp>

namespace millrace::api::client {

using Json = nlohmann::ordered_json;

namespace {

[[noreturn]] void throw_problem(const net::HttpResponse& response, const std::string& what) {
  const Json body = Json::parse(response.body, nullptr, false);
  if (!body.is_object() || !body.contains("code")) {
    throw Problem(response.status, "", "the server answered " + std::to_string(response.status), what,
                  "Check that --server is a Millrace server.");
  }
  const auto text = [&body](const char* name) {
    const auto it = body.find(name);
    return it != body.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Problem problem(response.status, text("code"), text("title"), text("detail"), text("remedy"));
  if (const auto errors = body.find("errors"); errors != body.end() && errors->is_array()) {
    for (const Json& e : *errors) problem.faults.emplace_back(e.value("pointer", ""), e.value("detail", ""));
  }
  throw problem;
}

Json parse_answer(const net::HttpResponse& response) {
  if (response.body.empty()) return Json();
  return Json::parse(response.body);
}

}  // namespace

std::string url_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

Client::Client(Runtime runtime, Options options) : http_(std::move(runtime)), options_(std::move(options)) {
  while (!options_.server.empty() && options_.server.back() == '/') options_.server.pop_back();
  if (options_.server.find("://") == std::string::npos) options_.server = "http://" + options_.server;
}
Client::~Client() = default;

asio::awaitable<net::HttpResponse> Client::send(std::string method, std::string path, std::string body,
                                                std::string idempotency_key) {
  net::HttpRequest request;
  request.method = method;
  request.url = options_.server + path;
  request.body = std::move(body);
  request.timeout = options_.timeout;
  request.ca_file = options_.ca_file;
  request.insecure = options_.insecure;
  if (!options_.token.empty()) request.headers["Authorization"] = "Bearer " + options_.token;
  if (!request.body.empty()) request.headers["Content-Type"] = "application/json";
  if (!idempotency_key.empty()) request.headers["Idempotency-Key"] = idempotency_key;
  request.headers["Accept"] = "application/json";
  net::HttpResponse response = co_await http_.send(std::move(request));
  if (response.status >= 400) throw_problem(response, method + " " + path);
  co_return response;
}

asio::awaitable<Json> Client::get(std::string path) {
  const net::HttpResponse response = co_await send("GET", std::move(path), "", "");
  co_return parse_answer(response);
}
asio::awaitable<std::string> Client::get_text(std::string path) {
  net::HttpResponse response = co_await send("GET", std::move(path), "", "");
  co_return std::move(response.body);
}
asio::awaitable<Json> Client::post(std::string path, std::string body, std::string idempotency_key) {
  const net::HttpResponse response =
      co_await send("POST", std::move(path), std::move(body), std::move(idempotency_key));
  co_return parse_answer(response);
}
asio::awaitable<Json> Client::put(std::string path, std::string body) {
  const net::HttpResponse response = co_await send("PUT", std::move(path), std::move(body), "");
  co_return parse_answer(response);
}
asio::awaitable<Json> Client::patch(std::string path, std::string body) {
  const net::HttpResponse response = co_await send("PATCH", std::move(path), std::move(body), "");
  co_return parse_answer(response);
}
asio::awaitable<Json> Client::remove(std::string path) {
  const net::HttpResponse response = co_await send("DELETE", std::move(path), "", "");
  co_return parse_answer(response);
}

asio::awaitable<std::vector<Json>> Client::all(std::string path) {
  std::vector<Json> items;
  const std::string base = path + (path.find('?') == std::string::npos ? "?" : "&") + "limit=1000";
  std::string next = base;
  while (!next.empty()) {
    Json page = co_await get(next);
    for (Json& item : page.at("data")) items.push_back(std::move(item));
    const Json& token = page["next"];
    next.clear();
    if (token.is_string() && !token.get_ref<const std::string&>().empty())
      next = base + "&next=" + url_encode(token.get<std::string>());
    if (token.is_number()) next = base + "&next=" + std::to_string(token.get<std::int64_t>());
  }
  co_return items;
}

asio::awaitable<Json> Client::find(std::string kind, std::string name_or_id) {
  Json page = co_await get("/v1/" + kind + "?name=" + url_encode(name_or_id));
  if (!page.at("data").empty()) co_return std::move(page["data"][0]);
  if (name_or_id.size() == 36 && name_or_id.find('-') == 8) {
    co_return co_await get("/v1/" + kind + "/" + url_encode(name_or_id));
  }
  kind.pop_back();
  throw Problem(404, "resource.not_found", "no such " + kind, "there is no " + kind + " named '" + name_or_id + "'",
                "List what there is with millrace get " + kind + "s.");
}

asio::awaitable<void> Client::follow(std::string path,
                                     std::function<void(const std::string&, const std::string&)> on_event) {
  net::HttpRequest request;
  request.url = options_.server + path;
  request.timeout = Duration(0);
  request.ca_file = options_.ca_file;
  request.insecure = options_.insecure;
  request.headers["Accept"] = "text/event-stream";
  if (!options_.token.empty()) request.headers["Authorization"] = "Bearer " + options_.token;
  // Shared: a cancelled request may still be taking its last piece.
  struct Buffer {
    std::string text, event;
  };
  const auto buffer = std::make_shared<Buffer>();
  request.on_body = [buffer, on_event](std::string_view piece) {
    buffer->text += piece;
    for (auto end = buffer->text.find('\n'); end != std::string::npos; end = buffer->text.find('\n')) {
      const std::string line = buffer->text.substr(0, end);
      buffer->text.erase(0, end + 1);
      if (line.starts_with("event: ")) buffer->event = line.substr(7);
      if (line.starts_with("data: ")) on_event(buffer->event, line.substr(6));
    }
  };
  net::HttpResponse response = co_await http_.send(std::move(request));
  if (response.status >= 400) {
    response.body = buffer->text;
    throw_problem(response, "GET " + path);
  }
}

}  // namespace millrace::api::client
