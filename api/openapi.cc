#include "api/openapi.h"

#include <map>

#include <nlohmann/json.hpp>

#include "api/openapi_schemas.h"

namespace millrace::api {
namespace {

using Json = nlohmann::ordered_json;

Json schema_ref(const std::string& name) {
  Json ref;
  ref["$ref"] = "#/components/schemas/" + name;
  return ref;
}

// "/v1/jobs/{id:int}" as OpenAPI writes it, and its parameters.
std::string plain_path(const std::string& pattern, Json& parameters) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] != '{') {
      out += pattern[i++];
      continue;
    }
    const auto end = pattern.find('}', i);
    const std::string inner = pattern.substr(i + 1, end - i - 1);
    const auto colon = inner.find(':');
    Json parameter;
    parameter["name"] = inner.substr(0, colon);
    parameter["in"] = "path";
    parameter["required"] = true;
    parameter["schema"]["type"] = colon == std::string::npos ? "string" : "integer";
    out += "{" + inner.substr(0, colon) + "}";
    parameters.push_back(std::move(parameter));
    i = end + 1;
  }
  return out;
}

std::string operation_id(const Route& route) {
  std::string id = route.method;
  for (char& c : id) c = static_cast<char>(c + 32);
  bool upper = true;
  for (const char c : route.pattern) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      upper = true;
    } else {
      id += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      upper = false;
    }
  }
  return id;
}

Json operation_of(const Route& route, Json parameters) {
  Json operation;
  operation["operationId"] = operation_id(route);
  operation["summary"] = route.summary;
  operation["tags"] = Json::array({route.tag});
  for (const Parameter& p : route.query) {
    Json parameter;
    parameter["name"] = p.name;
    parameter["in"] = "query";
    parameter["description"] = p.description;
    parameter["schema"]["type"] = p.type;
    parameters.push_back(std::move(parameter));
  }
  if (route.method == "POST") {
    Json key;
    key["name"] = "Idempotency-Key";
    key["in"] = "header";
    key["description"] = "the same key gets the same answer";
    key["schema"]["type"] = "string";
    parameters.push_back(std::move(key));
  }
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.body_schema.empty())
    operation["requestBody"]["content"]["application/json"]["schema"] = schema_ref(route.body_schema);
  Json& ok = operation["responses"][std::to_string(route.success)];
  ok["description"] = "success";
  if (!route.response_schema.empty()) ok["content"]["application/json"]["schema"] = schema_ref(route.response_schema);
  Json& problem = operation["responses"]["default"];
  problem["description"] = "a problem (RFC 9457)";
  problem["content"]["application/problem+json"]["schema"] = schema_ref("Problem");
  if (route.open) operation["security"] = Json::array();
  return operation;
}

}  // namespace

std::string openapi_json(const Router& router) {
  Json document;
  document["openapi"] = "3.1.0";
  document["info"]["title"] = "Millrace";
  document["info"]["version"] = MILLRACE_VERSION;
  document["info"]["description"] = "Data integration whose every job is a durable workflow.";
  document["info"]["license"]["name"] = "Apache-2.0";
  document["info"]["license"]["identifier"] = "Apache-2.0";
  document["security"] =
      Json::array({Json::object({{"bearer", Json::array()}}), Json::object({{"basic", Json::array()}})});
  Json paths = Json::object();
  for (const auto& route : router.routes()) {
    if (route->hidden) continue;
    Json parameters = Json::array();
    const std::string path = plain_path(route->pattern, parameters);
    std::string method = route->method;
    for (char& c : method) c = static_cast<char>(c + 32);
    paths[path][method] = operation_of(*route, std::move(parameters));
  }
  document["paths"] = std::move(paths);
  document["components"]["schemas"] = Json::parse(openapi_schemas());
  Json& schemes = document["components"]["securitySchemes"];
  schemes["bearer"]["type"] = "http";
  schemes["bearer"]["scheme"] = "bearer";
  schemes["basic"]["type"] = "http";
  schemes["basic"]["scheme"] = "basic";
  return document.dump();
}

}  // namespace millrace::api
