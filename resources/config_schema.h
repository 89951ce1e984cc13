// A connector's specification (JSON Schema draft 7 with Airbyte's annotations) applied to a configuration.
//
// Two things are done before valijson sees a schema. A `oneOf` that is told apart by a constant (Airbyte's way:
// ssl_mode.mode) is replaced by the branch that the value names, so that faults are about that branch and not about
// all. And `pattern` is taken out and matched by RE2, whose time is linear; valijson's std::regex recurses once a
// character. Strings are bounded by the caller first (json_body.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "resources/validation_error.h"

namespace millrace::resources {

// `schema` for this one `value`: branches chosen, patterns as "x-pattern". Adds a fault where a branch can't be chosen.
nlohmann::json specialise(const nlohmann::json& schema, const nlohmann::json& value, Faults& faults);

// Adds the faults of `value`; pointers are relative to it. `specialised` is what specialise() made for this value.
void validate_against(const nlohmann::json& specialised, const nlohmann::json& value, Faults& faults);

// Calls `secret` for each part of `value` that is marked airbyte_secret, and for strings that the schema doesn't
// describe and whose name says that they are one (password, token, ...).
void for_each_secret(const nlohmann::json& specialised, nlohmann::json& value,
                     const std::function<void(nlohmann::json& secret, const std::string& pointer)>& secret);

// The property that tells the branches of schema's oneOf apart; empty: none.
std::optional<std::string> discriminator_of(const nlohmann::json& schema);

// RFC 7386 (null removes), but where the patch chooses another branch of a oneOf the former branch goes as a whole.
nlohmann::json merge_configuration(const nlohmann::json& schema, nlohmann::json current, const nlohmann::json& patch);

}  // namespace millrace::resources
