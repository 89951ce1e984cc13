// What a job was asked to do, as its workflow and its steps get it: ids, revisions and options, never a secret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/time_point.h"
#include "connectors/schema.h"

namespace millrace::workflows {

// A resource at one of its revisions.
struct ResourceAt {
  ResourceAt() = default;
  std::string id;
  std::int64_t revision = 0;
};

// How a sync works; 0: the default of the server.
struct SyncOptions {
  SyncOptions() = default;
  std::size_t streams_parallel = 0;
  std::size_t splits_parallel = 0;
  std::int64_t rows_per_split = 0;
  bool adopt = false;    // take a table that is not ours
  bool keep = false;     // refresh: the rows that are there stay
  bool dry_run = false;  // sync: says what it would do, and does nothing
  // Backfill: rows whose `field` (the cursor, unless another is named) lies in [from, to), and that fit `filter`.
  std::string from, to, field, filter;
  Duration stall_limit =
      std::chrono::minutes(90);  // a stream that moves no row for so long fails; not a job's own choice

  static constexpr std::size_t kStreamsParallel = 2;
  static constexpr std::size_t kSplitsParallel = 2;
  static constexpr std::size_t kMaxParallel = 64;  // of each
};

// Where a job comes from that replays another: who asked for it, when, from which run and why. In the input of its
// workflow, so in its history.
struct ReplayOf {
  ReplayOf() = default;
  std::string mode;  // "rerun" or "reset"; empty: the job replays nothing
  std::int64_t job_id = 0;
  std::string workflow_id, run_id;  // of that job
  std::int64_t event_id = 0;        // reset: the last event of its history that was kept; 0: told by the history
  std::string step;                 // reset: what was asked for, where that was a step
  std::string principal;
  std::string reason;
  std::string time;
};

// Stored as the input of the workflows sync, refresh, backfill, clear, undo, normalize, check, discover and get_spec:
//   {"jobId", "jobType", "connection": {"id","revision"}, "source": {...}, "destination": {...}, "connector",
//    "streams": [{"namespace","name"}], "options": {...}, "targets": [...],
//    "replay": {...}, "states": [...], "ofJob"}
// Fields are only ever added, each with a default.
struct JobInput {
  JobInput() = default;
  std::int64_t job_id = 0;
  std::string job_type;
  ResourceAt connection;
  ResourceAt source;
  ResourceAt destination;
  std::string connector;                        // of get_spec
  std::vector<connectors::StreamName> streams;  // empty: all of the connection
  SyncOptions options;
  ReplayOf replay;
  // Of a rerun: where the streams of the job that is done again started, instead of where they are now. A JSON list of
  // {namespace, name, job, state}; empty: not a rerun, or one of a job that had not come so far.
  std::string states;
  std::vector<std::string> targets;  // normalize, undo: the loaded streams, as StreamTarget JSON
  std::int64_t of_job = 0;           // undo: the job whose loads are taken back
};

std::string to_json(const JobInput& input);
JobInput job_input_from_json(const std::string& text);

nlohmann::json replay_json(const ReplayOf& replay);

nlohmann::json name_json(const connectors::StreamName& name);
connectors::StreamName name_from_json(const nlohmann::json& value);

}  // namespace millrace::workflows
