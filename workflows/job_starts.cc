#include "workflows/job_starts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "resources/connection_lock.h"
#include "state/keys.h"
#include "workflows/jobs_view.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;
namespace keys = state::keys;

namespace {

constexpr int kTries = 8;
constexpr std::size_t kLookBack = 1'000;  // jobs of a connection, to find its last sync

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// What the same request id must ask for again.
std::string digest_of(const JobRequest& request) {
  JobInput input;
  input.job_type = request.job_type;
  input.connection.id = request.connection_id;
  input.streams = request.streams;
  input.options = request.options;
  input.of_job = request.of_job;
  return to_json(input) + (request.only_failed ? "+onlyFailed" : "");
}

}  // namespace

JobStarts::JobStarts(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<engine::Engine> engine,
                     std::shared_ptr<resources::Resources> resources)
    : runtime_(std::move(runtime)),
      store_(store),
      engine_(std::move(engine)),
      resources_(std::move(resources)),
      numbers_(std::move(store)) {}

asio::awaitable<JobRow> JobStarts::row(std::int64_t job_id) {
  std::optional<std::string> text;
  if (job_id > 0) text = co_await store_->get(keys::job(static_cast<std::uint64_t>(job_id)));
  if (!text) throw Error("job.not_found", "there is no job " + std::to_string(job_id));
  co_return decode_job(*text);
}

asio::awaitable<std::optional<std::int64_t>> JobStarts::earlier(std::string request_id, std::string digest) {
  std::optional<std::int64_t> out;
  if (request_id.empty()) co_return out;
  const auto row = co_await store_->get(keys::dedupe("job", request_id));
  if (!row) co_return out;
  const json value = json::parse(*row);
  const auto job_id = value.at("jobId").get<std::int64_t>();
  if (value.value("digest", "") != digest)
    throw Error("idempotency.mismatch",
                "the key " + request_id + " started job " + std::to_string(job_id) + " with another body");
  out = job_id;
  co_return out;
}

asio::awaitable<std::optional<JobRow>> JobStarts::last_load(std::string connection_id, std::string type) {
  std::optional<JobRow> out;
  auto range = state::prefix_range(keys::job_of_connection_prefix(connection_id));
  range.limit = kLookBack;
  const auto rows = co_await store_->scan(range);
  for (const auto& r : rows) {
    auto job = co_await row(std::stoll(r.value));
    const bool loads = job.job_type == "sync" || job.job_type == "refresh" || job.job_type == "backfill";
    if (!loads || job.input.options.dry_run || (!type.empty() && job.job_type != type)) continue;
    out = std::move(job);
    break;
  }
  co_return out;
}

asio::awaitable<JobInput> JobStarts::input_for(JobRequest request, resources::Resource connection) {
  const json spec = json::parse(connection.spec);
  JobInput input;
  input.job_type = request.job_type;
  input.connection.id = connection.id;
  input.connection.revision = connection.revision;
  input.source.id = spec.value("sourceId", "");
  input.destination.id = spec.value("destinationId", "");
  const auto source = co_await resources_->get(Kind::source, input.source.id);
  const auto destination = co_await resources_->get(Kind::destination, input.destination.id);
  input.source.revision = source.revision;
  input.destination.revision = destination.revision;
  input.streams = request.streams;
  input.options = request.options;
  input.of_job = request.of_job;
  const bool loads = request.job_type == "sync" || request.job_type == "refresh" || request.job_type == "backfill";
  if ((!request.only_failed && loads) || request.job_type == "clear") co_return input;

  std::optional<JobRow> last;
  std::string type;  // of the job that is looked for; named, since g++ 12 frees a choice between two texts twice
  if (loads) type = request.job_type;
  if (request.of_job != 0)
    last = co_await row(request.of_job);
  else
    last = co_await last_load(connection.id, type);
  if (!last) throw Error("job.nothing_to_do", "the connection \"" + connection.name + "\" has no earlier sync");
  const auto detail = co_await engine_->describe(last->workflow_id, last->run_id);
  if (loads) {
    const json streams = job_streams(detail);
    for (const auto& s : streams)
      if (s.value("status", "") != "complete") input.streams.push_back(name_from_json(s));
    if (input.streams.empty())
      throw Error("job.nothing_to_do", "all streams of job " + std::to_string(last->job_id) + " are complete");
    co_return input;
  }
  // normalize, undo: what that job has loaded. To publish what was published does no harm, so all of it is asked for.
  for (const auto& step : detail.steps) {
    if (step.type != "sync" || step.result.empty()) continue;
    const json result = json::parse(step.result);
    for (const auto& target : result.value("targets", json::array())) {
      const auto name = name_from_json(target.at("source"));
      const bool wanted = request.streams.empty() ||
                          std::find(request.streams.begin(), request.streams.end(), name) != request.streams.end();
      if (wanted) input.targets.push_back(target.dump());
    }
  }
  if (input.targets.empty())
    throw Error("job.nothing_to_do", "job " + std::to_string(last->job_id) + " has loaded no stream that could be " +
                                         (request.job_type == "undo" ? "taken back" : "published"));
  co_return input;
}

