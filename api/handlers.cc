#include "api/handlers.h"

#include <nlohmann/json.hpp>

#include "api/idempotency.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {

Response json_response(int status, std::string body) {
  Response response(status);
  response.body = std::move(body);
  return response;
}

std::uint64_t number_of(const Request& request, std::string_view name, std::uint64_t otherwise) {
  const auto value = request.query_value(name);
  if (!value) return otherwise;
  if (value->empty() || value->size() > 18 || value->find_first_not_of("0123456789") != std::string::npos) {
    throw Error("request.invalid_parameter",
                std::string(name) + " must be a whole number, not '" + value->substr(0, 50) + "'");
  }
  return std::stoull(*value);
}

std::size_t limit_of(const Request& request) {
  const std::uint64_t limit = number_of(request, "limit", kDefaultLimit);
  if (limit == 0 || limit > kMaxLimit) throw Error("request.invalid_parameter", "limit must be from 1 to 10000");
  return limit;
}

bool flag_of(const Request& request, std::string_view name, bool otherwise) {
  const auto value = request.query_value(name);
  if (!value) return otherwise;
  if (*value == "true" || *value == "1" || value->empty()) return true;
  if (*value == "false" || *value == "0") return false;
  throw Error("request.invalid_parameter", std::string(name) + " must be true or false");
}

std::int64_t job_id_of(const Request& request) { return std::stoll(request.path_values.at("id")); }

std::string idempotency_key_of(const Request& request) {
  const std::string* key = request.header("idempotency-key");
  return key == nullptr ? std::string() : *key;
}

std::string read_request_id(const Request& request, FieldReader& fields, const char* field) {
  std::string id = fields.text(field);
  if (id.size() > kMaxIdempotencyKey) fields.fault(field, "must have at most 255 bytes");
  const std::string key = idempotency_key_of(request);
  if (!key.empty() && !id.empty() && key != id)
    fields.fault(field, "differs from the Idempotency-Key header, which is the same thing");
  return id.empty() ? key : id;
}

resources::Principal principal_of(const Request& request) { return resources::Principal(request.caller.name); }

void add_page_parameters(Route& route) {
  route.query.emplace_back("limit", "integer", "accepted: the list comes whole");
  route.query.emplace_back("next", "string", "accepted: there is one page");
}

std::string list_json(const std::vector<std::string>& items, const std::string& next) {
  std::string out = "{\"data\":[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ',';
    out += items[i];
  }
  out += "],\"next\":";
  out += next.empty() ? "null" : json_text(next);
  out += ",\"previous\":null}";
  return out;
}

std::string json_text(std::string_view value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void JsonObject::name(std::string_view n) {
  if (out_.size() > 1) out_ += ',';
  out_ += '"';
  out_ += n;
  out_ += "\":";
}
JsonObject& JsonObject::raw(std::string_view n, std::string_view json) {
  name(n);
  out_ += json.empty() ? std::string_view("null") : json;
  return *this;
}
JsonObject& JsonObject::text(std::string_view n, std::string_view value) {
  name(n);
  out_ += json_text(value);
  return *this;
}
JsonObject& JsonObject::number(std::string_view n, std::int64_t value) {
  name(n);
  out_ += std::to_string(value);
  return *this;
}
JsonObject& JsonObject::boolean(std::string_view n, bool value) {
  name(n);
  out_ += value ? "true" : "false";
  return *this;
}
std::string JsonObject::take() {
  out_ += '}';
  return std::move(out_);
}

}  // namespace millrace::api
