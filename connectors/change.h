// Changes: what a source that follows a log hands out, and what a destination that can follow takes.
//
// A change is an operation on one row of one stream, with its place: the log position of its transaction's commit and
// its number in that transaction. Rows are tuples as in a RowBatch (row_batch.h), in the order of the stream's schema;
// a field of length kUnchangedField was not sent because the operation left it alone (TOAST): neither null nor a value.
//
// A ChangeBatch carries changes of all streams of a feed in commit order. One that ends at a transaction boundary says
// so in `boundary`; a transaction may span batches, and is made durable only with a boundary, whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/awaitable.h"
#include "connectors/position.h"
#include "connectors/source.h"

namespace millrace::connectors {

enum class ChangeOp : char { insert = 'c', update = 'u', remove = 'd', truncate = 't' };

// Views point into the batch they are in.
struct Change {
  Change() = default;
  ChangeOp op = ChangeOp::insert;
  bool text = false;         // fields hold PostgreSQL's text form instead of the binary one
  std::uint32_t stream = 0;  // index in the feed's list of streams
  std::uint32_t seq = 0;     // from 1, in the transaction
  Lsn lsn = 0;               // of the commit; all changes of a transaction have the same, no two transactions do
  std::int64_t time_us = 0;  // of the commit by the source's clock, Unix microseconds; for the eye, never for order
  std::size_t old_at = 0, old_size = 0;  // tuple that identifies the row before (key, or all with full identity)
  std::size_t row_at = 0, row_size = 0;  // tuple after; none for remove and truncate
};

class ChangeBatch {
 public:
  ChangeBatch() = default;
  ChangeBatch(ChangeBatch&&) = default;
  ChangeBatch& operator=(ChangeBatch&&) = default;

  const std::vector<Change>& changes() const { return changes_; }
  std::string_view row(const Change& c) const { return std::string_view(bytes_).substr(c.row_at, c.row_size); }
  std::string_view old(const Change& c) const { return std::string_view(bytes_).substr(c.old_at, c.old_size); }
  // Everything that committed at the source before this position is in this batch or came earlier; 0: the batch ends
  // inside a transaction.
  Lsn boundary = 0;
  std::int64_t boundary_time_us =
      0;  // commit time of the last transaction, or the server's clock where none is on its way
  std::uint64_t transactions = 0;  // that end in this batch

  // ---- for the feed ----
  // Opens a tuple of `fields` fields at the end of the arena; returns its place.
  std::size_t begin_tuple(std::uint16_t fields);
  void null() { length(-1); }
  void unchanged() { length(-2); }
  void value(std::string_view bytes);
  std::size_t size() const { return bytes_.size() + changes_.size() * sizeof(Change); }
  std::size_t end() const { return bytes_.size(); }
  void add(const Change& change) { changes_.push_back(change); }

 private:
  void length(std::int32_t n);
  std::vector<Change> changes_;
  std::string bytes_;
};

// Walks the fields of one tuple. Throws connector.bad_row.
struct TupleField {
  std::int32_t length = 0;  // kNullField, kUnchangedField or >= 0
  std::string_view bytes;
};
void read_tuple(std::string_view tuple, std::vector<TupleField>& fields);

class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  // Takes the batch, waiting while too much is queued.
  virtual asio::awaitable<void> write(ChangeBatch batch) = 0;
};

// A stream as a feed delivers it.
struct FeedStream {
  FeedStream() = default;
  ConfiguredStream stream;              // schema: the fields that are wanted, without those that a mode adds
  std::vector<std::string> all_fields;  // what the source's table had when the schema was looked at
  std::string state;                    // that the load of the stream ended with: where it meets the log
  Lsn settled = 0;  // from this position on, the destination's rows are as old as the log; 0: not known yet
};

// Where a reader of the log stands; what a destination keeps with its rows.
struct FeedPosition {
  FeedPosition() = default;
  std::string slot;
  std::string system;  // of the cluster: another one has another log
  std::int64_t timeline = 0;
  Lsn lsn = 0;
};

// What the source keeps for a reader.
struct FeedStatus {
  FeedStatus() = default;
  bool exists = false;
  std::string slot, publication, plugin, database;
  bool active = false;
  std::int64_t active_pid = 0;
  Lsn confirmed = 0, restart = 0, server = 0;  // server: end of the log
  std::int64_t retained_bytes = 0;             // of the log, kept for the slot
  std::optional<std::int64_t> safe_bytes;      // that may still be written before it is lost; empty: no limit is set
  std::string wal_status, invalidation;
};

// One reader of a source's log. Made by Source::change_feed(). Lives on one strand; now() and confirm() may be called
// from others.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  // Where the log ends now: everything committed before is at a smaller position. Lets a quiet log move, so that a
  // reader gets there.
  virtual asio::awaitable<FeedPosition> now() = 0;
  // Where reading begins, given what the destination has (none: nothing was ever followed) and the streams, of which
  // `fresh` are those that were loaded since. Throws cdc.gap, cdc.slot_lost, ... where that can't be had without loss.
  virtual asio::awaitable<FeedPosition> start(std::optional<FeedPosition> stored, std::vector<FeedStream> streams,
                                              std::vector<bool> fresh) = 0;
  // Reads from `from` into `out`, until a boundary at or after `until` went out (0: without end). Throws Error; a lost
  // connection is one that may be tried again.
  virtual asio::awaitable<void> follow(std::vector<FeedStream> streams, Lsn from, Lsn until, ChangeSink& out) = 0;
  // All before `lsn` is durable at the destination: the source may forget it. Thread-safe; clamped to what was handed
  // out.
  virtual void confirm(Lsn lsn) = 0;
  virtual asio::awaitable<FeedStatus> status() = 0;
  virtual asio::awaitable<void> close() = 0;
};

}  // namespace millrace::connectors
