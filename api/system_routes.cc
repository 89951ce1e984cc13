// For machines: health, version, metrics, and the exchange of a token for an access token.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"
#include "common/metrics.h"

namespace millrace::api {
namespace {

Response plain(std::string text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

// RFC 6749, 4.4: client credentials. The secret is a token; the client id is any. Form or JSON, as clients send it.
Response exchange_token(const Tokens& tokens, const Request& request) {
  std::string secret, grant;
  const std::string* type = request.header("content-type");
  const bool json = (type != nullptr && type->find("json") != std::string::npos) ||
                    request.body.find_first_not_of(" \t\r\n") == request.body.find('{');
  if (json) {
    const nlohmann::json body = parse_json_body(request.body);
    FieldReader fields(body, "", false);
    secret = fields.text("client_secret");
    for (const char* other : {"client_id", "grant_type", "grant-type", "scope"}) fields.ignore(other);
    fields.finish();
  } else {
    for (const auto& [name, value] : parse_form(request.body)) {
      if (name == "client_secret") secret = value;
    }
  }
  if (secret.empty()) {  // RFC 6749, 2.3.1: or in the Basic header
    if (const std::string* header = request.header("authorization"); header != nullptr && header->size() > 6) {
      const std::string pair = base64_decode(std::string_view(*header).substr(6));
      const auto colon = pair.find(':');
      if (colon != std::string::npos) secret = pair.substr(colon + 1);
    }
  }
  if (secret.empty()) throw Error("auth.required", "client_secret is missing");
  const auto access = tokens.issue_access_token(secret);
  if (!access) throw Error("auth.token_invalid", "client_secret is no token of this server");
  return json_response(200, JsonObject()
                                .text("access_token", *access)
                                .text("token_type", "bearer")
                                .number("expires_in", Tokens::kAccessTokenSeconds)
                                .take());
}

Route open_route(std::string method, std::string path, std::string summary) {
  Route route(std::move(method), std::move(path), std::move(summary));
  route.tag = "Machines";
  route.open = true;
  return route;
}

}  // namespace

void add_system_routes(Router& router, const Services& services, std::function<Response(const Request&)> readiness) {
  Route livez = open_route("GET", "/livez", "The process lives");
  livez.handler = [](Request&) -> asio::awaitable<Response> { co_return plain("ok\n"); };
  router.add(std::move(livez));

  Route readyz = open_route("GET", "/readyz", "The server takes work: 200, else 503 with the reason");
  readyz.query.emplace_back("verbose", "boolean", "one line a check");
  readyz.handler = [readiness](Request& request) -> asio::awaitable<Response> { co_return readiness(request); };
  router.add(std::move(readyz));

  for (const char* path : {"/health", "/v1/health", "/api/v1/health", "/api/public/v1/health"}) {
    Route health = open_route("GET", path, "Health, as Airbyte's clients ask for it");
    health.hidden = true;
    health.ignores_unknown = true;
    health.handler = [](Request&) -> asio::awaitable<Response> {
      co_return json_response(200, R"({"available":true})");
    };
    router.add(std::move(health));
  }

  Route version = open_route("GET", "/version", "Name and version");
  version.handler = [](Request&) -> asio::awaitable<Response> {
    co_return json_response(200, JsonObject().text("name", "millrace").text("version", MILLRACE_VERSION).take());
  };
  router.add(std::move(version));

  Route metrics("GET", "/metrics", "All metrics in the Prometheus text format");
  metrics.tag = "Machines";
  metrics.scope = Scope::metrics;
  metrics.metrics = true;
  metrics.ignores_unknown = true;
  metrics.handler = [services](Request&) -> asio::awaitable<Response> {
    const state::StoreStatus store = services.store->status();
    metric_gauge("millrace_store_size_bytes", "Size of the store").set(double(store.size_bytes));
    metric_gauge("millrace_disk_free_bytes", "Free space on the disk of the store").set(double(store.disk_free_bytes));
    services.engine->refresh_metrics();
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = render_metrics();
    co_return response;
  };
  router.add(std::move(metrics));

  for (const char* path : {"/v1/applications/token", "/api/v1/applications/token", "/api/public/v1/applications/token",
                           "/applications/token"}) {
    Route token = open_route("POST", path, "Exchange a token (client_secret) for an access token");
    token.hidden = std::string_view(path) != "/v1/applications/token";
    token.own_idempotency = true;  // an access token must not be kept
    token.ignores_unknown = true;
    token.body_schema = "TokenRequest";
    token.handler = [services](Request& request) -> asio::awaitable<Response> {
      co_return exchange_token(*services.tokens, request);
    };
    router.add(std::move(token));
  }
}

}  // namespace millrace::api
