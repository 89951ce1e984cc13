// Executions as /v1/workflows shows them.
#pragma once

#include <string>

#include "engine/engine.h"

namespace millrace::api {

// One of a list: no input, no result.
std::string execution_summary_json(const engine::Execution& execution);
// Everything: input, result or failure, steps with all attempts, timers.
std::string execution_detail_json(const engine::ExecutionDetail& detail);
// What a start that waited answers: workflowId, runId, status, result or failure.
std::string execution_outcome_json(const engine::Execution& execution);

}  // namespace millrace::api
