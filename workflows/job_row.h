// The stored row of a job: what never changes about it. Its status, steps and streams are read from its execution.
//
//   job | number -> {"v":1, "jobId", "jobType", "connectionId", "connectionName", "workflowId", "runId", "principal",
//                    "createdUs", "input": {...}}        input: what the workflow got (job_input.h)
#pragma once

#include <cstdint>
#include <string>

#include "common/time_point.h"
#include "workflows/job_input.h"

namespace millrace::workflows {

struct JobRow {
  JobRow() = default;
  std::int64_t job_id = 0;
  std::string job_type;
  std::string connection_id;
  std::string connection_name;
  std::string workflow_id;
  std::string run_id;
  std::string principal;
  WallTime created;
  JobInput input;
};

std::string encode_job(const JobRow& row);
JobRow decode_job(const std::string& text);  // throws store.corrupt

}  // namespace millrace::workflows
