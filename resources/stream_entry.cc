// The form of one element of configurations.streams.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/mapper_entry.h"
#include "resources/stream_selection.h"

namespace millrace::resources {
namespace {

using nlohmann::json;

// Airbyte's modes for data activation, which are no modes here.
constexpr const char* kForeignModes[] = {"full_refresh_update", "incremental_update", "full_refresh_soft_delete",
                                         "incremental_soft_delete"};

std::string all_modes() {
  std::string text;
  using enum connectors::SyncMode;
  for (auto mode : {full_refresh_overwrite, full_refresh_append, full_refresh_overwrite_deduped, incremental_append,
                    incremental_deduped_history}) {
    if (!text.empty()) text += ", ";
    text += connectors::to_string(mode);
  }
  return text;
}

bool is_name(const json& value) { return value.is_string() && !value.get_ref<const std::string&>().empty(); }

// A field path of one part: nested ones have no column of their own.
std::optional<std::string> field_of(const json& path) {
  if (is_name(path)) return path.get<std::string>();
  if (path.is_array() && path.size() == 1 && is_name(path[0])) return path[0].get<std::string>();
  return std::nullopt;
}

json primary_key(const json& value, const std::string& pointer, Faults& faults) {
  json out = json::array();
  if (!value.is_array()) {
    faults.add(pointer, "must be an array of field paths such as [[\"id\"]]");
    return out;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (const auto field = field_of(value[i]))
      out.push_back(json::array({*field}));
    else
      faults.add(pointer + pointer_token(i), "must be a path of one field: nested keys can't be used");
  }
  return out;
}

json selected_fields(const json& value, const std::string& pointer, Faults& faults) {
  json out = json::array();
  if (!value.is_array() || value.empty()) {
    faults.add(pointer, "must be an array of field names or of {fieldPath: [name]}; leave it out to take all");
    return out;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const json& v = value[i];
    const bool long_form = v.is_object() && v.size() == 1 && v.contains("fieldPath") && v["fieldPath"].is_array();
    const auto field = long_form ? field_of(v["fieldPath"]) : v.is_string() ? field_of(v) : std::nullopt;
    if (field)
      out.push_back({{"fieldPath", json::array({*field})}});
    else
      faults.add(pointer + pointer_token(i),
                 "must be a field name or {fieldPath: [name]}: nested fields can't be selected");
  }
  return out;
}

json sync_mode(const json& value, const std::string& pointer, Faults& faults) {
  if (!value.is_string()) {
    faults.add(pointer, "must be one of " + all_modes() + instead_of(value));
    return "full_refresh_overwrite";
  }
  const auto& text = value.get_ref<const std::string&>();
  if (std::find(std::begin(kForeignModes), std::end(kForeignModes), text) != std::end(kForeignModes))
    faults.add(pointer,
               text + " is a mode for data activation, which no destination here has; use one of " + all_modes());
  else if (!connectors::parse_sync_mode(text))
    faults.add(pointer, "must be one of " + all_modes() + instead_of(value));
  return value;
}

}  // namespace

json normalise_stream_entry(const json& entry, const std::string& pointer, Faults& faults) {
  json out = json::object();
  if (!entry.is_object()) {
    faults.add(pointer, "must be an object with name");
    return out;
  }
  out["syncMode"] = "full_refresh_overwrite";
  std::string filter;  // of mappers that filter rows
  for (const auto& [field, value] : entry.items()) {
    const std::string at = pointer + pointer_token(field);
    if (field == "name" || field == "destinationObjectName") {
      if (!is_name(value)) faults.add(at, "must be a string that is not empty");
      out[field] = value;
    } else if (field == "namespace") {
      if (value.is_null()) continue;
      if (!value.is_string()) faults.add(at, "must be of type string");
      out[field] = value;
    } else if (field == "syncMode") {
      out[field] = sync_mode(value, at, faults);
    } else if (field == "cursorField") {
      if (value.is_array() && value.empty()) continue;
      if (const auto f = field_of(value))
        out[field] = json::array({*f});
      else
        faults.add(at, "must be a path of one field such as [\"updated_at\"]");
    } else if (field == "primaryKey") {
      auto key = primary_key(value, at, faults);
      if (!key.empty()) out[field] = std::move(key);
    } else if (field == "selectedFields") {
      if (value.is_null()) continue;
      out[field] = selected_fields(value, at, faults);
    } else if (field == "filter") {
      if (value.is_null() || value == json("")) continue;
      out[field] = normalise_filter(value, at, faults);
    } else if (field == "limit") {
      if (value.is_null()) continue;
      if (!value.is_number_integer() || value.get<std::int64_t>() < 1)
        faults.add(at, "must be a number of rows, 1 or more");
      else
        out[field] = value;
    } else if (field == "mappers") {
      if (value.is_null()) continue;
      auto mappers = normalise_mappers(value, at, filter, faults);
      if (!mappers.empty()) out[field] = std::move(mappers);
    } else if (field == "keys" || field == "softDelete" || field == "strict" || field == "keepHistory" ||
               field == "raw") {
      if (!value.is_boolean()) faults.add(at, "must be of type boolean");
      out[field] = value;
    } else {
      faults.add(at, "is not a known field of a stream");
    }
  }
  if (!filter.empty())
    out["filter"] = out.contains("filter") ? "(" + out["filter"].get<std::string>() + ") AND (" + filter + ")" : filter;
  const auto mode = connectors::parse_sync_mode(out["syncMode"].is_string() ? out["syncMode"].get<std::string>() : "");
  if (out.contains("limit") && mode && connectors::is_incremental(*mode))
    faults.add(pointer + "/limit",
               "is for modes that read everything: an incremental one would lose what is beyond it");
  if (out.value("keepHistory", json()) == json(true) && mode != connectors::SyncMode::incremental_deduped_history)
    faults.add(pointer + "/keepHistory",
               "is of syncMode incremental_deduped_history: it keeps the versions that one dedupes");
  if (!entry.contains("name")) faults.add(pointer + "/name", "is required");
  if (entry.contains("destinationObjectName") && entry.contains("name") && entry["name"].is_string() &&
      entry["name"].get_ref<const std::string&>().find('*') != std::string::npos)
    faults.add(pointer + "/destinationObjectName",
               "can't be given to a pattern: all its streams would go to one table");
  return out;
}

}  // namespace millrace::resources
