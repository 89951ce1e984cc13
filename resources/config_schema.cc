#include "resources/config_schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::resources {
namespace {

using nlohmann::json;

// The one value that a branch allows for `property`: a const, or an enum of one.
const json* only_value(const json& branch, const std::string& property) {
  const auto properties = branch.find("properties");
  if (properties == branch.end() || !properties->is_object()) return nullptr;
  const auto p = properties->find(property);
  if (p == properties->end() || !p->is_object()) return nullptr;
  if (const auto c = p->find("const"); c != p->end()) return &*c;
  if (const auto e = p->find("enum"); e != p->end() && e->is_array() && e->size() == 1) return &(*e)[0];
  return nullptr;
}

// Without what valijson would hand to std::regex, all the way down.
void strip_patterns(json& schema) {
  if (schema.is_array()) {
    for (auto& s : schema) strip_patterns(s);
    return;
  }
  if (!schema.is_object()) return;
  if (schema.contains("patternProperties")) {
    schema.erase("patternProperties");
    schema.erase("additionalProperties");
  }
  if (const auto p = schema.find("pattern"); p != schema.end() && p->is_string()) schema.erase(p);
  if (const auto f = schema.find("format"); f != schema.end() && f->is_string()) schema.erase(f);
  for (auto& [name, v] : schema.items())
    if (name != "const" && name != "enum" && name != "default" && name != "examples") strip_patterns(v);
}

json specialise_at(const json& schema, const json& value, const std::string& pointer, Faults& faults) {
  if (!schema.is_object()) return schema;
  json out = schema;
  std::string pattern;
  if (const auto p = schema.find("pattern"); p != schema.end() && p->is_string()) pattern = *p;
  const auto discriminator = discriminator_of(schema);
  if (discriminator) out.erase("oneOf");
  // What is below is specialised from the original; everything else only loses its patterns.
  out.erase("properties");
  out.erase("items");
  const bool has_patterns_by_name = schema.contains("patternProperties");
  strip_patterns(out);
  if (has_patterns_by_name) out.erase("additionalProperties");
  if (!pattern.empty()) out["x-pattern"] = pattern;

  if (const auto properties = schema.find("properties"); properties != schema.end() && properties->is_object()) {
    json below = json::object();
    for (const auto& [name, sub] : properties->items()) {
      const json* v = value.is_object() && value.contains(name) ? &value.at(name) : nullptr;
      if (v)
        below[name] = specialise_at(sub, *v, pointer + pointer_token(name), faults);
      else {
        below[name] = sub;
        strip_patterns(below[name]);
      }
    }
    out["properties"] = std::move(below);
  }
  if (const auto items = schema.find("items"); items != schema.end()) {
    // Elements may differ in their branch, so a oneOf below items stays whole; its patterns are matched all the same.
    json below = *items;
    std::string item_pattern;
    if (items->is_object())
      if (const auto p = items->find("pattern"); p != items->end() && p->is_string()) item_pattern = *p;
    strip_patterns(below);
    if (!item_pattern.empty()) below["x-pattern"] = item_pattern;
    out["items"] = std::move(below);
  }
  if (discriminator) {
    if (!value.is_object()) {
      faults.add(pointer, "must be an object with a field \"" + *discriminator + "\"");
      return out;
    }
    const auto chosen = value.find(*discriminator);
    std::string allowed;
    for (const auto& branch : schema["oneOf"]) {
      const json& only = *only_value(branch, *discriminator);
      if (chosen != value.end() && *chosen == only) {
        out["allOf"].push_back(specialise_at(branch, value, pointer, faults));
        return out;
      }
      if (!allowed.empty()) allowed += ", ";
      allowed += only.dump(-1, ' ', false, json::error_handler_t::replace);
    }
    faults.add(chosen == value.end() ? pointer : pointer + pointer_token(*discriminator),
               (chosen == value.end() ? "needs the field \"" + *discriminator + "\": one of "
                                      : std::string("must be one of ")) +
                   allowed + (chosen == value.end() ? std::string() : instead_of(*chosen)));
  }
  return out;
}

}  // namespace

std::optional<std::string> discriminator_of(const json& schema) {
  if (!schema.is_object()) return std::nullopt;
  const auto one_of = schema.find("oneOf");
  if (one_of == schema.end() || !one_of->is_array() || one_of->empty()) return std::nullopt;
  const auto& first = (*one_of)[0];
  if (!first.is_object() || !first.contains("properties") || !first["properties"].is_object()) return std::nullopt;
  for (const auto& [name, _] : first["properties"].items()) {
    const bool everywhere = std::all_of(one_of->begin(), one_of->end(), [&, &n = name](const json& branch) {
      return branch.is_object() && only_value(branch, n) != nullptr;
    });
    if (everywhere) return name;
  }
  return std::nullopt;
}

json specialise(const json& schema, const json& value, Faults& faults) {
  return specialise_at(schema, value, "", faults);
}

json merge_configuration(const json& schema, json current, const json& patch) {
  if (!patch.is_object() || !current.is_object()) return patch;
  const json* branch = nullptr;
  if (const auto d = discriminator_of(schema)) {
    const auto wanted = patch.find(*d);
    const auto is = current.find(*d);
    if (wanted != patch.end() && (is == current.end() || *is != *wanted)) return patch;
    for (const auto& b : schema["oneOf"])
      if (is != current.end() && *only_value(b, *d) == *is) branch = &b;
  }
  const auto schema_of = [&](const std::string& name) -> json {
    for (const json* s : {&schema, branch}) {
      if (!s || !s->is_object()) continue;
      const auto properties = s->find("properties");
      if (properties != s->end() && properties->is_object() && properties->contains(name)) return (*properties)[name];
    }
    return json::object();
  };
  for (const auto& [name, v] : patch.items()) {
    if (v.is_null())
      current.erase(name);
    else if (current.contains(name))
      current[name] = merge_configuration(schema_of(name), current[name], v);
    else
      current[name] = v;
  }
  return current;
}

}  // namespace millrace::resources
