// What a connection's quarantine holds, asked of its destination.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "connectors/schema.h"
#include "workflows/steps.h"

namespace millrace::workflows {

// {data: [{id, namespace, name, jobId, row, key, field, type, reason, value, time}], next}, oldest first, those with id
// > after. Throws resource.not_found, destination.unsupported, and what the destination meets.
asio::awaitable<std::string> quarantine_json(Runtime runtime, ResourcesPtr resources, std::string connection_id,
                                             std::optional<connectors::StreamName> stream, std::int64_t after,
                                             std::size_t limit);

}  // namespace millrace::workflows
