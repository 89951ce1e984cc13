#include "resources/connection_lock.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"

namespace millrace::resources {

std::string encode_lock(const ConnectionLock& lock) {
  return nlohmann::json{{"v", 1}, {"jobId", lock.job_id}, {"workflowId", lock.workflow_id}, {"runId", lock.run_id}}
      .dump();
}

ConnectionLock decode_lock(const std::string& row) {
  const auto value = nlohmann::json::parse(row, nullptr, false);
  if (!value.is_object() || value.value("v", 0) != 1)
    throw Error("store.corrupt", "a connection's lock is not version 1");
  ConnectionLock lock;
  lock.job_id = value.value("jobId", std::int64_t{0});
  lock.workflow_id = value.value("workflowId", "");
  lock.run_id = value.value("runId", "");
  return lock;
}

}  // namespace millrace::resources
