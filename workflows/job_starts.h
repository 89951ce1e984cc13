// How a job comes to be: its row, the lock of its connection, the row of its request id and its execution, in the one
// batch that starts the execution.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "engine/engine.h"
#include "resources/job_numbers.h"
#include "resources/resources.h"
#include "state/store.h"
#include "workflows/job_row.h"
#include "workflows/jobs.h"

namespace millrace::workflows {

// Thread-safe.
class JobStarts {
 public:
  JobStarts(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<engine::Engine> engine,
            std::shared_ptr<resources::Resources> resources);

  // A job of a connection. Throws JobConflict, job.type_unknown, job.nothing_to_do, idempotency.mismatch.
  asio::awaitable<std::int64_t> start(JobRequest request);
  // A short job, which holds no lock.
  asio::awaitable<std::int64_t> start_short(std::string type, JobInput input, resources::Principal principal);
  asio::awaitable<JobRow> row(std::int64_t job_id);  // throws job.not_found
  // In job_replay.cc: see Jobs::start_replay().
  asio::awaitable<std::int64_t> start_replay(ReplayRequest request);

  // In job_metrics.cc: see Jobs::restore_metrics().
  asio::awaitable<void> restore_metrics();

 private:
  asio::awaitable<std::optional<std::int64_t>> earlier(std::string request_id, std::string digest);
  // The newest job of the connection that loads, of that type unless it is empty.
  asio::awaitable<std::optional<JobRow>> last_load(std::string connection_id, std::string type);
  asio::awaitable<std::optional<WallTime>> last_success(std::string connection_id);
  asio::awaitable<JobInput> input_for(JobRequest request, resources::Resource connection);
  asio::awaitable<std::optional<std::int64_t>> try_start(JobRequest request, std::string digest);
  using Beside = std::function<void(state::Batch& batch, const std::string& workflow_id, const std::string& run_id)>;
  asio::awaitable<std::int64_t> write(JobRow row, state::Batch extra, std::string request_id, std::string digest,
                                      Beside beside);

  // What is written of a job beside its execution.
  void write_rows(const JobRow& row, const std::string& request_id, const std::string& digest, state::Batch& batch);
  static std::string memo_of(const JobRow& row);
  // job_replay.cc
  asio::awaitable<std::optional<std::int64_t>> try_rerun(ReplayRequest request, JobRow old, ReplayOf mark,
                                                         std::string digest);
  asio::awaitable<std::optional<std::int64_t>> try_reset(ReplayRequest request, JobRow old, ReplayOf mark,
                                                         std::string digest);
  asio::awaitable<std::string> recorded_states(JobRow row);
  asio::awaitable<void> check_revisions(JobInput input);
  asio::awaitable<state::Batch> take_connection(std::string connection_id, std::string own_run);

  Runtime runtime_;
  std::shared_ptr<state::Store> store_;
  std::shared_ptr<engine::Engine> engine_;
  std::shared_ptr<resources::Resources> resources_;
  resources::JobNumbers numbers_;
};

// A connection's last sync succeeded then: millrace_sync_last_success_timestamp_seconds.
void set_last_success(const std::string& connection_name, WallTime when);

}  // namespace millrace::workflows
