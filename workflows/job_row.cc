#include "workflows/job_row.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"

namespace millrace::workflows {

using nlohmann::json;

std::string encode_job(const JobRow& row) {
  const json out = {{"v", 1},
                    {"jobId", row.job_id},
                    {"jobType", row.job_type},
                    {"connectionId", row.connection_id},
                    {"connectionName", row.connection_name},
                    {"workflowId", row.workflow_id},
                    {"runId", row.run_id},
                    {"principal", row.principal},
                    {"createdUs", to_micros(row.created)},
                    {"input", json::parse(to_json(row.input))}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

JobRow decode_job(const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || value.value("v", 0) != 1) throw Error("store.corrupt", "the row of a job is not version 1");
  JobRow row;
  row.job_id = value.value("jobId", std::int64_t{0});
  row.job_type = value.value("jobType", "");
  row.connection_id = value.value("connectionId", "");
  row.connection_name = value.value("connectionName", "");
  row.workflow_id = value.value("workflowId", "");
  row.run_id = value.value("runId", "");
  row.principal = value.value("principal", "");
  row.created = from_micros(value.value("createdUs", std::int64_t{0}));
  row.input = job_input_from_json(value.value("input", json::object()).dump());
  return row;
}

}  // namespace millrace::workflows
