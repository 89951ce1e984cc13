// JSON bodies from outside: parsed within bounds, and searched for what a server must not be sent.
#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "resources/validation_error.h"

namespace millrace::resources {

inline constexpr std::size_t kMaxBodyBytes = 4 << 20;        // one resource
inline constexpr std::size_t kMaxDocumentsBytes = 32 << 20;  // a list of documents
inline constexpr std::size_t kMaxDepth = 64;                 // of nested arrays and objects
inline constexpr std::size_t kMaxStringBytes = 64 << 10;     // of one string, before any pattern sees it

// Parses `text`. Throws resource.invalid_json (with the byte where it fails, or the bound that it passes) if it is not
// JSON within the bounds.
nlohmann::json parse_body(const std::string& text, std::size_t max_bytes);

// Adds a fault for each string over kMaxStringBytes. Returns false if there is one: `value` must then not be matched
// against patterns.
bool check_strings(const nlohmann::json& value, const std::string& pointer, Faults& faults);

// Throws resource.unexpanded_reference if a string in `value` holds ${env:...}, ${file:...} or ${secret:...}.
void refuse_references(const nlohmann::json& value);

}  // namespace millrace::resources
