// The JSON forms of schemas, as nlohmann values, for the files of this room that build larger documents.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "connectors/schema.h"

namespace millrace::connectors {

nlohmann::json field_to_json(const Field& field);
Field field_from_json(const nlohmann::json& json);
nlohmann::json schema_to_json(const Schema& schema);
Schema schema_value_from_json(const nlohmann::json& json);
// The JSON Schema of one field, with Airbyte's `airbyte_type` and `format`.
nlohmann::json field_json_schema(const Field& field);

}  // namespace millrace::connectors
