// The form of configurations.streams[].mappers, filter and limit.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "resources/validation_error.h"

namespace millrace::resources {

// The stored form of a list of mappers (connectors/mapper.h). Taken are that form and a short one: {type: rename,
// field, to}, {type: hash, field, method?, suffix?}, {type: encrypt, field, publicKey, suffix?}, {type: redact, field,
// value?}, {type: cast, field, to}; and Airbyte's row-filtering, whose condition joins `filter`.
nlohmann::json normalise_mappers(const nlohmann::json& list, const std::string& pointer, std::string& filter,
                                 Faults& faults);

// A condition that is valid, or a fault.
std::string normalise_filter(const nlohmann::json& value, const std::string& pointer, Faults& faults);

}  // namespace millrace::resources
