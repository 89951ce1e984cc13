// Airbyte's public API shapes: only its fields and enum values, since its SDK's enums are closed and one foreign value
// breaks a whole list. Field lists: airbyte-api 1.0, models SourceResponse, DestinationResponse, ConnectionResponse,
// JobResponse.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "resources/resources.h"

namespace millrace::api {

// From our JSON of a resource or job to Airbyte's.
nlohmann::json airbyte_resource(resources::Kind kind, const nlohmann::json& ours);
// Empty: a job of a type that Airbyte does not have.
std::optional<nlohmann::json> airbyte_job(const nlohmann::json& ours);
// A body as Airbyte's clients send it, with what we don't know taken out (named in the log).
std::string airbyte_body_to_ours(resources::Kind kind, const std::string& body);

}  // namespace millrace::api
