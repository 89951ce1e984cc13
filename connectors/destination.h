// The destination interface: fence, then rows and checkpoints in one transaction, then finish, then publish.
//
// What may run at once:
//   open_stream   once an attempt and stream; it fences out older attempts before it returns
//   SplitWriter   many at once, one a split; each on its own connection and strand
//   finish        once and alone, when all splits are written; sees that all are complete and the counts agree
//   publish       once and alone, in the normalize step: makes the final table of the mode (here: the swap)
// tests/connectors/destination_conformance.h must pass on every implementation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/awaitable.h"
#include "connectors/row_batch.h"
#include "connectors/schema.h"
#include "connectors/source.h"

namespace millrace::connectors {

// Where a stream goes, and as what. Everything here comes from the job, so each attempt builds the same.
struct StreamTarget {
  StreamTarget() = default;
  std::string connection_id;  // owner of helper tables and marks
  StreamName source_name;     // keys the state kept at the destination
  std::string ns;             // the destination's own namespace; never empty for those that have one
  std::string name;
  SchemaPtr schema;
  SyncMode sync_mode = SyncMode::full_refresh_overwrite;
  std::vector<std::string> primary_key;
  std::vector<std::string> cursor_field;  // incremental modes; what decides which of two rows of a key is newer
  std::string state;                      // what the next job starts from; stored with the publication of this load
  bool add_keys = false;                  // `keys: true`: the primary key after the load
  bool metadata_columns = true;           // minimal (append: _extracted_at, _load_id) or none
  std::int64_t generation = 0;            // of this load; grows with each job of the connection
  std::int64_t load_id = 0;               // the jobId
  std::int64_t extracted_at_us = 0;       // start of the job
  bool adopt = false;                     // take a table that is not ours; the old one is kept as <name>__before
  std::string connection_name;            // for people: told where another connection meets the table
  bool replace = false;       // refresh: this load takes the place of all rows, whatever the mode; built aside, swapped
  bool keep_state = false;    // backfill: the state that the last load left stays as it is
  bool keep_history = false;  // deduped: all versions of a key, with _valid_from, _valid_to, _active
  // A raw table: what normalize makes of its documents. {"target": StreamTarget, "casts": [mapper, ...], "rebuild"};
  // empty: it is no raw table.
  std::string typed;
  std::vector<std::string> source_key;  // deduped by the source's own key: its fields there; else empty
  // Columns whose field was renamed at the source since the last load, as they are called at the destination: {old,
  // new}.
  std::vector<std::pair<std::string, std::string>> renamed;
};
std::string to_json(const StreamTarget& target);
StreamTarget stream_target_from_json(const std::string& json);

struct Committed {
  Committed() = default;
  std::int64_t rows = 0;  // of this split in this generation, durable now
};

// What the destination keeps of a stream beside its rows.
struct StoredState {
  StoredState() = default;
  std::int64_t generation = 0;  // of the load that was published with it
  std::string state;            // empty: that load's mode keeps none
};

// A value that did not fit its type: null in its row, its bytes kept here.
struct QuarantinedValue {
  QuarantinedValue() = default;
  std::int64_t row = 0;  // of the split, counted from 0
  std::string key;       // JSON object of the row's key fields; "{}" if it has none
  std::string field;
  std::string wanted;  // the type it was to be
  std::string reason;
  std::string bytes;  // as they came, in the text form of the source's type
};
// One that was kept.
struct QuarantinedRow {
  QuarantinedRow() = default;
  StreamName stream;
  std::int64_t load = 0;  // the jobId
  std::int64_t id = 0;    // grows; what `after` of a list means
  QuarantinedValue value;
  std::string at;  // ISO time
};

class SplitWriter {
 public:
  virtual ~SplitWriter() = default;
  // Takes rows into the open transaction. May return before they are sent; errors come from a later call.
  virtual asio::awaitable<void> write(const RowBatch& batch) = 0;
  // Values of the rows written since the last commit; made durable by the same commit as they.
  virtual void quarantine(std::vector<QuarantinedValue> values);
  // One transaction: the rows since the last commit, and `checkpoint`. Checks the fence inside it: throws
  // destination.fenced if a newer attempt has taken over. If the counts of rows written and taken by the destination
  // differ, throws destination.count_mismatch and nothing is committed.
  virtual asio::awaitable<Committed> commit(Checkpoint checkpoint) = 0;
  // Drops what was not committed. Safe at any time.
  virtual asio::awaitable<void> abort() = 0;
};

// One stream, opened by one attempt.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // What is durable of this generation, by split id, read after the fence stood. A complete split is not read again.
  virtual const std::map<std::string, Checkpoint>& committed() const = 0;
  // The state that the last publication of this stream left, where the destination can keep one.
  virtual std::optional<StoredState> stored_state() const { return std::nullopt; }
  // The whole generation is finished already (finish() of an earlier attempt committed).
  virtual bool finished() const = 0;
  // Forgets the generation's rows and checkpoints: for plans that can't be resumed.
  virtual asio::awaitable<void> restart() = 0;
  virtual asio::awaitable<std::unique_ptr<SplitWriter>> open_split(std::string split_id) = 0;
  // Marks the generation complete in a transaction that sees all `splits` complete and the sum of their rows equal to
  // `rows`, and equal to what the destination counted while loading. Throws destination.incomplete otherwise.
  // Idempotent.
  virtual asio::awaitable<void> finish(std::vector<std::string> splits, std::int64_t rows) = 0;
};

