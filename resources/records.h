// The stored form of a resource and its revisions, and what a configuration looks like at rest.
//
// Row `resource` (the newest revision) and row `revision` (each one) hold the same JSON object:
//   {"v":1, "kind", "id", "name", "revision", "created_us", "updated_us", "principal", "spec": {...}}
// Row `secret`: the sealed JSON text of one value (secret_box.cc). Row `resource` of kind "source_use" or
// "destination_use": {"v":1, "connections": [id, ...]}, who uses it; a condition of removing it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "resources/resources.h"

namespace millrace::resources {

inline constexpr int kRecordVersion = 1;
inline constexpr std::string_view kMask = "**********";
// What stands at a secret's place at rest: {"_secret": id, "_hash": keyed hash}. Refused in bodies.
inline constexpr const char* kSecretId = "_secret";
inline constexpr const char* kSecretHash = "_hash";
// One workspace exists.
inline constexpr std::string_view kWorkspaceId = "00000000-0000-0000-0000-000000000001";

std::string encode_resource(const Resource& resource);
// Throws store.corrupt.
Resource decode_resource(const std::string& row);

std::string encode_uses(const std::vector<std::string>& connections);
std::vector<std::string> decode_uses(const std::string& row);

bool is_secret_reference(const nlohmann::json& value);
// Calls `f` for each secret reference in `value`, which may be replaced by it.
void for_each_reference(nlohmann::json& value, const std::function<void(nlohmann::json&)>& f);
// keyed hash -> reference, of all secrets in a stored specification.
std::map<std::string, nlohmann::json> references_by_hash(nlohmann::json spec);

// The JSON of the API (Resources::public_json).
std::string public_resource_json(const Resource& resource, const connectors::Registry& registry);

}  // namespace millrace::resources
