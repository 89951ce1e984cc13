// Bodies of the API's POST, PUT and PATCH, brought to the long form that is stored, or all their faults.
//
// A long form is {name, definitionId, configuration} of a source or destination, {name, sourceId, destinationId,
// status, schedule, ...} of a connection, defaults filled in, so that a later version's default doesn't change what is
// here.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "resources/resources.h"
#include "resources/validation_error.h"

namespace millrace::resources {

// What is there already, for an update: the long form with secrets filled in.
struct CurrentBody {
  const nlohmann::json* spec = nullptr;  // null: a create
  UpdateMode mode = UpdateMode::put;
};

// Secrets in the answer are plain. Unfit bodies add faults; the answer is of use only if there are none.
nlohmann::json normalise_connector_body(Kind kind, const nlohmann::json& body, const CurrentBody& current,
                                        const connectors::Registry& registry, Faults& faults);

// A source or destination that a connection's body names.
struct Reference {
  std::string id;
  const connectors::Connector* connector = nullptr;
};
struct ReferenceName {
  std::string text;
  bool by_id = false;
  std::string pointer;
};
// What `body` says of its source (or destination): sourceId, or the shorthand source. Adds a fault if it says both, or
// something that is no string. Empty: nothing is said.
std::optional<ReferenceName> reference_name(Kind kind, const nlohmann::json& body, Faults& faults);

// `source` and `destination` are what the references stand for; empty where that is unknown (the fault is told
// already).
nlohmann::json normalise_connection_body(const nlohmann::json& body, const CurrentBody& current,
                                         const std::optional<Reference>& source,
                                         const std::optional<Reference>& destination, Faults& faults);

// The field `name` of a body: 1 to 256 bytes, no control characters.
void check_name(const nlohmann::json& name, const std::string& pointer, Faults& faults);

}  // namespace millrace::resources
