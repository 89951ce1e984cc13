// The body of POST /v1/jobs.
#pragma once

#include <vector>

#include "api/json_body.h"
#include "api/message.h"
#include "workflows/jobs.h"

namespace millrace::api {

// Throws BodyError with all faults, also options that are not of the job's type.
workflows::JobRequest read_job_request(const Request& request);

// The field `streams` of a body: a list of {namespace, name}.
std::vector<connectors::StreamName> read_streams(FieldReader& fields);

}  // namespace millrace::api
