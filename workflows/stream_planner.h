// The plan of one stream: a pure function of the connection, the job and what the catalog says of it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "resources/stream_selection.h"
#include "workflows/sync_plan.h"

namespace millrace::workflows {

// Never throws for what a user or a source can cause: such a stream has its failure in the plan.
StreamPlan plan_stream(const PlanInput& input, const nlohmann::json& spec, const connectors::Stream& stream,
                       const resources::StreamEntry& entry);

}  // namespace millrace::workflows
