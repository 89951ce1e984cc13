// The source interface, and what every connector says about itself.
//
// A Source is made for one step attempt from a configuration (secrets filled in) and lives on the caller's strand,
// except that several read() may run at once, each with connections of its own. It knows nothing of destinations or the
// engine. tests/connectors/source_conformance.h must pass on every implementation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "connectors/pipe.h"
#include "connectors/schema.h"

namespace millrace::connectors {

// Outcome of check(). A failed check is an answer, not an exception.
struct CheckResult {
  CheckResult() = default;
  bool ok = true;
  std::string code;  // of the error catalogue, when not ok
  std::string message;
  std::string remedy;
  std::vector<std::string> warnings;
};

// A stream as a connection wants it, with the schema that discover found (restricted to the selected fields).
struct ConfiguredStream {
  ConfiguredStream() = default;
  StreamName name;
  SchemaPtr schema;
  SyncMode sync_mode = SyncMode::full_refresh_overwrite;
  std::vector<std::string> primary_key;
  std::vector<std::string> cursor_field;
  // Incremental modes: the source's own JSON that the last complete load ended with (SplitPlan::state); empty: none,
  // everything is new.
  std::string state;
  // Which rows are wanted, beside the state: a condition in the form of filter.h (resolved), and how many at most. A
  // source that says pushes_filters in its connector puts both into its query. limit: full reads only; 0: all.
  std::string filter;
  std::int64_t limit = 0;
};

// A part of a stream that is read by itself. `bounds` is the source's own JSON; it is made durable (journaled) before
// the first row is read, so that a later attempt reads the very same parts.
struct Split {
  Split() = default;
  std::string id;  // unique in the plan, stable: "0000", "0001", ...
  std::string bounds;
  std::int64_t rows_estimate = -1;
};

enum class Consistency {
  key_ranges,    // each split under a snapshot of its own; a row whose key does not change is seen exactly once
  one_snapshot,  // the whole stream as of one moment; can't be resumed after the snapshot is lost
};
std::string_view to_string(Consistency c);

struct SplitPlan {
  SplitPlan() = default;
  std::vector<Split> splits;
  Consistency consistency = Consistency::one_snapshot;
  bool resumable = false;  // splits may be read by a later attempt, each by itself
  std::string state;       // what the next job starts from once all splits are loaded; empty: the mode keeps none
  std::vector<std::string> notes;  // what a person should know of what is read and what is not
};
std::string to_json(const SplitPlan& plan);
SplitPlan split_plan_from_json(const std::string& json);

struct PlanOptions {
  PlanOptions() = default;
  std::size_t parallel = 1;         // how many splits will be read at once
  std::int64_t rows_per_split = 0;  // about; 0: what suits the source and the size of the stream
};

class ChangeFeed;  // connectors/change.h

class Source {
 public:
  virtual ~Source() = default;

  // Says whether it can work, and why not: each way of failing has its own code. Throws only when cancelled.
  virtual asio::awaitable<CheckResult> check() = 0;
  virtual asio::awaitable<Catalog> discover() = 0;

  // Plans how `stream` is read. A plan that is not resumable is bound to this Source object (it holds the snapshot).
  // A plan without splits says that there is nothing new.
  virtual asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions options) = 0;

  // Reads one split into `out`: batches, then one complete Checkpoint of scope split whose `rows` is what was read.
  // Intermediate checkpoints are allowed where the source can go on from them (`from` is then the last durable state).
  // Never closes `out`. Throws Error; a time-out is never the end of data.
  virtual asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                                     BatchSink& out) = 0;

  // The reader of the source's log, for streams whose cursor is source-defined; null: the source has none.
  virtual std::shared_ptr<ChangeFeed> change_feed() { return nullptr; }

  // Ends sessions politely. Nothing runs afterwards. Safe to call twice.
  virtual asio::awaitable<void> close() = 0;
};

}  // namespace millrace::connectors
