// The row that says which job holds a connection. Written by workflows/ with the start of a job, read here before a
// connection is removed. It stays when the job ends: whether it still holds is told by the run being open.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::resources {

// Stored as {"v":1,"jobId":7,"workflowId":"job-7","runId":"..."}.
struct ConnectionLock {
  ConnectionLock() = default;
  std::int64_t job_id = 0;
  std::string workflow_id;
  std::string run_id;
};

std::string encode_lock(const ConnectionLock& lock);
// Throws store.corrupt.
ConnectionLock decode_lock(const std::string& row);

}  // namespace millrace::resources
