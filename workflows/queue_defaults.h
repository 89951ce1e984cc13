// The task queues of jobs, and what bounds them unless the server is told otherwise.
#pragma once

#include <string>
#include <string_view>

#include "engine/queues/limits.h"

namespace millrace::workflows {

// The steps sync and normalize of data jobs; all others use the engine's default queue, so that a flood of loads keeps
// no check or discovery waiting.
inline constexpr const char* kSyncQueue = "sync";

// 32 loads at once; 8 of them on one source host and 8 on one destination host.
engine::QueueSettings default_queues();

// "source:db.internal", "destination:dw.internal": what the limits by host count. `end` is "source" or "destination",
// `configuration` the resource's (JSON); empty where the connector has no host.
std::string host_key(std::string_view end, const std::string& configuration);

}  // namespace millrace::workflows
