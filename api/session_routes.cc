// /v1/session: a browser's way in. A code or a token is exchanged for a cookie that scripts can't read.
//
// The cookie holds an access token that lasts longer than those of programs and dies with its token. A request that
// changes something is taken with it only where a header says that our own page sends it (app.cc), which a page of
// another origin can't.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

Route session_route(std::string method, std::string path, std::string summary) {
  Route route(std::move(method), std::move(path), std::move(summary));
  route.tag = "Access";
  route.own_idempotency = true;  // an answer with a session in it must not be kept
  return route;
}

std::string session_json(const Caller& caller, bool no_auth) {
  return JsonObject()
      .boolean("authenticated", caller.authenticated || no_auth)
      .text("name", caller.name)
      .text("scope", no_auth ? to_string(Scope::admin) : to_string(caller.scope))
      .boolean("noAuth", no_auth)
      .text("version", MILLRACE_VERSION)
      .take();
}

void set_cookie(Response& response, const Request& request, const std::string& name, const std::string& value,
                int seconds) {
  response.headers.emplace_back("Set-Cookie", name + "=" + value + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" +
                                                  std::to_string(seconds) + (request.tls ? "; Secure" : ""));
}

}  // namespace

void add_session_routes(Router& router, const Services& services, bool no_auth) {
  Route get = session_route("GET", "/v1/session", "Who the caller is; a session of the web UI is prolonged by it");
  get.open = true;
  get.response_schema = "Session";
  get.handler = [services, no_auth](Request& request) -> asio::awaitable<Response> {
    Response response = json_response(200, session_json(request.caller, no_auth));
    if (request.caller.by_cookie) {
      if (const auto value = services.tokens->issue_session(request.caller.token_id))
        set_cookie(response, request, services.tokens->session_cookie(), *value, Tokens::kSessionSeconds);
    }
    co_return response;
  };
  router.add(std::move(get));

  Route post = session_route("POST", "/v1/session", "Exchange a one-time code or a token for a session cookie");
  post.open = true;
  post.body_schema = "SessionCreate";
  post.response_schema = "Session";
  post.handler = [services, no_auth](Request& request) -> asio::awaitable<Response> {
    const nlohmann::json body = parse_json_body(request.body);
    FieldReader fields(body, "", true);
    const std::string code = fields.text("code");
    const std::string token = fields.text("token");
    if (code.empty() == token.empty()) fields.fault("code", "exactly one of code and token opens a session");
    fields.finish();
    std::optional<std::string> value;
    Caller caller;
    if (!code.empty()) {
      const auto id = services.login_codes->take(code);
      if (!id) throw Error("auth.code_invalid", "the code is unknown, was used, or is too old");
      value = services.tokens->issue_session(*id);
    } else if (const auto found = services.tokens->find(token)) {
      value = services.tokens->issue_session(found->token_id);
    }
    if (value) {
      if (const auto found = services.tokens->find(*value)) caller = *found;
    }
    if (!caller.authenticated) throw Error("auth.token_invalid", "no token of this server is what was sent");
    Response response = json_response(200, session_json(caller, no_auth));
    set_cookie(response, request, services.tokens->session_cookie(), *value, Tokens::kSessionSeconds);
    co_return response;
  };
  router.add(std::move(post));

  Route remove = session_route("DELETE", "/v1/session", "Log out: the cookie goes");
  remove.open = true;
  remove.success = 204;
  remove.handler = [services](Request& request) -> asio::awaitable<Response> {
    Response response(204);
    set_cookie(response, request, services.tokens->session_cookie(), "", 0);
    co_return response;
  };
  router.add(std::move(remove));

  Route codes = session_route("POST", "/v1/login-codes", "Make a one-time link into the web UI; it works for a day");
  codes.scope = Scope::admin;
  codes.success = 201;
  codes.response_schema = "LoginCode";
  codes.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string id = request.caller.token_id.empty() ? Tokens::first_id() : request.caller.token_id;
    const std::string code = services.login_codes->make(id);
    co_return json_response(201, JsonObject().text("code", code).text("path", "/login#code=" + code).take());
  };
  router.add(std::move(codes));
}

}  // namespace millrace::api
