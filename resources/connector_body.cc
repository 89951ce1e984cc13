#include <nlohmann/json.hpp>

#include "resources/bodies.h"
#include "resources/config_schema.h"
#include "resources/json_body.h"
#include "resources/records.h"

namespace millrace::resources {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxNameBytes = 256;

const connectors::Connector* find_connector(const connectors::Registry& registry, const std::string& text) {
  if (const auto* c = registry.by_name(text)) return c;
  return registry.by_definition_id(text);
}

std::string known_connectors(Kind kind, const connectors::Registry& registry) {
  std::string text;
  for (const auto* c : registry.all()) {
    if ((kind == Kind::source ? c->source_spec : c->destination_spec).empty()) continue;
    if (!text.empty()) text += ", ";
    text += c->name;
  }
  return text;
}

// Which connector a body means: definitionId, connector or configuration.sourceType; they must agree.
const connectors::Connector* connector_of_body(Kind kind, const json& body, const CurrentBody& current,
                                               const connectors::Registry& registry, Faults& faults) {
  const char* type_field = kind == Kind::source ? "sourceType" : "destinationType";
  const connectors::Connector* found = nullptr;
  const auto look = [&](const json& value, const std::string& pointer) {
    if (!value.is_string()) {
      faults.add(pointer, "must be of type string");
      return;
    }
    const auto* c = find_connector(registry, value.get<std::string>());
    if (!c || (kind == Kind::source ? c->source_spec : c->destination_spec).empty())
      faults.add(pointer, std::string("is not a ") + std::string(to_string(kind)) +
                              " connector of this build: " + known_connectors(kind, registry));
    else if (found && found != c)
      faults.add(pointer, "names another connector than " + found->name);
    else
      found = c;
  };
  const std::size_t before = faults.list().size();
  if (body.contains("definitionId")) look(body["definitionId"], "/definitionId");
  if (body.contains("connector")) look(body["connector"], "/connector");
  if (body.contains(type_field)) look(body[type_field], std::string("/") + type_field);
  if (body.contains("configuration") && body["configuration"].is_object() && body["configuration"].contains(type_field))
    look(body["configuration"][type_field], std::string("/configuration/") + type_field);
  const bool said = found != nullptr || faults.list().size() > before;
  if (current.spec) {
    const auto* had = registry.by_definition_id(current.spec->value("definitionId", ""));
    if (found && had && found != had) {
      faults.add("/definitionId",
                 "the connector of a " + std::string(to_string(kind)) + " can't be changed: it is " + had->name);
      return nullptr;
    }
    return had ? had : found;
  }
  if (!said)
    faults.add("/connector", std::string("is required (or definitionId, or configuration.") + type_field +
                                 "): one of " + known_connectors(kind, registry));
  return found;
}

bool mentions_reserved(const json& value, const std::string& pointer, Faults& faults) {
  bool found = false;
  if (value.is_object())
    for (const auto& [name, v] : value.items()) {
      if (name == kSecretId) {
        faults.add(pointer + pointer_token(name), "is a reserved field");
        found = true;
      }
      found = mentions_reserved(v, pointer + pointer_token(name), faults) || found;
    }
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i)
      found = mentions_reserved(value[i], pointer + pointer_token(i), faults) || found;
  return found;
}

// Fields that the API's answer has and a body may send back.
bool read_only(Kind kind, const std::string& field) {
  if (field == "workspaceId" || field == "createdAt" || field == "updatedAt" || field == "revision" ||
      field == "warnings")
    return true;
  return field == (kind == Kind::source ? "sourceId" : "destinationId");
}

}  // namespace

void check_name(const json& name, const std::string& pointer, Faults& faults) {
  if (!name.is_string()) {
    faults.add(pointer, "must be of type string");
    return;
  }
  const auto& text = name.get_ref<const std::string&>();
  if (text.empty() || text.size() > kMaxNameBytes) {
    faults.add(pointer, "must have 1 to " + std::to_string(kMaxNameBytes) + " bytes");
    return;
  }
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f) {
      faults.add(pointer, "must not hold control characters");
      return;
    }
}

json normalise_connector_body(Kind kind, const json& body, const CurrentBody& current,
                              const connectors::Registry& registry, Faults& faults) {
  json out = json::object();
  const char* type_field = kind == Kind::source ? "sourceType" : "destinationType";
  for (const auto& [field, _] : body.items())
    if (field != "name" && field != "definitionId" && field != "connector" && field != "configuration" &&
        field != type_field && !read_only(kind, field))
      faults.add(pointer_token(field), "is not a known field of a " + std::string(to_string(kind)));

  const bool keeps = current.spec && current.mode == UpdateMode::patch;
  if (body.contains("name")) {
    check_name(body["name"], "/name", faults);
    out["name"] = body["name"];
  } else if (keeps) {
    out["name"] = (*current.spec)["name"];
  } else {
    faults.add("/name", "is required");
  }

  const auto* connector = connector_of_body(kind, body, current, registry, faults);
  json configuration = body.value("configuration", json());
  if (body.contains("configuration") && !configuration.is_object()) {
    faults.add("/configuration", "must be of type object");
    return out;
  }
  if (!body.contains("configuration") && !keeps) {
    faults.add("/configuration", "is required");
    return out;
  }
  if (!connector) return out;
  out["definitionId"] = connector->definition_id_of(kind == Kind::source);

  if (configuration.is_object()) {
    configuration.erase(type_field);
    if (mentions_reserved(configuration, "/configuration", faults)) return out;
  }
  const json schema = json::parse(kind == Kind::source ? connector->source_spec : connector->destination_spec);
  const json had = current.spec ? current.spec->value("configuration", json::object()) : json::object();
  if (keeps) configuration = configuration.is_null() ? had : merge_configuration(schema, had, configuration);

  Faults own;
  if (!check_strings(configuration, "", own)) {
    faults.add_all("/configuration", own.list());
    return out;
  }
  const json fit = specialise(schema, configuration, own);
  for_each_secret(fit, configuration, [&](json& secret, const std::string& pointer) {
    if (secret != json(kMask)) return;
    const json::json_pointer at(pointer);
    if (had.contains(at))
      secret = had[at];
    else
      own.add(pointer, "is masked, and no value is stored that it could stand for");
  });
  validate_against(fit, configuration, own);
  faults.add_all("/configuration", own.list());
  out["configuration"] = std::move(configuration);
  return out;
}

}  // namespace millrace::resources
