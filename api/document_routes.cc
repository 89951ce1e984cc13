// /openapi.json, /docs: what the interface says about itself.
#include "api/handlers.h"
#include "api/openapi.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

Response html(std::string body) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  response.body = std::move(body);
  return response;
}

Route open_route(std::string path, std::string summary) {
  Route route("GET", std::move(path), std::move(summary));
  route.tag = "Documents";
  route.open = true;
  route.ignores_unknown = true;
  return route;
}

}  // namespace

void add_document_routes(Router& router) {
  // The router outlives its own routes' handlers.
  Route openapi = open_route("/openapi.json", "This interface as OpenAPI 3.1");
  openapi.handler = [&router](Request&) -> asio::awaitable<Response> {
    co_return json_response(200, openapi_json(router));
  };
  router.add(std::move(openapi));

  Route docs = open_route("/docs", "This interface as a readable page");
  docs.handler = [&router](Request&) -> asio::awaitable<Response> { co_return html(docs_page(router)); };
  router.add(std::move(docs));

  Route errors = open_route("/docs/errors", "All error codes");
  errors.handler = [](Request&) -> asio::awaitable<Response> { co_return html(error_list_page()); };
  router.add(std::move(errors));

  Route error = open_route("/docs/errors/{code}", "What an error code means and what to do");
  error.handler = [](Request& request) -> asio::awaitable<Response> {
    std::string body = error_code_page(request.path_values.at("code"));
    if (body.empty()) throw Error("request.not_found", "no error has this code");
    co_return html(std::move(body));
  };
  router.add(std::move(error));
}

}  // namespace millrace::api
