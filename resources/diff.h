// What differs between two specifications, field by field, for people.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace millrace::resources {

// [{path, before, after}], paths as JSON pointers; a field that is new has no `before`, one that goes no `after`.
// Secret references are compared by their keyed hash and shown masked, or as "(changed)".
nlohmann::json diff_specs(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace millrace::resources
