// valijson's verdict in our words. It tells a context ("[ssl_mode]", "[mode]") and a generic sentence; what was wanted
// is looked up in the schema at that place, so that a fault can be mended without reading the specification.
#include <re2/re2.h>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "common/errors.h"
#include "resources/config_schema.h"

namespace millrace::resources {
namespace {

using nlohmann::json;
using Nodes = std::vector<const json*>;

// `schema` and all that applies beside it to the same value.
void flatten(const json& schema, Nodes& out) {
  if (!schema.is_object()) return;
  out.push_back(&schema);
  for (const char* key : {"allOf", "anyOf", "oneOf"})
    if (const auto list = schema.find(key); list != schema.end() && list->is_array())
      for (const auto& s : *list) flatten(s, out);
}

Nodes nodes_of_property(const Nodes& nodes, const std::string& name) {
  Nodes out;
  for (const json* n : nodes)
    if (const auto properties = n->find("properties"); properties != n->end() && properties->is_object())
      if (const auto p = properties->find(name); p != properties->end()) flatten(*p, out);
  return out;
}

Nodes nodes_of_items(const Nodes& nodes) {
  Nodes out;
  for (const json* n : nodes)
    if (const auto items = n->find("items"); items != n->end() && items->is_object()) flatten(*items, out);
  return out;
}

std::string list_of(const json& values) {
  std::string text;
  for (const auto& v : values) {
    if (!text.empty()) text += ", ";
    text += v.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return text;
}

bool name_says_secret(std::string_view name);
bool marked_secret(const Nodes& nodes);

// `given`: the value at fault; null: unknown, or not to be shown.
std::string wanted(const Nodes& nodes, const std::string& description, const json* given) {
  const auto instead = [&] { return given ? instead_of(*given) : std::string(); };
  const auto find = [&](const char* key) -> const json* {
    for (const json* n : nodes)
      if (const auto it = n->find(key); it != n->end()) return &*it;
    return nullptr;
  };
  if (description.find("'type'") != std::string::npos)
    if (const json* type = find("type"))
      return "must be of type " + (type->is_array() ? list_of(*type) : type->get<std::string>());
  if (description.find("enum") != std::string::npos)
    if (const json* values = find("enum")) return "must be one of " + list_of(*values) + instead();
  if (description.find("'const'") != std::string::npos)
    if (const json* value = find("const"))
      return "must be " + value->dump(-1, ' ', false, json::error_handler_t::replace) + instead();
  return description;
}

std::string quoted_part(const std::string& text) {
  const auto from = text.find('\'');
  const auto to = text.rfind('\'');
  return from == std::string::npos || to <= from ? std::string() : text.substr(from + 1, to - from - 1);
}

constexpr std::string_view kUnknownField = "Object contains a property that could not be validated";
constexpr std::string_view kMissing = "Missing required property '";

void add_valijson_fault(const json& schema, const json& value, const valijson::ValidationResults::Error& error,
                        Faults& faults) {
  // Sentences of an outer object about an inner one, which has told its own.
  if (error.description.starts_with("Failed to validate against schema associated with") ||
      error.description.starts_with("Failed to validate item #") ||
      error.description.starts_with("Failed to validate against all child schemas"))
    return;
  std::string pointer;
  std::string last;
  Nodes nodes;
  flatten(schema, nodes);
  for (const auto& step : error.context) {
    if (step.size() < 2 || step.front() != '[') continue;  // "<root>"
    const std::string name = step.substr(1, step.size() - 2);
    Nodes below = nodes_of_property(nodes, name);
    nodes = below.empty() ? nodes_of_items(nodes) : below;
    pointer += pointer_token(name);
    last = name;
  }
  if (error.description.starts_with(kUnknownField)) {
    // It names the last one in quotes after the words 'properties' and 'additionalProperties'.
    const auto from = error.description.rfind(": '");
    const std::string name =
        from == std::string::npos ? "" : error.description.substr(from + 3, error.description.size() - from - 5);
    faults.add(pointer + pointer_token(name), "is not a known field");
  } else if (error.description.starts_with(kMissing)) {
    faults.add(pointer + pointer_token(quoted_part(error.description)), "is required");
  } else {
    const bool secret = marked_secret(nodes) || name_says_secret(last);
    const json::json_pointer at(pointer);
    const json* given = !secret && value.contains(at) ? &value.at(at) : nullptr;
    faults.add(pointer, wanted(nodes, error.description, given));
  }
}

void check_patterns(const Nodes& nodes, const json& value, const std::string& pointer, Faults& faults) {
  if (value.is_string()) {
    for (const json* n : nodes) {
      const auto pattern = n->find("x-pattern");
      if (pattern == n->end()) continue;
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(1 << 20);
      const RE2 re(pattern->get_ref<const std::string&>(), options);
      // A pattern that RE2 can't read (a look-ahead) is left to the connector's own check.
      if (re.ok() && !RE2::PartialMatch(value.get_ref<const std::string&>(), re)) {
        const auto hint = n->find("pattern_descriptor");
        faults.add(pointer, hint != n->end() && hint->is_string() ? "must have the form " + hint->get<std::string>()
                                                                  : "does not match " + pattern->get<std::string>());
      }
    }
  } else if (value.is_object()) {
    for (const auto& [name, v] : value.items())
      check_patterns(nodes_of_property(nodes, name), v, pointer + pointer_token(name), faults);
  } else if (value.is_array()) {
    const Nodes items = nodes_of_items(nodes);
    for (std::size_t i = 0; i < value.size(); ++i) check_patterns(items, value[i], pointer + pointer_token(i), faults);
  }
}

bool name_says_secret(std::string_view name) {
  std::string lower;
  for (char c : name) lower += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* word :
       {"password", "passphrase", "secret", "token", "credential", "private_key", "ssh_key", "api_key", "apikey"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

bool marked_secret(const Nodes& nodes) {
  for (const json* n : nodes)
    if (const auto s = n->find("airbyte_secret"); s != n->end() && s->is_boolean() && s->get<bool>()) return true;
  return false;
}

using SecretFunction = std::function<void(json&, const std::string&)>;

void walk_secrets(const Nodes& nodes, json& value, const std::string& pointer, const SecretFunction& secret) {
  if (value.is_object()) {
    for (auto& [name, v] : value.items()) {
      const Nodes below = nodes_of_property(nodes, name);
      const std::string at = pointer + pointer_token(name);
      if (marked_secret(below) || (below.empty() && v.is_string() && name_says_secret(name)))
        secret(v, at);
      else
        walk_secrets(below, v, at, secret);
    }
  } else if (value.is_array()) {
    const Nodes items = nodes_of_items(nodes);
    const bool marked = marked_secret(items);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (marked)
        secret(value[i], pointer + pointer_token(i));
      else
        walk_secrets(items, value[i], pointer + pointer_token(i), secret);
    }
  }
}

}  // namespace

void validate_against(const json& specialised, const json& value, Faults& faults) {
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  try {
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(specialised), schema);
  } catch (const std::runtime_error& e) {
    throw Error("internal", std::string("a connector's specification is not a JSON Schema: ") + e.what());
  }
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (!validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(value), &results)) {
    const bool before = faults.empty();
    for (const auto& e : results) add_valijson_fault(specialised, value, e, faults);
    if (before && faults.empty()) faults.add("", "does not match the specification");
  }
  Nodes nodes;
  flatten(specialised, nodes);
  check_patterns(nodes, value, "", faults);
}

void for_each_secret(const json& specialised, json& value, const SecretFunction& secret) {
  Nodes nodes;
  flatten(specialised, nodes);
  walk_secrets(nodes, value, "", secret);
}

}  // namespace millrace::resources
