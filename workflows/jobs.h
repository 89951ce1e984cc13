// Jobs: what a person or a schedule asks for. A job is a number, what it is about, and one execution behind it.
//
// The job's row holds only what never changes (number, type, connection, revisions, workflow and run id); its status,
// steps and streams are read from the execution. One job of a connection runs at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/errors.h"
#include "engine/engine.h"
#include "resources/resources.h"
#include "state/store.h"
#include "workflows/job_input.h"

namespace millrace::workflows {

// Registers get_spec, check, discover, sync, normalize: the workflows of the short jobs, of a sync job, and their
// steps. `resources` must outlive the engine.
void register_all(engine::Registry& registry, std::shared_ptr<resources::Resources> resources, Runtime runtime);

struct JobRequest {
  JobRequest() = default;
  std::string connection_id;
  std::string job_type = "sync";                // sync, refresh, backfill, clear, normalize, undo
  std::vector<connectors::StreamName> streams;  // empty: all of the connection
  bool only_failed = false;                     // the streams that the connection's last job left incomplete
  bool attach = false;                          // a busy connection: answer with the job that runs
  SyncOptions options;                          // how a sync works; left alone: the defaults
  std::int64_t of_job = 0;                      // undo: the job whose loads are taken back
  std::string request_id;
  resources::Principal principal;
  bool scheduled = false;  // only an active connection; throws job.connection_inactive
  // Adds to the batch of the start, for the workflow id and run id that the job gets.
  std::function<void(state::Batch& batch, const std::string& workflow_id, const std::string& run_id)> beside;
};

// A past job that is to be done again.
struct ReplayRequest {
  ReplayRequest() = default;
  std::int64_t job_id = 0;
  std::string mode;                             // rerun | reset | redeliver
  std::int64_t event_id = 0;                    // reset: the last event that is kept
  std::string step;                             // reset: by its type or activity id; it is done again
  bool last_failed_step = false;                // reset
  std::vector<connectors::StreamName> streams;  // rerun: only these; empty: those of then
  std::string reason;
  std::string request_id;
  resources::Principal principal;
};

// What is wrong with a condition (SyncOptions::filter), in words; empty: nothing, as far as it can be told without the
// stream.
std::string filter_fault(const std::string& condition);

// Thrown as job.already_running: its number is data of the problem.
class JobConflict : public Error {
 public:
  JobConflict(std::int64_t id, std::string detail) : Error("job.already_running", std::move(detail)), job_id(id) {}
  std::int64_t job_id;
};

struct JobFilter {
  JobFilter() = default;
  std::string connection_id;
  std::string status;
  std::string job_type;
  std::size_t limit = 100;
  std::size_t offset = 0;
};

// All JSON here is the contract's (see docs/reference/http.md). Thread-safe.
class Jobs {
 public:
  Jobs(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<engine::Engine> engine,
       std::shared_ptr<resources::Resources> resources);
  ~Jobs();

  // Starts a job of a connection; returns its number. Idempotent by request id.
  asio::awaitable<std::int64_t> start(JobRequest request);
  // The short jobs: durable, started here, run to their end by wait().
  asio::awaitable<std::int64_t> start_spec(std::string connector, resources::Principal principal);
  asio::awaitable<std::int64_t> start_check(resources::Kind kind, std::string id, resources::Principal principal);
  asio::awaitable<std::int64_t> start_discover(std::string source_id, resources::Principal principal);

  // Returns when the job has ended or `at_most` passed; dropping the wait changes nothing.
  asio::awaitable<void> wait(std::int64_t job_id, Duration at_most);

  // The job as GET /v1/jobs/{id} shows it. Throws job.not_found.
  asio::awaitable<std::string> job_json(std::int64_t job_id);
  asio::awaitable<std::string> list_json(JobFilter filter);  // {data: [...], next, previous}
  // What a short job found: check {status, code, message, remedy, jobId}; discover {catalog, revision, jobId}; spec.
  asio::awaitable<std::string> result_json(std::int64_t job_id);
  asio::awaitable<void> cancel(std::int64_t job_id, std::string reason);
  asio::awaitable<std::string> logs_json(std::int64_t job_id, std::uint64_t after, std::size_t limit);
  // Today's code over the job's history: {eventsChecked, divergence}.
  asio::awaitable<std::string> verify_json(std::int64_t job_id);
  // Starts the job again as it was then, or from a point of its history on; the new job's number. Throws JobConflict,
  // job.not_found, job.rows_not_kept (redeliver), workflow.reset_invalid, resource.not_found, idempotency.mismatch.
  asio::awaitable<std::int64_t> start_replay(ReplayRequest request);
  // Takes back what a job has loaded, by a job of type undo of its connection; returns that one's number. Throws
  // job.not_found, job.nothing_to_do, JobConflict.
  asio::awaitable<std::int64_t> undo(std::int64_t job_id, std::vector<connectors::StreamName> streams,
                                     std::string request_id, resources::Principal principal);
  // Sets millrace_sync_last_success_timestamp_seconds of each connection from its jobs. Once, before any runs.
  asio::awaitable<void> restore_metrics();
  // The (workflowId, runId) behind a job.
  asio::awaitable<std::pair<std::string, std::string>> execution_of(std::int64_t job_id);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::workflows
