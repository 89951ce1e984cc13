// The care of a server: doctor, backups, executions that were set aside.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "api/doctor_json.h"
#include "api/execution_json.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "common/errors.h"
#include "common/metrics.h"

namespace millrace::api {
namespace {

namespace fs = std::filesystem;

void copy_secret_key(const std::string& from, const std::string& directory) {
  const std::string to = directory + "/secret.key";
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (!error) fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  if (error) throw Error("store.backup_failed", to + ": " + error.message());
}

asio::awaitable<Response> back_up(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const std::string directory = fields.text("directory", true);
  const bool with_key = fields.boolean("includeSecretKey");
  if (!directory.empty() && directory.front() != '/')
    fields.fault("directory", "must be an absolute path on the server's host");
  if (with_key && services.secret_key_file.empty())
    fields.fault("includeSecretKey", "this server keeps its key in no file");
  fields.finish();
  const state::BackupInfo made = co_await services.store->back_up(directory);
  if (with_key) {
    auto copy = [&] { copy_secret_key(services.secret_key_file, directory); };
    co_await services.runtime.blocking(copy);
  }
  metric_gauge("millrace_backup_last_success_timestamp_seconds", "When the last backup was complete")
      .set(double(to_micros(services.runtime.now())) / 1e6);
  co_return json_response(200, JsonObject()
                                   .number("backupId", made.id)
                                   .text("directory", directory)
                                   .number("bytes", std::int64_t(made.bytes))
                                   .number("files", made.files)
                                   .number("time", made.time)
                                   .boolean("secretKey", with_key)
                                   .take());
}

asio::awaitable<Response> resume(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  fields.finish();
  const std::string id = request.path_values.at("id");
  const std::string run = request.query_value("runId").value_or("");
  co_await services.engine->resume(id, run);
  const engine::ExecutionDetail detail = co_await services.engine->describe(id, run);
  co_return json_response(200, execution_summary_json(detail.execution));
}

}  // namespace

void add_operation_routes(Router& router, const Services& services) {
  Route doctor("GET", "/v1/doctor", "Does what lies in the store hold together? Looks at all of it, changes nothing");
  doctor.tag = "Machines";
  doctor.scope = Scope::read;
  doctor.handler = [services](Request&) -> asio::awaitable<Response> {
    std::shared_ptr<state::Snapshot> view = services.store->snapshot();
    const engine::DoctorReport report = co_await engine::examine(std::move(view), {});
    co_return json_response(200, doctor_json(report));
  };
  router.add(std::move(doctor));

  Route backup("POST", "/v1/backups", "Back up the store to a directory on the server's host, beside normal work");
  backup.tag = "Machines";
  backup.scope = Scope::admin;
  backup.body_schema = "BackupCreate";
  backup.handler = [services](Request& request) { return back_up(services, request); };
  router.add(std::move(backup));

  Route again("POST", "/v1/workflows/{id}/resume", "Go on with an execution that was set aside after crashes");
  again.tag = "Workflows";
  again.scope = Scope::admin;
  again.query.emplace_back("runId", "string", "a run; the current one by default");
  again.handler = [services](Request& request) { return resume(services, request); };
  router.add(std::move(again));
}

}  // namespace millrace::api
