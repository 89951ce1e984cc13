// The pages of openapi.h: plain HTML, one small style sheet in it, no script.
#include <map>

#include "api/openapi.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page(const std::string& title, const std::string& body) {
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\">"
         "<title>" +
         escape(title) +
         "</title><style>"
         ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem "
         "auto;padding:0 1rem}"
         "code{font:14px ui-monospace,monospace}h2{margin-top:2.5rem}details{border-top:1px solid #8884;padding:.4rem "
         "0}"
         "summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem}table{border-collapse:collapse}"
         "td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}</style></head><body>" +
         body + "</body></html>\n";
}

std::string shown_path(std::string pattern) {
  for (auto at = pattern.find(":int}"); at != std::string::npos; at = pattern.find(":int}")) pattern.erase(at, 4);
  return pattern;
}

std::string route_entry(const Route& route) {
  std::string out = "<details><summary><b>" + route.method + "</b> <code>" + escape(shown_path(route.pattern)) +
                    "</code> " + escape(route.summary) + "</summary>";
  if (!route.query.empty()) {
    out += "<table>";
    for (const Parameter& p : route.query) {
      out += "<tr><td><code>" + escape(p.name) + "</code></td><td>" + escape(p.type) + "</td><td>" +
             escape(p.description) + "</td></tr>";
    }
    out += "</table>";
  }
  if (!route.body_schema.empty()) {
    out += "<p>Body: <code>" + escape(route.body_schema) +
           "</code> in <a href=\"/openapi.json\">/openapi.json</a>, components.schemas.</p>";
  }
  out += "<p>Answers " + std::to_string(route.success) + (route.open ? "; needs no token." : ".") + "</p>";
  return out + "</details>";
}

}  // namespace

std::string docs_page(const Router& router) {
  std::vector<std::string> order;
  std::map<std::string, std::string> sections;
  for (const auto& route : router.routes()) {
    if (route->hidden) continue;
    if (!sections.contains(route->tag)) order.push_back(route->tag);
    sections[route->tag] += route_entry(*route);
  }
  std::string body = "<h1>Millrace " MILLRACE_VERSION
                     "</h1><p>The HTTP interface. As a document for programs: "
                     "<a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1). All error codes: <a "
                     "href=\"/docs/errors\">/docs/errors</a>.</p>";
  for (const std::string& tag : order) body += "<h2>" + escape(tag) + "</h2>" + sections[tag];
  return page("Millrace HTTP interface", body);
}

std::string error_code_page(const std::string& code) {
  if (!is_known_error(code)) return {};
  const ErrorInfo& info = error_info(code);
  const char* kind = "a person must change something; it is not retried";
  if (info.kind == ErrorKind::transient) kind = "it may be better later; it is retried with back-off";
  if (info.kind == ErrorKind::system) kind = "a fault of the server or the machine; it is retried";
  return page(code, "<h1><code>" + escape(code) + "</code></h1><p>" + escape(info.title) +
                        "</p><h2>What to do</h2><p>" + escape(info.remedy) + "</p><p>HTTP status " +
                        std::to_string(info.http_status) + ". " + kind +
                        ".</p><p><a href=\"/docs/errors\">All codes</a></p>");
}

std::string error_list_page() {
  std::string body = "<h1>Error codes</h1><table><tr><th>code</th><th>status</th><th>what happened</th></tr>";
  for (const ErrorInfo& info : error_catalogue()) {
    const std::string code(info.code);
    body += "<tr><td><a href=\"/docs/errors/" + code + "\"><code>" + code + "</code></a></td><td>" +
            std::to_string(info.http_status) + "</td><td>" + escape(info.title) + "</td></tr>";
  }
  return page("Millrace error codes", body + "</table>");
}

}  // namespace millrace::api
