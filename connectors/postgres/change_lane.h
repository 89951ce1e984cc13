// The changes of one stream on their way into its table: gathered, collapsed by key, applied in sets.
//
// A table of rows. Between two flushes at most one change a key is kept: what the row is to become. An update that left
// columns alone is laid over the one before it; if that was whole, the result is whole. A change of the key is the
// removal of the old key and a row under the new one, which also gets swaps right (a to t, b to a, t to b), since
// removals are applied first. All flushes of a destination transaction commit together, so collapsing over the
// boundaries of the source's transactions shows no state that the source did not have.
//
//   removals   DELETE ... USING the stage          (soft: UPDATE ... SET _deleted_at)
//   whole rows INSERT ... ON CONFLICT DO UPDATE    from the stage
//   others     UPDATE ... FROM the stage, one statement for each set of columns that came
//
// An update without all columns whose row is missing can't be applied. Before the settled position that is a row that
// was removed later (cdc/handover.h), and is passed over; after it, the destination has lost a row: an error. One case
// is told apart: an update that changes the key and leaves columns alone, and finds neither the old nor the new key.
// Such a key is doubtful until a later change gives its row or removes it; one that is left at the settled position is
// an error, not a guess.
//
// A log of changes. Every change is a row, appended in order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "connectors/change_writer.h"
#include "connectors/postgres/change_tables.h"
#include "connectors/postgres/copy_rows.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {

class ChangeLane {
 public:
  ChangeLane(ChangeStreamTarget target, FollowedStream followed, std::size_t index);

  const StreamTarget& target() const { return target_; }
  FollowedStream& followed() { return followed_; }
  const FollowedStream& followed() const { return followed_; }

  // Takes a change if that can be done without the database; false: call apply_alone().
  bool add(const ChangeBatch& batch, const Change& change);
  // Flushes, then applies this one change. In the open transaction.
  asio::awaitable<void> apply_alone(net::PostgresSession& session, const ChangeBatch& batch, const Change& change);
  // Applies what was gathered, in the open transaction; afterwards nothing is.
  asio::awaitable<void> flush(net::PostgresSession& session);
  bool empty() const { return entries_.empty() && log_.rows() == 0 && !truncated_; }
  bool full() const { return bytes_ >= kFlushBytes || entries_.size() >= kFlushRows || log_.size() >= kFlushBytes; }
  // Before a commit at `boundary`: writes down doubts where they changed. Throws cdc.value_missing.
  asio::awaitable<void> settle(net::PostgresSession& session, Lsn boundary);

  ChangeCounts open_counts;  // since the last commit
  ChangeCounts committed_counts;

  static constexpr std::size_t kFlushBytes = 4 << 20;
  static constexpr std::size_t kFlushRows = 20'000;

 private:
  enum class Kind { remove, upsert, update };
  struct Entry {
    Kind kind = Kind::upsert;
    std::string row;  // fields of the schema, each with its length
    Lsn lsn = 0;
    std::int64_t time_us = 0;
  };
  // Columns that come with a set of entries, as one character a field: '1' sent, '0' not.
  struct Group {
    Kind kind = Kind::upsert;
    std::string mask;
    std::int64_t rows = 0;
    Lsn newest = 0;
  };

  bool append_mode() const { return target_.sync_mode == SyncMode::incremental_append; }
  std::string key_of(const std::vector<TupleField>& fields) const;
  void put(std::string key, Kind kind, const std::vector<TupleField>& fields, const Change& change);
  void put_log(const ChangeBatch& batch, const Change& change);
  void truncate();
  asio::awaitable<void> flush_log(net::PostgresSession& session);
  asio::awaitable<void> copy_to_stage(net::PostgresSession& session, const CopyRows& rows, bool with_old_key);
  asio::awaitable<void> apply_truncate(net::PostgresSession& session);
  void stage_row(CopyRows& out, int group, const Entry& entry) const;
  std::string remove_sql() const;
  std::string upsert_sql(int group, const std::string& mask) const;
  std::string update_sql(int group, const std::string& mask) const;
  std::string assignments(const std::string& mask, const std::string& from) const;
  std::string same_key(const char* a, const char* b) const;
  void missing(Lsn lsn, const std::string& what) const;

  StreamTarget target_;  // with the columns that following adds
  std::size_t fields_;   // of the stream itself
  bool soft_delete_;
  FollowedStream followed_;
  std::vector<ColumnDef> columns_;
  std::vector<std::size_t> key_;
  std::string table_, stage_;
  bool stage_made_ = false;

  bool text_ = false;
  bool truncated_ = false;
  std::int64_t truncated_time_us_ = 0;
  Lsn truncated_lsn_ = 0;
  std::unordered_map<std::string, Entry> entries_;
  std::size_t bytes_ = 0;
  CopyRows log_{false};
  std::set<std::string> doubts_;
  bool doubts_changed_ = false;
  std::vector<TupleField> row_, old_;  // scratch
};

}  // namespace millrace::connectors::postgres
