// The helper tables of an SQLite destination: fence, checkpoints, ownership. Format 1. A server that finds a higher
// number in millrace_meta refuses to write (destination.newer_format). All calls are inside a transaction.
//
//   millrace_meta         one row: format
//   millrace_loads        one row a stream of a connection: fence and state of its newest load, the state that the last
//                         published load left, and which load the former table has
//   millrace_checkpoints  one row a split of that load. `ordinal` is the split's part of the stage's row numbers
//                         (ordinal << 40 onwards), `last` the last of them that counts: rows beyond it were never
//                         committed. `state` is null until the first commit.
//   millrace_tables       which tables are ours. `mark` also stands as a comment in the table's own definition, so that
//                         another table of the same name is not taken for it
//   millrace_stage_*      rows of a load that is not published yet
//   millrace_former_*     the table that the last overwrite replaced
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "connectors/destination.h"
#include "connectors/sqlite/database.h"

namespace millrace::connectors::sqlite {

// Makes what is missing. Throws destination.newer_format.
void ensure_meta(Database& db);

struct LoadRow {
  LoadRow() = default;
  std::int64_t generation = -1, attempt = 0, rows = 0;
  std::string token;
  bool finished = false, published = false;
};
std::optional<LoadRow> load_row(Database& db, const StreamTarget& target);
// Replaces it; the stored state stays.
void put_load_row(Database& db, const StreamTarget& target, const LoadRow& row);
// Throws destination.fenced unless `token` stands there.
void require_fence(Database& db, const StreamTarget& target, const std::string& token);

std::optional<StoredState> stored_state(Database& db, const StreamTarget& target);
void put_stored_state(Database& db, const StreamTarget& target);
void forget_state(Database& db, const StreamTarget& target);

// The load whose rows millrace_former_* has; 0: there is none.
std::int64_t former_load(Database& db, const StreamTarget& target);
void set_former(Database& db, const StreamTarget& target, std::int64_t load);

struct SplitRow {
  SplitRow() = default;
  std::int64_t ordinal = 0, last = 0, rows = 0;
  std::optional<std::string> state;
  bool complete = false;
};
std::optional<SplitRow> split_row(Database& db, const StreamTarget& target, const std::string& split);
void put_split_row(Database& db, const StreamTarget& target, const std::string& split, const SplitRow& row);
std::int64_t next_ordinal(Database& db, const StreamTarget& target);
void forget_splits(Database& db, const StreamTarget& target);
// Those that have a commit.
std::map<std::string, Checkpoint> checkpoints(Database& db, const StreamTarget& target);

struct TableMark {
  TableMark() = default;
  std::string connection_id, mark;
  StreamName stream;
  std::int64_t generation = 0;  // the load that is in it
};
std::optional<TableMark> table_mark(Database& db, const std::string& table);
void set_table_mark(Database& db, const StreamTarget& target, const std::string& table, const std::string& mark);

bool relation_exists(Database& db, const std::string& name);
// True if the table carries the mark of this stream; refuses one of somebody else (destination.not_ours) unless it may
// be taken over, and then says false.
bool is_ours(Database& db, const StreamTarget& target, const std::string& table);

}  // namespace millrace::connectors::sqlite
