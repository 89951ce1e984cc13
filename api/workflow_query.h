// The list filter of /v1/workflows: Field = 'value' AND Field = "value". A part of Temporal's list filter language
// (its visibility documentation, "List Filter"); what is not taken is refused by name, never ignored.
#pragma once

#include <string>

#include "engine/engine.h"

namespace millrace::api {

// Fields: Status or ExecutionStatus, WorkflowType, WorkflowId. Throws workflow.query_invalid.
engine::ListFilter parse_workflow_query(const std::string& query);

}  // namespace millrace::api
