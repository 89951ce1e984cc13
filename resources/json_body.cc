#include "resources/json_body.h"

#include <nlohmann/json.hpp>

namespace millrace::resources {
namespace {

constexpr std::string_view kReferences[] = {"${env:", "${file:", "${secret:"};

void find_references(const nlohmann::json& value, const std::string& pointer, Faults& faults) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    for (auto reference : kReferences) {
      if (text.find(reference) == std::string::npos) continue;
      const std::string name(reference.substr(0, reference.size() - 1));
      faults.add(pointer, reference == "${secret:"
                              ? "holds " + name + ":...}: this server has no provider of secrets"
                              : "holds " + name + ":...}, which the client expands and a server never does");
    }
    return;
  }
  if (value.is_object())
    for (const auto& [name, v] : value.items()) find_references(v, pointer + pointer_token(name), faults);
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i) find_references(value[i], pointer + pointer_token(i), faults);
}

}  // namespace

nlohmann::json parse_body(const std::string& text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    throw Error("resource.invalid_json", "the body has " + std::to_string(text.size()) + " bytes, at most " +
                                             std::to_string(max_bytes) + " are taken");
  bool too_deep = false;
  // Returning false drops the value at once, so that a deeply nested body never becomes a deeply nested tree.
  const auto bound = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > static_cast<int>(kMaxDepth)) too_deep = true;
    return !too_deep;
  };
  try {
    auto value = nlohmann::json::parse(text, bound);
    if (too_deep)
      throw Error("resource.invalid_json", "the body is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    return value;
  } catch (const nlohmann::json::parse_error& e) {
    throw Error("resource.invalid_json", "syntax error at byte " + std::to_string(e.byte));
  }
}

bool check_strings(const nlohmann::json& value, const std::string& pointer, Faults& faults) {
  bool ok = true;
  if (value.is_string() && value.get_ref<const std::string&>().size() > kMaxStringBytes) {
    faults.add(pointer, "has " + std::to_string(value.get_ref<const std::string&>().size()) + " bytes, at most " +
                            std::to_string(kMaxStringBytes) + " are taken");
    return false;
  }
  if (value.is_object())
    for (const auto& [name, v] : value.items()) {
      if (name.size() > kMaxStringBytes) {
        faults.add(pointer, "has a field whose name is longer than " + std::to_string(kMaxStringBytes) + " bytes");
        ok = false;
        continue;
      }
      ok = check_strings(v, pointer + pointer_token(name), faults) && ok;
    }
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i)
      ok = check_strings(value[i], pointer + pointer_token(i), faults) && ok;
  return ok;
}

void refuse_references(const nlohmann::json& value) {
  Faults faults;
  find_references(value, "", faults);
  if (!faults.empty()) throw ValidationError(faults.list(), "resource.unexpanded_reference");
}

}  // namespace millrace::resources
