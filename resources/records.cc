#include "resources/records.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"

namespace millrace::resources {

using nlohmann::json;

namespace {

json parse_row(const std::string& row) {
  auto value = json::parse(row, nullptr, false);
  if (!value.is_object() || value.value("v", 0) != kRecordVersion)
    throw Error("store.corrupt", "a row of a resource is not version " + std::to_string(kRecordVersion));
  return value;
}

void mask(json& value) {
  for_each_reference(value, [](json& reference) { reference = kMask; });
}

}  // namespace

std::string encode_resource(const Resource& r) {
  json row = {{"v", kRecordVersion},
              {"kind", to_string(r.kind)},
              {"id", r.id},
              {"name", r.name},
              {"revision", r.revision},
              {"created_us", to_micros(r.created)},
              {"updated_us", to_micros(r.updated)},
              {"principal", r.principal},
              {"spec", json::parse(r.spec)}};
  return row.dump();
}

Resource decode_resource(const std::string& text) {
  const json row = parse_row(text);
  Resource r;
  try {
    const auto kind = parse_kind(row.at("kind").get<std::string>());
    if (!kind) throw Error("store.corrupt", "a row of a resource has an unknown kind");
    r.kind = *kind;
    r.id = row.at("id");
    r.name = row.at("name");
    r.revision = row.at("revision");
    r.created = from_micros(row.at("created_us"));
    r.updated = from_micros(row.at("updated_us"));
    r.principal = row.at("principal");
    r.spec = row.at("spec").dump();
  } catch (const json::exception& e) {
    throw Error("store.corrupt", std::string("a row of a resource: ") + e.what());
  }
  return r;
}

std::string encode_uses(const std::vector<std::string>& connections) {
  return json{{"v", kRecordVersion}, {"connections", connections}}.dump();
}

std::vector<std::string> decode_uses(const std::string& row) {
  return parse_row(row).at("connections").get<std::vector<std::string>>();
}

bool is_secret_reference(const json& value) { return value.is_object() && value.contains(kSecretId); }

void for_each_reference(json& value, const std::function<void(json&)>& f) {
  if (is_secret_reference(value)) {
    f(value);
    return;
  }
  if (value.is_object())
    for (auto& [_, v] : value.items()) for_each_reference(v, f);
  if (value.is_array())
    for (auto& v : value) for_each_reference(v, f);
}

std::map<std::string, json> references_by_hash(json spec) {
  std::map<std::string, json> out;
  for_each_reference(spec, [&](json& reference) { out[reference.value(kSecretHash, "")] = reference; });
  return out;
}

std::string public_resource_json(const Resource& r, const connectors::Registry& registry) {
  json spec = json::parse(r.spec);
  mask(spec);
  json out = {{"name", r.name},
              {"workspaceId", kWorkspaceId},
              {"createdAt", to_micros(r.created) / 1'000'000},
              {"updatedAt", to_micros(r.updated) / 1'000'000},
              {"revision", r.revision}};
  if (r.kind == Kind::connection) {
    out["connectionId"] = r.id;
    out["tags"] = json::array();
    for (auto& [name, v] : spec.items()) out[name] = v;
    if (!out.contains("configurations")) out["configurations"] = json::object();
    return out.dump();
  }
  const bool source = r.kind == Kind::source;
  const std::string definition = spec.value("definitionId", "");
  const auto* connector = registry.by_definition_id(definition);
  out[source ? "sourceId" : "destinationId"] = r.id;
  out[source ? "sourceType" : "destinationType"] = connector ? connector->name : "";
  out["definitionId"] = definition;
  out["configuration"] = spec.value("configuration", json::object());
  return out.dump();
}

}  // namespace millrace::resources
