#include "resources/diff.h"

#include <nlohmann/json.hpp>

#include "resources/records.h"
#include "resources/validation_error.h"

namespace millrace::resources {
namespace {

using nlohmann::json;

json shown(json value) {
  for_each_reference(value, [](json& reference) { reference = kMask; });
  return value;
}

void compare(const json* before, const json* after, const std::string& path, json& out) {
  if (before && after && *before == *after) return;
  if (before && after && is_secret_reference(*before) && is_secret_reference(*after)) {
    if (before->value(kSecretHash, "") != after->value(kSecretHash, ""))
      out.push_back({{"path", path}, {"before", kMask}, {"after", "(changed)"}});
    return;
  }
  const bool objects = (!before || before->is_object()) && (!after || after->is_object());
  const bool secret = (before && is_secret_reference(*before)) || (after && is_secret_reference(*after));
  if (objects && !secret) {
    // One that is new or gone is told by its fields.
    std::map<std::string, std::pair<const json*, const json*>> fields;
    if (before)
      for (const auto& [name, v] : before->items()) fields[name].first = &v;
    if (after)
      for (const auto& [name, v] : after->items()) fields[name].second = &v;
    for (const auto& [name, pair] : fields) compare(pair.first, pair.second, path + pointer_token(name), out);
    if (!fields.empty()) return;
  }
  json change = {{"path", path}};
  if (before) change["before"] = shown(*before);
  if (after) change["after"] = shown(*after);
  out.push_back(std::move(change));
}

}  // namespace

json diff_specs(const json& before, const json& after) {
  json out = json::array();
  compare(&before, &after, "", out);
  return out;
}

}  // namespace millrace::resources
