#include "api/doctor_json.h"

#include "api/handlers.h"

namespace millrace::api {

std::string doctor_json(const engine::DoctorReport& report) {
  JsonObject by_check;
  for (const auto& [check, n] : report.by_check) by_check.number(check, std::int64_t(n));
  std::string faults = "[";
  for (const engine::StoreFault& fault : report.faults) {
    if (faults.size() > 1) faults += ',';
    faults += JsonObject()
                  .text("check", fault.check)
                  .raw("workflowId", fault.workflow_id.empty() ? "null" : json_text(fault.workflow_id))
                  .raw("runId", fault.run_id.empty() ? "null" : json_text(fault.run_id))
                  .text("detail", fault.detail)
                  .take();
  }
  return JsonObject()
      .text("summary", engine::summary_of(report))
      .number("runs", std::int64_t(report.runs))
      .number("events", std::int64_t(report.events))
      .number("rows", std::int64_t(report.rows))
      .number("faultCount", std::int64_t(report.fault_count))
      .raw("byCheck", by_check.take())
      .raw("faults", faults + "]")
      .take();
}

}  // namespace millrace::api
