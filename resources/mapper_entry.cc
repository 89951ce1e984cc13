#include "resources/mapper_entry.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/filter.h"
#include "connectors/mapper.h"

namespace millrace::resources {
namespace {

using nlohmann::json;

struct Word {
  const char* given;   // in the short form
  const char* stored;  // Airbyte's, where it has one
};
constexpr Word kTypes[] = {{"rename", "field-renaming"}, {"hash", "hashing"}, {"encrypt", "encryption"}};
constexpr Word kFields[] = {{"field", "targetField"},
                            {"name", "targetField"},
                            {"suffix", "fieldNameSuffix"},
                            {"key", "publicKey"},
                            {"originalFieldName", "targetField"}};

// The short form's fields as a mapperConfiguration.
json long_form(const json& mapper, const std::string& type) {
  json config = json::object();
  for (const auto& [field, value] : mapper.items()) {
    if (field == "type" || field == "id" || field == "mapperConfiguration") continue;
    std::string name = field;
    for (const Word& word : kFields)
      if (field == word.given) name = word.stored;
    config[name] = value;
  }
  if (mapper.contains("mapperConfiguration") && mapper["mapperConfiguration"].is_object())
    for (const auto& [field, value] : mapper["mapperConfiguration"].items()) config[field] = value;
  const auto rename = [&](const char* from, const char* to) {
    if (!config.contains(from)) return;
    config[to] = config[from];
    config.erase(from);
  };
  if (type == "field-renaming") {
    rename("targetField", "originalFieldName");
    rename("to", "newFieldName");
    rename("newName", "newFieldName");
  }
  if (type == "cast") rename("to", "type");
  return config;
}

const char* known_fields(const std::string& type) {
  if (type == "field-renaming") return " originalFieldName newFieldName ";
  if (type == "hashing") return " targetField method fieldNameSuffix ";
  if (type == "encryption") return " targetField algorithm publicKey fieldNameSuffix ";
  if (type == "redact") return " targetField value ";
  if (type == "cast") return " targetField type ";
  return "";
}

std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

// Airbyte's conditions {type: EQUAL|NOT|AND|OR, fieldName, comparisonValue, conditions} as a filter.
std::string condition_of(const json& c, int depth) {
  const auto wrong = [](const std::string& what) -> std::string { throw Error("connector.mapper_invalid", what); };
  if (!c.is_object() || !c.contains("type") || !c["type"].is_string() || depth > 32)
    return wrong("conditions need a type");
  const std::string type = c["type"];
  if (type == "EQUAL") {
    if (!c.contains("fieldName") || !c["fieldName"].is_string() || !c.contains("comparisonValue"))
      return wrong("EQUAL needs fieldName and comparisonValue");
    const json& value = c["comparisonValue"];
    return quoted(c["fieldName"], '"') + " = " +
           quoted(value.is_string() ? value.get<std::string>() : value.dump(), '\'');
  }
  if (type != "NOT" && type != "AND" && type != "OR")
    return wrong("the condition " + type + " is not EQUAL, NOT, AND or OR");
  if (!c.contains("conditions") || !c["conditions"].is_array() || c["conditions"].empty())
    return wrong(type + " needs conditions");
  std::string out;
  for (const auto& one : c["conditions"]) {
    const std::string text = "(" + condition_of(one, depth + 1) + ")";
    out += (out.empty() ? "" : type == "OR" ? " OR " : " AND ") + text;
  }
  return type == "NOT" ? "NOT (" + out + ")" : out;
}

}  // namespace

std::string normalise_filter(const json& value, const std::string& pointer, Faults& faults) {
  if (!value.is_string()) {
    faults.add(pointer, "must be a condition over the stream's fields, such as \"total > 100 AND status <> 'new'\"");
    return {};
  }
  try {
    connectors::check_filter(value.get_ref<const std::string&>());
  } catch (const Error& e) {
    faults.add(pointer, e.detail());
  }
  return value.get<std::string>();
}

json normalise_mappers(const json& list, const std::string& pointer, std::string& filter, Faults& faults) {
  json out = json::array();
  if (!list.is_array()) {
    faults.add(pointer, "must be an array of mappers");
    return out;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = pointer + "/" + std::to_string(i);
    const json& mapper = list[i];
    if (!mapper.is_object() || !mapper.contains("type") || !mapper["type"].is_string()) {
      faults.add(at, "must be an object with a type: rename, hash, encrypt, redact or cast");
      continue;
    }
    std::string type = mapper["type"];
    for (const Word& word : kTypes)
      if (type == word.given) type = word.stored;
    try {
      if (type == "row-filtering") {
        const json config = mapper.value("mapperConfiguration", json::object());
        const std::string condition = condition_of(config.value("conditions", json()), 0);
        connectors::check_filter(condition);
        filter = filter.empty() ? condition : "(" + filter + ") AND (" + condition + ")";
        continue;
      }
      json one = {{"type", type}, {"mapperConfiguration", long_form(mapper, type)}};
      if (mapper.contains("id") && mapper["id"].is_string()) one["id"] = mapper["id"];
      const std::string known = known_fields(type);
      for (const auto& [field, _] : one["mapperConfiguration"].items())
        if (!known.empty() && known.find(" " + field + " ") == std::string::npos)
          faults.add(at + "/" + field, "is not a known field of the mapper " + type);
      connectors::mapper_from_json(one);
      out.push_back(std::move(one));
    } catch (const Error& e) {
      faults.add(at, e.detail());
    }
  }
  return out;
}

}  // namespace millrace::resources
