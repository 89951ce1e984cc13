// The look at what has changed at a source, as a part of the step discover.
#pragma once

#include <nlohmann/json.hpp>

#include "connectors/schema.h"
#include "workflows/steps.h"

namespace millrace::workflows {

struct SchemaLook {
  SchemaLook() = default;
  nlohmann::json changes = nlohmann::json::array();  // [{namespace, name, changes: [...]}]
  bool stops = false;  // by its policy; the connection is inactive then, and the change is kept for when it is not
};

// Compares the catalog with what each stream's last load took. A dry run changes nothing.
asio::awaitable<SchemaLook> look_at_schemas(engine::StepContext& ctx, ResourcesPtr resources, JobInput job,
                                            connectors::Catalog catalog);

}  // namespace millrace::workflows