struct PublishResult {
  PublishResult() = default;
  std::int64_t rows = 0;
  bool already_done = false;       // this generation had been published
  std::vector<std::string> notes;  // what was re-created, kept or refused: views, grants, keys
};

// A table that a connection's stream has at the destination.
struct OwnedTable {
  OwnedTable() = default;
  StreamName stream;
  std::string ns, name;
  std::int64_t generation = 0;  // the job whose load is in it
};

// What a load would do to the tables, without doing it.
struct TablePreview {
  TablePreview() = default;
  std::string action;                 // create, write, replace
  std::vector<std::string> changes;   // "add column x text", "column y: integer becomes bigint"
  std::vector<std::string> problems;  // why it would fail
};

struct TakenBack {
  TakenBack() = default;
  std::int64_t rows = 0;           // that went
  bool newest = false;             // it was the newest load of the stream: the next job begins where that one began
  std::vector<std::string> notes;  // how it was done
};
class ChangeWriter;  // connectors/change_writer.h
struct ChangeTarget;

class Destination {
 public:
  virtual ~Destination() = default;
  virtual asio::awaitable<CheckResult> check() = 0;
  // Sync modes it can do. Others are refused when the connection is written.
  virtual std::vector<SyncMode> sync_modes() const = 0;

  // Writes `token` to the stream's fence and commits it, waits out data transactions of older attempts, and only then
  // reads the committed checkpoints. Makes stage tables where they are missing. Throws destination.not_ours for a table
  // without our mark (unless adopt), destination.fenced if a newer token stands there.
  // Tokens are ordered by (generation, attempt); `token` is the text of the step's token.
  virtual asio::awaitable<std::unique_ptr<StreamWriter>> open_stream(StreamTarget target, std::string token,
                                                                     std::uint32_t attempt) = 0;

  // Makes the final table of the mode from a finished generation: for overwrite, the swap, once. Looks for its own mark
  // first: a second call answers already_done. Throws destination.incomplete if the generation is not finished.
  virtual asio::awaitable<PublishResult> publish(StreamTarget target) = 0;

  // ---- beside the loads. Those that a destination lacks throw destination.unsupported. ----
  // The tables that streams of this connection have here, by stream.
  virtual asio::awaitable<std::vector<OwnedTable>> owned_tables(std::string connection_id);
  // Removes all rows of the stream's table, what is staged, kept and quarantined of it, and its state; the table
  // stays. Fences out attempts of jobs before `target.generation`. Returns the rows that went. Idempotent.
  virtual asio::awaitable<std::int64_t> clear(StreamTarget target);
  // Takes back what the job `load_id` put into the stream's table. Throws job.undo_impossible.
  virtual asio::awaitable<TakenBack> undo(StreamTarget target, std::int64_t load_id);
  virtual asio::awaitable<TablePreview> preview(StreamTarget target);
  // Kept values of a connection, oldest first, those with id > after; `stream`: of one stream only.
  virtual asio::awaitable<std::vector<QuarantinedRow>> quarantined(std::string connection_id,
                                                                   std::optional<StreamName> stream, std::int64_t after,
                                                                   std::size_t limit);
  // The writer of changes of the connection's followed streams, each of which was loaded and published before. Fences
  // out older attempts, as open_stream() does. Throws destination.mode_unsupported where the destination can't follow.
  virtual asio::awaitable<std::unique_ptr<ChangeWriter>> open_changes(ChangeTarget target, std::string token,
                                                                      std::uint32_t attempt);

  virtual asio::awaitable<void> close() = 0;
};

}  // namespace millrace::connectors
