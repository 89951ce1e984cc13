// The plan of a sync: which streams are moved, where each goes and as what. A pure function of the connection, the
// catalog and the job, decided once in the workflow; steps only carry it out.
//
// A stream that can't be moved (gone, ambiguous, a mode or field that it lacks, two streams of one table) is in the
// plan with its failure: the others are moved all the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "connectors/destination.h"
#include "engine/failure.h"
#include "workflows/job_input.h"
#include "workflows/schema_changes.h"

namespace millrace::workflows {

struct PlanInput {
  PlanInput() = default;
  std::string connection_id;
  std::string connection_spec;    // as resources stores it
  std::string default_namespace;  // the destination's own; empty where it has none
  connectors::Catalog catalog;
  std::vector<connectors::StreamName> only;      // empty: all of the connection
  std::vector<connectors::StreamName> left_out;  // new, and by the connection's policy not taken
  std::int64_t job_id = 0;
  std::int64_t started_us = 0;
  std::string connection_name;
  std::string job_type = "sync";  // sync, refresh or backfill
  SyncOptions options;
  std::map<connectors::StreamName, std::vector<SchemaChange>> changes;  // at the source, since the last load
  bool states_stand = false;    // against whatever later jobs have left at the destination; one without starts anew
  bool source_filters = false;  // the source puts filters and limits into its queries
  std::string states;  // JSON list of {namespace, name, job, state}: where the streams' last jobs ended; empty: none
};

struct StreamPlan {
  StreamPlan() = default;
  connectors::StreamTarget target;
  std::string state;                // where an incremental read starts; empty: nothing was read yet
  std::int64_t state_job = 0;       // the job that left it
  std::int64_t rows_estimate = -1;  // by the catalog; -1: unknown
  std::int64_t bytes_estimate = -1;
  std::optional<engine::Failure> failure;  // why it can't be moved
  // How the source is to read it, where that differs from what the destination gets.
  connectors::SchemaPtr read_schema;  // null: the target's
  std::vector<std::string> read_key, read_cursor;
  std::optional<connectors::SyncMode> read_mode;  // empty: the target's
  std::string filter;                             // resolved; empty: all rows
  std::int64_t limit = 0;
  std::string mappers;  // JSON list; empty: none that touch a value
  bool raw = false;     // the rows are landed as documents
  bool strict = false;  // a value that does not fit fails the stream
  std::vector<std::string> notes;
  std::vector<SchemaChange> changes;  // with what becomes of each

  // A stream that follows the source's log after one load (follow_plan.h). `target` is then the load's.
  struct Follow {
    Follow() = default;
    connectors::SyncMode mode = connectors::SyncMode::incremental_append;  // the user's
    bool soft_delete = false;
    bool loaded = false;                  // by an earlier job: it is only followed
    std::vector<std::string> all_fields;  // of the source's table, when it was looked at
  };
  std::optional<Follow> follow;
};

struct SyncPlan {
  SyncPlan() = default;
  std::vector<StreamPlan> streams;  // in the catalog's order, then those that it lacks
  std::vector<std::string> notes;   // patterns that fit nothing
};

SyncPlan make_sync_plan(const PlanInput& input);

// Stored in the input of the step sync. Fields are only ever added, each with a default.
std::string to_json(const SyncPlan& plan);
SyncPlan sync_plan_from_json(const std::string& text);

}  // namespace millrace::workflows
