// Jobs as the API shows them, made of the job's row and its execution. Pure functions.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.h"
#include "workflows/job_row.h"

namespace millrace::workflows {

// pending | running | incomplete | succeeded | failed | cancelled
std::string job_status(const engine::ExecutionDetail& detail);
nlohmann::json job_view(const JobRow& row, const engine::ExecutionDetail& detail, WallTime now);
// The streams of a sync or normalize job, from whatever its steps have told so far.
nlohmann::json job_streams(const engine::ExecutionDetail& detail);
// ISO 8601 as Airbyte writes it: PT1H2M3S, PT0S.
std::string iso_duration(Duration d);

}  // namespace millrace::workflows
