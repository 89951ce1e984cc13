// /v1/tokens: further API tokens.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

JsonObject token_object(const TokenInfo& info) {
  JsonObject object;
  object.text("tokenId", info.id)
      .text("name", info.name)
      .text("scope", to_string(info.scope))
      .text("createdAt", format_time(info.created));
  if (info.expires) {
    object.text("expiresAt", format_time(*info.expires));
  } else {
    object.raw("expiresAt", "");
  }
  return object;
}

}  // namespace

void add_token_routes(Router& router, const Services& services) {
  Route list("GET", "/v1/tokens", "List the tokens made with POST; never the tokens themselves");
  list.tag = "Access";
  add_page_parameters(list);
  list.handler = [services](Request&) -> asio::awaitable<Response> {
    std::vector<std::string> items;
    for (const TokenInfo& info : services.tokens->list()) items.push_back(token_object(info).take());
    co_return json_response(200, list_json(items, ""));
  };
  router.add(std::move(list));

  Route create("POST", "/v1/tokens", "Make a token; it is shown in this answer and never again");
  create.tag = "Access";
  create.body_schema = "TokenCreate";
  create.success = 201;
  create.own_idempotency = true;  // an answer with a token in it must not be kept
  create.handler = [services](Request& request) -> asio::awaitable<Response> {
    const nlohmann::json body = parse_json_body(request.body);
    FieldReader fields(body, "", true);
    const std::string name = fields.text("name", true);
    const std::string scope_text = fields.choice("scope", {"admin", "read", "metrics", "worker"});
    const std::string expires_text = fields.text("expiresAt");
    std::optional<WallTime> expires;
    if (!expires_text.empty()) {
      expires = parse_time(expires_text);
      if (!expires) fields.fault("expiresAt", "must be a time such as 2030-01-31T12:00:00Z");
    }
    if (name.size() > 200) fields.fault("name", "must have at most 200 bytes");
    fields.finish();
    Scope scope = Scope::metrics;
    for (const Scope one : {Scope::admin, Scope::read, Scope::worker})
      if (scope_text == to_string(one)) scope = one;
    const Tokens::Created created = co_await services.tokens->create(name, scope, expires);
    JsonObject object = token_object(created.info);
    object.text("token", created.token);
    co_return json_response(201, object.take());
  };
  router.add(std::move(create));

  Route revoke("DELETE", "/v1/tokens/{id}", "Revoke a token; it is refused from now on");
  revoke.tag = "Access";
  revoke.success = 204;
  revoke.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string id = request.path_values.at("id");
    co_await services.tokens->revoke(id);
    co_return Response(204);
  };
  router.add(std::move(revoke));
}

}  // namespace millrace::api
