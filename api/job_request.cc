#include "api/job_request.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

// Text, or a number as it would be written: bounds of a window may be either.
std::string text_or_number(FieldReader& fields, const char* name) {
  const nlohmann::json* value = fields.value(name);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number()) return value->dump();
  fields.fault(name, "must be a string or a number");
  return {};
}

void read_refresh(FieldReader& fields, const std::string& type, workflows::SyncOptions& options) {
  options.keep = fields.boolean("keep") || fields.boolean("keepRecords");
  if (const nlohmann::json* mode = fields.value("refreshMode")) {  // the words of Airbyte's own interface
    if (*mode == "Merge" || *mode == "merge")
      options.keep = true;
    else if (*mode != "Truncate" && *mode != "truncate")
      fields.fault("refreshMode", "must be Merge or Truncate");
  }
  if (options.keep && type != "refresh") fields.fault("keep", "is of jobType refresh only");
}

void read_window(FieldReader& fields, const std::string& type, workflows::SyncOptions& options) {
  options.from = text_or_number(fields, "from");
  options.to = text_or_number(fields, "to");
  options.field = fields.text("field");
  if (options.field.empty()) options.field = fields.text("cursorField");
  options.filter = fields.text("filter");
  if (options.filter.empty()) options.filter = fields.text("condition");
  const bool any = !options.from.empty() || !options.to.empty() || !options.filter.empty();
  if (type != "backfill") {
    if (any || !options.field.empty()) fields.fault("from", "a window or filter is of jobType backfill only");
    return;
  }
  if (!any) fields.fault("from", "a backfill needs a window (from, to) or a filter");
  if (options.filter.empty()) return;
  if (const std::string fault = workflows::filter_fault(options.filter); !fault.empty()) fields.fault("filter", fault);
}

}  // namespace

std::vector<connectors::StreamName> read_streams(FieldReader& fields) {
  std::vector<connectors::StreamName> out;
  const nlohmann::json* streams = fields.value("streams");
  if (streams == nullptr || streams->is_null()) return out;
  if (!streams->is_array()) {
    fields.fault("streams", "must be an array of {namespace, name}");
    return out;
  }
  for (std::size_t i = 0; i < streams->size(); ++i) {
    FieldReader one((*streams)[i], "/streams/" + std::to_string(i), true);
    connectors::StreamName name;
    name.ns = one.text("namespace");
    name.name = one.text("name", true);
    one.finish();
    out.push_back(std::move(name));
  }
  return out;
}

workflows::JobRequest read_job_request(const Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  workflows::JobRequest job;
  job.connection_id = fields.text("connectionId", true);
  job.job_type = fields.text("jobType");
  if (job.job_type.empty()) job.job_type = "sync";
  job.streams = read_streams(fields);
  const nlohmann::json none = nlohmann::json::object();
  const nlohmann::json* given = fields.value("options");
  {
    FieldReader inner(given != nullptr ? *given : none, "/options", true);
    constexpr auto kMax = static_cast<std::int64_t>(workflows::SyncOptions::kMaxParallel);
    job.only_failed = inner.boolean("onlyFailed");
    job.options.adopt = inner.boolean("adopt");
    job.options.dry_run = inner.boolean("dryRun");
    if (job.options.dry_run && (job.job_type == "clear" || job.job_type == "normalize"))
      inner.fault("dryRun", "is of jobType sync, refresh and backfill only");
    if (const auto n = inner.integer("streamsParallel", 1, kMax))
      job.options.streams_parallel = static_cast<std::size_t>(*n);
    if (const auto n = inner.integer("splitsParallel", 1, kMax))
      job.options.splits_parallel = static_cast<std::size_t>(*n);
    if (const auto n = inner.integer("rowsPerSplit", 1, 1'000'000'000)) job.options.rows_per_split = *n;
    read_refresh(inner, job.job_type, job.options);
    read_window(inner, job.job_type, job.options);
    inner.finish();
  }
  fields.finish();
  job.request_id = idempotency_key_of(request);
  job.principal = principal_of(request);
  return job;
}

}  // namespace millrace::api
