// The web UI: its files, and the addresses of its screens, which are all the same page.
//
// The screens' addresses are listed, so that no path of the interface is shadowed and an unknown path stays a 404.
#include <map>

#include "api/handlers.h"
#include "api/ui_assets.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

// No inline script or style, nothing from another host, no frame around it.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr std::string_view kScreens[] = {"/connections",  "/jobs",      "/executions", "/sources",
                                         "/destinations", "/schedules", "/settings",   "/apply",
                                         "/reference",    "/help",      "/login"};

bool takes(const Request& request, std::string_view coding) {
  const std::string* header = request.header("accept-encoding");
  if (header == nullptr) return false;
  // "br;q=0" would refuse it; browsers don't send that, and identity is then what a careful client gets.
  const auto at = header->find(coding);
  if (at == std::string::npos) return false;
  return header->compare(at + coding.size(), 4, ";q=0") != 0;
}

Response file(const UiAsset& asset, const Request& request, std::string_view cache) {
  Response response;
  response.content_type = asset.content_type;
  response.headers.emplace_back("Cache-Control", cache);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!asset.brotli.empty() && takes(request, "br")) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.body = asset.brotli;
  } else if (!asset.gzip.empty() && takes(request, "gzip")) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = asset.gzip;
  } else {
    response.body = asset.identity;
  }
  return response;
}

Response page(const UiAsset& index, const Request& request) {
  Response response = file(index, request, "no-cache");
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

Route ui_route(std::string path) {
  Route route("GET", std::move(path), "The web UI");
  route.open = true;
  route.hidden = true;
  route.ignores_unknown = true;
  return route;
}

}  // namespace

void add_ui_routes(Router& router) {
  const UiAsset* index = nullptr;
  std::map<std::string, const UiAsset*, std::less<>> by_name;
  for (const UiAsset& asset : ui_assets()) {
    if (asset.path == "/index.html") index = &asset;
    constexpr std::string_view kPrefix = "/assets/";
    if (asset.path.starts_with(kPrefix)) by_name.emplace(asset.path.substr(kPrefix.size()), &asset);
  }
  Route root = ui_route("/");
  if (index == nullptr) {
    root.handler = [](Request&) -> asio::awaitable<Response> {
      Response response(303);
      response.headers.emplace_back("Location", "/docs");
      co_return response;
    };
    router.add(std::move(root));
    return;
  }
  const Handler show = [index](Request& request) -> asio::awaitable<Response> { co_return page(*index, request); };
  root.handler = show;
  router.add(std::move(root));
  for (const std::string_view screen : kScreens) {
    for (const char* rest : {"", "/{one}", "/{one}/{two}"}) {
      Route route = ui_route(std::string(screen) + rest);
      route.handler = show;
      router.add(std::move(route));
    }
  }
  Route asset = ui_route("/assets/{name}");
  asset.handler = [by_name](Request& request) -> asio::awaitable<Response> {
    const auto found = by_name.find(request.path_values.at("name"));
    if (found == by_name.end()) throw Error("request.not_found", "no file of the UI is named so");
    co_return file(*found->second, request, "public, max-age=31536000, immutable");
  };
  router.add(std::move(asset));
}

}  // namespace millrace::api