void JobStarts::write_rows(const JobRow& row, const std::string& request_id, const std::string& digest,
                           state::Batch& batch) {
  const auto number = static_cast<std::uint64_t>(row.job_id);
  batch.put(keys::job(number), encode_job(row));
  if (!row.connection_id.empty()) {
    batch.put(keys::job_of_connection(row.connection_id, number), std::to_string(row.job_id));
    resources::ConnectionLock lock;
    lock.job_id = row.job_id;
    lock.workflow_id = row.workflow_id;
    lock.run_id = row.run_id;
    batch.put(keys::connection_lock(row.connection_id), encode_lock(lock));
  }
  if (request_id.empty()) return;
  const std::string key = keys::dedupe("job", request_id);
  batch.expect_absent(key);
  const json value = {{"v", 1}, {"jobId", row.job_id}, {"digest", digest}};
  batch.put(key, dump(value));
}

std::string JobStarts::memo_of(const JobRow& row) {
  json memo = {{"jobId", row.job_id}, {"jobType", row.job_type}};
  if (!row.connection_id.empty()) memo["connectionId"] = row.connection_id;
  const ReplayOf& replay = row.input.replay;
  if (!replay.mode.empty()) memo["replay"] = {{"mode", replay.mode}, {"jobId", replay.job_id}};
  return dump(memo);
}

asio::awaitable<std::int64_t> JobStarts::write(JobRow row, state::Batch extra, std::string request_id,
                                               std::string digest, Beside beside) {
  row.job_id = co_await numbers_.next();
  row.input.job_id = row.job_id;
  row.workflow_id = "job-" + std::to_string(row.job_id);
  row.run_id = runtime_.uuid();
  row.created = runtime_.now();
  write_rows(row, request_id, digest, extra);
  if (beside) beside(extra, row.workflow_id, row.run_id);
  engine::StartRequest start;
  start.type = row.job_type;
  start.workflow_id = row.workflow_id;
  start.run_id = row.run_id;
  start.input = to_json(row.input);
  start.memo = memo_of(row);
  start.extra = std::move(extra);
  co_await engine_->start_workflow(std::move(start));
  log_info(
      "job started",
      {{"job", row.job_id}, {"type", row.job_type}, {"connection", row.connection_name}, {"principal", row.principal}});
  co_return row.job_id;
}

// Empty: a condition failed, since something moved in between; the start is to be decided anew.
asio::awaitable<std::optional<std::int64_t>> JobStarts::try_start(JobRequest request, std::string digest) {
  std::optional<std::int64_t> out;
  out = co_await earlier(request.request_id, digest);
  if (out) co_return out;

  state::Batch extra;
  const std::string lock_key = keys::connection_lock(request.connection_id);
  const auto lock_row = co_await store_->get(lock_key);
  if (lock_row) {
    const auto lock = resources::decode_lock(*lock_row);
    const auto open = co_await store_->get(keys::open_run(lock.run_id));
    if (open && request.attach) {
      out = lock.job_id;
      co_return out;
    }
    if (open) throw JobConflict(lock.job_id, "job " + std::to_string(lock.job_id) + " of this connection is running");
    extra.expect(lock_key, *lock_row);
  } else {
    extra.expect_absent(lock_key);
  }
  // The connection must still be what the job was made from; this also settles a race with its deletion.
  const std::string connection_key = keys::resource("connection", request.connection_id);
  const auto connection_row = co_await store_->get(connection_key);
  if (connection_row) extra.expect(connection_key, *connection_row);
  const auto connection = co_await resources_->get(Kind::connection, request.connection_id);

  if (request.scheduled && json::parse(connection.spec).value("status", "active") != "active")
    throw Error("job.connection_inactive", "\"" + connection.name + "\" is inactive");

  JobRow row;
  row.input = co_await input_for(request, connection);
  row.job_type = request.job_type;
  row.connection_id = request.connection_id;
  row.connection_name = connection.name;
  row.principal = request.principal.name;
  try {
    out = co_await write(std::move(row), std::move(extra), request.request_id, digest, request.beside);
  } catch (const Error& e) {
    if (e.code() != "workflow.start_refused") throw;
  }
  co_return out;
}

asio::awaitable<std::int64_t> JobStarts::start(JobRequest request) {
  const char* const known[] = {"sync", "refresh", "backfill", "clear", "normalize", "undo"};
  if (std::find(std::begin(known), std::end(known), request.job_type) == std::end(known))
    throw Error("job.type_unknown", "\"" + request.job_type +
                                        "\" can't be started in this version: sync, refresh, backfill, clear and "
                                        "normalize can");
  const std::string digest = digest_of(request);
  for (int tries = 0; tries < kTries; ++tries) {
    const auto started = co_await try_start(request, digest);
    if (started) co_return *started;
  }
  throw Error("resource.conflict", "the connection changes faster than a job of it can be started");
}

asio::awaitable<std::int64_t> JobStarts::start_short(std::string type, JobInput input, resources::Principal principal) {
  JobRow row;
  row.job_type = type;
  row.input = std::move(input);
  row.input.job_type = type;
  row.principal = principal.name;
  state::Batch nothing;
  co_return co_await write(std::move(row), std::move(nothing), "", "", Beside());
}

}  // namespace millrace::workflows
