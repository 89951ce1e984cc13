#include "connectors/sqlite/meta.h"

#include <cstdlib>

#include "common/errors.h"
#include "connectors/stream_hash.h"

namespace millrace::connectors::sqlite {
namespace {

constexpr int kFormat = 1;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS millrace_meta (format INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS millrace_loads (stream TEXT PRIMARY KEY, connection_id TEXT NOT NULL, "
    "stream_namespace TEXT NOT NULL, stream_name TEXT NOT NULL, generation INTEGER NOT NULL, attempt INTEGER NOT NULL, "
    "token TEXT NOT NULL, finished INTEGER NOT NULL, rows INTEGER NOT NULL, published INTEGER NOT NULL, "
    "state_generation INTEGER, state TEXT, former_generation INTEGER);"
    "CREATE TABLE IF NOT EXISTS millrace_checkpoints (stream TEXT, split_id TEXT, ordinal INTEGER NOT NULL, "
    "last INTEGER NOT NULL, rows INTEGER NOT NULL, state TEXT, complete INTEGER NOT NULL, "
    "PRIMARY KEY (stream, split_id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS millrace_tables (name TEXT PRIMARY KEY COLLATE NOCASE, connection_id TEXT NOT NULL, "
    "stream_namespace TEXT NOT NULL, stream_name TEXT NOT NULL, generation INTEGER NOT NULL, mark TEXT NOT NULL);";

Checkpoint checkpoint_of(const std::string& id, const SplitRow& row) {
  Checkpoint c;
  c.id = id;
  c.state = row.state.value_or("");
  c.rows = row.rows;
  c.complete = row.complete;
  return c;
}

SplitRow read_split(const Statement& s, int first) {
  SplitRow row;
  row.ordinal = s.integer(first);
  row.last = s.integer(first + 1);
  row.rows = s.integer(first + 2);
  if (!s.is_null(first + 3)) row.state = s.text(first + 3);
  row.complete = s.integer(first + 4) != 0;
  return row;
}

}  // namespace

void ensure_meta(Database& db) {
  db.execute(kTables);
  const auto format = db.value("SELECT format FROM millrace_meta");
  if (!format)
    db.execute("INSERT INTO millrace_meta VALUES (" + std::to_string(kFormat) + ")");
  else if (std::atoi(format->c_str()) > kFormat)
    throw Error("destination.newer_format",
                "millrace_meta has format " + *format + ", this version knows " + std::to_string(kFormat));
}

std::optional<LoadRow> load_row(Database& db, const StreamTarget& target) {
  Statement s =
      db.prepare("SELECT generation, attempt, token, finished, rows, published FROM millrace_loads WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  if (!s.step()) return std::nullopt;
  LoadRow row;
  row.generation = s.integer(0);
  row.attempt = s.integer(1);
  row.token = s.text(2);
  row.finished = s.integer(3) != 0;
  row.rows = s.integer(4);
  row.published = s.integer(5) != 0;
  return row;
}

void put_load_row(Database& db, const StreamTarget& target, const LoadRow& row) {
  Statement s = db.prepare(
      "INSERT INTO millrace_loads (stream, connection_id, stream_namespace, stream_name, generation, attempt, token, "
      "finished, rows, published) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (stream) DO UPDATE SET "
      "generation = ?5, attempt = ?6, token = ?7, finished = ?8, rows = ?9, published = ?10");
  s.bind(1, hash_of_stream(target)).bind(2, target.connection_id).bind(3, target.source_name.ns);
  s.bind(4, target.source_name.name).bind(5, row.generation).bind(6, row.attempt).bind(7, row.token);
  s.bind(8, std::int64_t{row.finished}).bind(9, row.rows).bind(10, std::int64_t{row.published});
  s.step();
}

void require_fence(Database& db, const StreamTarget& target, const std::string& token) {
  const auto row = load_row(db, target);
  if (row && row->token == token && row->generation == target.generation) return;
  throw Error("destination.fenced", target.source_name.text() + ": " +
                                        (row ? "generation " + std::to_string(row->generation) + ", attempt " +
                                                   std::to_string(row->attempt) + " has taken over"
                                             : "the helper tables are gone"));
}

std::optional<StoredState> stored_state(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("SELECT state_generation, state FROM millrace_loads WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  if (!s.step() || s.is_null(0)) return std::nullopt;
  StoredState state;
  state.generation = s.integer(0);
  state.state = s.text(1);
  return state;
}

void put_stored_state(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("UPDATE millrace_loads SET state_generation = ?, state = ? WHERE stream = ?");
  s.bind(1, target.generation).bind(3, hash_of_stream(target));
  if (!target.state.empty()) s.bind(2, target.state);
  s.step();
}

void forget_state(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("UPDATE millrace_loads SET state_generation = NULL, state = NULL WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  s.step();
}

std::int64_t former_load(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("SELECT former_generation FROM millrace_loads WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  return s.step() ? s.integer(0) : 0;
}

void set_former(Database& db, const StreamTarget& target, std::int64_t load) {
  Statement s = db.prepare("UPDATE millrace_loads SET former_generation = ? WHERE stream = ?");
  s.bind(1, load).bind(2, hash_of_stream(target));
  s.step();
}

std::optional<SplitRow> split_row(Database& db, const StreamTarget& target, const std::string& split) {
  Statement s = db.prepare(
      "SELECT ordinal, last, rows, state, complete FROM millrace_checkpoints WHERE stream = ? AND split_id = ?");
  s.bind(1, hash_of_stream(target)).bind(2, split);
  if (!s.step()) return std::nullopt;
  return read_split(s, 0);
}

void put_split_row(Database& db, const StreamTarget& target, const std::string& split, const SplitRow& row) {
  Statement s = db.prepare("INSERT OR REPLACE INTO millrace_checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)");
  s.bind(1, hash_of_stream(target)).bind(2, split).bind(3, row.ordinal).bind(4, row.last).bind(5, row.rows);
  if (row.state) s.bind(6, *row.state);
  s.bind(7, std::int64_t{row.complete});
  s.step();
}

std::int64_t next_ordinal(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("SELECT coalesce(max(ordinal), -1) + 1 FROM millrace_checkpoints WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  s.step();
  return s.integer(0);
}

void forget_splits(Database& db, const StreamTarget& target) {
  Statement s = db.prepare("DELETE FROM millrace_checkpoints WHERE stream = ?");
  s.bind(1, hash_of_stream(target));
  s.step();
}

std::map<std::string, Checkpoint> checkpoints(Database& db, const StreamTarget& target) {
  Statement s = db.prepare(
      "SELECT split_id, ordinal, last, rows, state, complete FROM millrace_checkpoints WHERE stream = ? AND state IS "
      "NOT NULL");
  s.bind(1, hash_of_stream(target));
  std::map<std::string, Checkpoint> out;
  while (s.step()) out[s.text(0)] = checkpoint_of(s.text(0), read_split(s, 1));
  return out;
}

std::optional<TableMark> table_mark(Database& db, const std::string& table) {
  Statement s = db.prepare(
      "SELECT connection_id, stream_namespace, stream_name, mark, generation FROM millrace_tables WHERE name = ?");
  s.bind(1, table);
  if (!s.step()) return std::nullopt;
  TableMark mark;
  mark.connection_id = s.text(0);
  mark.stream = StreamName(s.text(1), s.text(2));
  mark.mark = s.text(3);
  mark.generation = s.integer(4);
  return mark;
}

void set_table_mark(Database& db, const StreamTarget& target, const std::string& table, const std::string& mark) {
  Statement s = db.prepare("INSERT OR REPLACE INTO millrace_tables VALUES (?, ?, ?, ?, ?, ?)");
  s.bind(1, table).bind(2, target.connection_id).bind(3, target.source_name.ns).bind(4, target.source_name.name);
  s.bind(5, target.generation).bind(6, mark);
  s.step();
}

bool relation_exists(Database& db, const std::string& name) {
  Statement s = db.prepare("SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE");
  s.bind(1, name);
  return s.step();
}

bool is_ours(Database& db, const StreamTarget& target, const std::string& table) {
  const auto mark = table_mark(db, table);
  bool marked = false;
  if (mark) {
    Statement s = db.prepare(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE AND instr(sql, ?) > 0");
    s.bind(1, table).bind(2, mark->mark);
    marked = s.step();
  }
  if (marked && mark->connection_id == target.connection_id && mark->stream == target.source_name) return true;
  if (target.adopt) return false;
  if (!marked) throw Error("destination.not_ours", table + " was made by somebody else");
  throw Error("destination.not_ours",
              table + " belongs to stream " + mark->stream.text() + " of connection " + mark->connection_id);
}

}  // namespace millrace::connectors::sqlite
