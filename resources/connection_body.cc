#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/bodies.h"
#include "resources/json_body.h"
#include "resources/schedule.h"
#include "resources/stream_selection.h"

namespace millrace::resources {
namespace {

using nlohmann::json;

// One of `allowed`, or a fault that names them; `not_yet` are words of the contract that this version can't do.
void check_word(const json& value, const std::string& pointer, std::initializer_list<const char*> allowed,
                std::initializer_list<const char*> not_yet, Faults& faults) {
  std::string list;
  for (const char* word : allowed) {
    if (value == json(word)) return;
    if (!list.empty()) list += ", ";
    list += word;
  }
  for (const char* word : not_yet)
    if (value == json(word)) {
      faults.add(pointer, std::string(word) + " is not available in this version; use one of " + list);
      return;
    }
  faults.add(pointer, "must be one of " + list + instead_of(value));
}

bool can(const std::vector<connectors::SyncMode>& modes, connectors::SyncMode mode) {
  return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

json normalise_configurations(const json& value, Faults& faults) {
  json out = json::object();
  if (!value.is_object()) {
    faults.add("/configurations", "must be of type object");
    return out;
  }
  for (const auto& [field, _] : value.items())
    if (field != "streams") faults.add("/configurations" + pointer_token(field), "is not a known field");
  if (!value.contains("streams")) return out;
  const json& streams = value["streams"];
  const std::string pointer = "/configurations/streams";
  if (!streams.is_array() || streams.empty()) {
    faults.add(pointer, "must be an array with at least one stream; leave it out to take all");
    return out;
  }
  if (streams.size() > kMaxStreamEntries) {
    faults.add(pointer, "has " + std::to_string(streams.size()) + " entries, at most " +
                            std::to_string(kMaxStreamEntries) + " are taken");
    return out;
  }
  out["streams"] = json::array();
  for (std::size_t i = 0; i < streams.size(); ++i)
    out["streams"].push_back(normalise_stream_entry(streams[i], pointer + pointer_token(i), faults));
  return out;
}

// A mode that one of the two ends can't do is refused when it is written, not when it runs.
void check_modes(const json& spec, const connectors::Connector& source, const connectors::Connector& destination,
                 Faults& faults) {
  const auto entries = stream_entries(spec);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto mode = entries[i].sync_mode;
    const std::string pointer = "/configurations/streams" + pointer_token(i) + "/syncMode";
    if (!can(source.source_modes, mode))
      faults.add(pointer,
                 std::string(connectors::to_string(mode)) + " can't be done by the source connector " + source.name);
    if (!can(destination.destination_modes, mode))
      faults.add(pointer, std::string(connectors::to_string(mode)) + " can't be done by the destination connector " +
                              destination.name);
  }
}

constexpr const char* kReadOnly[] = {"workspaceId", "createdAt", "updatedAt", "revision", "warnings", "connectionId"};
constexpr const char* kReferences[] = {"source", "sourceId", "destination", "destinationId"};

}  // namespace

std::optional<ReferenceName> reference_name(Kind kind, const json& body, Faults& faults) {
  const std::string by_name(to_string(kind));
  const std::string by_id = by_name + "Id";
  const bool has_name = body.contains(by_name);
  const bool has_id = body.contains(by_id);
  if (has_name && has_id) faults.add("/" + by_name, "and " + by_id + " say the same thing: give one");
  if (!has_name && !has_id) return std::nullopt;
  ReferenceName out;
  out.by_id = has_id;
  out.pointer = "/" + (has_id ? by_id : by_name);
  const json& value = body[has_id ? by_id : by_name];
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    faults.add(out.pointer, "must be a string that is not empty");
    return std::nullopt;
  }
  out.text = value;
  return out;
}

json normalise_connection_body(const json& body, const CurrentBody& current, const std::optional<Reference>& source,
                               const std::optional<Reference>& destination, Faults& faults) {
  json out = {{"status", "active"},
              {"schedule", {{"scheduleType", "manual"}}},
              {"namespaceDefinition", "destination"},
              {"prefix", ""},
              {"nonBreakingSchemaUpdatesBehavior", "propagate_columns"},
              {"metadataColumns", "minimal"}};
  const bool keeps = current.spec && current.mode == UpdateMode::patch;
  if (keeps) out = *current.spec;
  if (source) out["sourceId"] = source->id;
  if (destination) out["destinationId"] = destination->id;
  if (!keeps && !body.contains("name")) faults.add("/name", "is required");
  const auto is_in = [](const auto& list, const std::string& field) {
    return std::find(std::begin(list), std::end(list), field) != std::end(list);
  };
  for (const auto& [field, value] : body.items()) {
    const std::string at = pointer_token(field);
    if (is_in(kReadOnly, field) || is_in(kReferences, field)) continue;
    if (field == "name") {
      check_name(value, at, faults);
    } else if (field == "status") {
      check_word(value, at, {"active", "inactive"}, {}, faults);
    } else if (field == "schedule") {
      out[field] = normalise_schedule(value, at, faults);
      continue;
    } else if (field == "namespaceDefinition") {
      check_word(value, at, {"source", "destination", "custom_format"}, {}, faults);
    } else if (field == "namespaceFormat" || field == "prefix") {
      if (value.is_null()) {
        out.erase(field);
        if (field == "prefix") out[field] = "";
        continue;
      }
      if (!value.is_string() || value.get_ref<const std::string&>().size() > 256)
        faults.add(at, "must be a string of at most 256 bytes");
    } else if (field == "nonBreakingSchemaUpdatesBehavior") {
      check_word(value, at, {"propagate_columns", "propagate_fully", "ignore", "disable_connection"}, {}, faults);
    } else if (field == "metadataColumns") {
      check_word(value, at, {"minimal", "none"}, {"airbyte"}, faults);
    } else if (field == "configurations") {
      const json configurations = normalise_configurations(value, faults);
      if (configurations.empty())
        out.erase(field);
      else
        out[field] = configurations;
      continue;
    } else if (field == "tags") {
      if (!value.is_array() || !value.empty())
        faults.add(at, "tags are not available in this version: leave them out or empty");
      continue;
    } else {
      faults.add(at, "is not a known field of a connection");
      continue;
    }
    out[field] = value;
  }
  if (out["namespaceDefinition"] == "custom_format" && !out.contains("namespaceFormat"))
    faults.add("/namespaceFormat", "is required with namespaceDefinition custom_format");
  if (faults.empty() && source && destination) check_modes(out, *source->connector, *destination->connector, faults);
  return out;
}

}  // namespace millrace::resources
