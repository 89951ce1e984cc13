#include "connectors/postgres/meta.h"

#include <cstdlib>

#include "common/errors.h"
#include "connectors/postgres/names.h"

namespace millrace::connectors::postgres {
namespace {

constexpr const char* kTables = R"sql(
CREATE SCHEMA IF NOT EXISTS millrace;
CREATE TABLE IF NOT EXISTS millrace.meta (format int NOT NULL);
INSERT INTO millrace.meta SELECT 3 WHERE NOT EXISTS (SELECT 1 FROM millrace.meta);
CREATE TABLE IF NOT EXISTS millrace.loads (
  connection_id text NOT NULL, stream_namespace text NOT NULL, stream_name text NOT NULL,
  generation bigint NOT NULL, attempt bigint NOT NULL, token text NOT NULL,
  finished boolean NOT NULL DEFAULT false, rows bigint NOT NULL DEFAULT 0, published boolean NOT NULL DEFAULT false,
  stage text, opened_at timestamptz NOT NULL DEFAULT now(), state text, state_generation bigint,
  former_generation bigint, former_state text, former_state_generation bigint,
  typed_load bigint,
  PRIMARY KEY (connection_id, stream_namespace, stream_name));
CREATE TABLE IF NOT EXISTS millrace.checkpoints (
  connection_id text NOT NULL, stream_namespace text NOT NULL, stream_name text NOT NULL, generation bigint NOT NULL,
  split_id text NOT NULL, state text NOT NULL, rows bigint NOT NULL, complete boolean NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, stream_namespace, stream_name, generation, split_id));
CREATE TABLE IF NOT EXISTS millrace.tables (
  table_schema text NOT NULL, table_name text NOT NULL, relation oid NOT NULL,
  connection_id text NOT NULL, stream_namespace text NOT NULL, stream_name text NOT NULL, generation bigint NOT NULL,
  marked_at timestamptz NOT NULL DEFAULT now(), connection_name text,
  PRIMARY KEY (table_schema, table_name));
CREATE TABLE IF NOT EXISTS millrace.quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection_id text NOT NULL, stream_namespace text NOT NULL, stream_name text NOT NULL, load_id bigint NOT NULL,
  split_id text NOT NULL, row_number bigint NOT NULL, key jsonb NOT NULL, field text NOT NULL, wanted text NOT NULL,
  reason text NOT NULL, value bytea, kept_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS quarantine_by_stream ON millrace.quarantine
  (connection_id, stream_namespace, stream_name, load_id);
COMMENT ON SCHEMA millrace IS 'Helper tables of Millrace: progress, fences, staged and former tables';
)sql";

// From 1 (no state in loads) or 2 (no former state, no quarantine, no names of connections) to 3; the tables that an
// older format lacked are made by kTables.
constexpr const char* kBringUp = R"sql(
ALTER TABLE millrace.loads ADD COLUMN IF NOT EXISTS state text, ADD COLUMN IF NOT EXISTS state_generation bigint,
  ADD COLUMN IF NOT EXISTS former_generation bigint, ADD COLUMN IF NOT EXISTS former_state text,
  ADD COLUMN IF NOT EXISTS former_state_generation bigint, ADD COLUMN IF NOT EXISTS typed_load bigint;
ALTER TABLE millrace.tables ADD COLUMN IF NOT EXISTS connection_name text;
UPDATE millrace.meta SET format = 3 WHERE format < 3;
)sql";

std::int64_t to_int(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

asio::awaitable<int> meta_format(net::PostgresSession& session) {
  const auto exists = co_await session.query("SELECT to_regclass('millrace.tables'), to_regclass('millrace.meta')", {});
  if (!exists.rows[0][0] || !exists.rows[0][1]) co_return 0;
  const auto format = co_await session.query("SELECT max(format) FROM millrace.meta", {});
  co_return static_cast<int>(to_int(format.at(0, 0)));
}

}  // namespace

Parameters stream_key(const StreamTarget& t) { return {t.connection_id, t.source_name.ns, t.source_name.name}; }

asio::awaitable<void> ensure_meta(net::PostgresSession& session) {
  int format = co_await meta_format(session);
  if (format < kMetaFormat) {
    // IF NOT EXISTS still collides when two make the same thing at once: one after the other.
    const std::string sql = "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7812204531)" + std::string(";") + kTables +
                            (format == 0 ? "" : kBringUp) + "COMMIT";
    co_await session.execute(sql);
    format = co_await meta_format(session);
  }
  if (format > kMetaFormat)
    throw Error("destination.newer_format",
                "format " + std::to_string(format) + ", this version knows " + std::to_string(kMetaFormat));
}

asio::awaitable<std::optional<LoadRow>> load_row(net::PostgresSession& session, StreamTarget target, RowLock lock) {
  std::string sql =
      "SELECT generation, attempt, token, finished, rows, published, stage FROM millrace.loads "
      "WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3";
  if (lock == RowLock::share) sql += " FOR SHARE";
  if (lock == RowLock::update) sql += " FOR UPDATE";
  const Parameters key = stream_key(target);
  const auto found = co_await session.query(sql, key);
  std::optional<LoadRow> row;
  if (found.rows.empty()) co_return row;
  row.emplace();
  row->generation = to_int(found.at(0, 0));
  row->attempt = to_int(found.at(0, 1));
  row->token = found.at(0, 2);
  row->finished = found.at(0, 3) == "t";
  row->rows = to_int(found.at(0, 4));
  row->published = found.at(0, 5) == "t";
  row->stage = found.at(0, 6);
  co_return row;
}

asio::awaitable<std::optional<StoredState>> load_state(net::PostgresSession& session, StreamTarget target) {
  const Parameters key = stream_key(target);
  const auto found = co_await session.query(
      "SELECT state_generation, state FROM millrace.loads WHERE connection_id = $1 AND stream_namespace = $2 AND "
      "stream_name = $3 AND state_generation IS NOT NULL",
      key);
  std::optional<StoredState> out;
  if (found.rows.empty()) co_return out;
  out.emplace();
  out->generation = to_int(found.at(0, 0));
  out->state = found.at(0, 1);
  co_return out;
}

asio::awaitable<std::map<std::string, Checkpoint>> load_checkpoints(net::PostgresSession& session,
                                                                    StreamTarget target) {
  Parameters parameters = stream_key(target);
  parameters.emplace_back(std::to_string(target.generation));
  const auto found = co_await session.query(
      "SELECT split_id, state, rows, complete FROM millrace.checkpoints "
      "WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3 AND generation = $4::bigint",
      parameters);
  std::map<std::string, Checkpoint> out;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    Checkpoint c;
    c.id = found.at(i, 0);
    c.state = found.at(i, 1);
    c.rows = to_int(found.at(i, 2));
    c.complete = found.at(i, 3) == "t";
    out[c.id] = std::move(c);
  }
  co_return out;
}

asio::awaitable<void> require_fence(net::PostgresSession& session, StreamTarget target, std::string token,
                                    RowLock lock) {
  const auto row = co_await load_row(session, target, lock);
  if (!row) throw Error("destination.fenced", "the fence of " + target.source_name.text() + " is gone");
  if (row->token != token || row->generation != target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row->generation) +
                                          ", attempt " + std::to_string(row->attempt) + " has taken over generation " +
                                          std::to_string(target.generation));
}

asio::awaitable<void> forget_quarantined(net::PostgresSession& session, StreamTarget target, std::int64_t load) {
  Parameters parameters = stream_key(target);
  parameters.emplace_back(std::to_string(load));
  co_await session.query(
      "DELETE FROM millrace.quarantine WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3 AND "
      "load_id = $4::bigint",
      parameters);
}

asio::awaitable<std::optional<TableMark>> table_mark(net::PostgresSession& session, std::string ns, std::string name) {
  const Parameters parameters{ns, name};
  const auto found = co_await session.query(
      "SELECT connection_id, stream_namespace, stream_name, generation, relation, connection_name FROM millrace.tables "
      "WHERE table_schema = $1 AND table_name = $2",
      parameters);
  std::optional<TableMark> mark;
  if (found.rows.empty()) co_return mark;
  mark.emplace();
  mark->connection_id = found.at(0, 0);
  mark->stream = StreamName(found.at(0, 1), found.at(0, 2));
  mark->generation = to_int(found.at(0, 3));
  mark->relation = to_int(found.at(0, 4));
  mark->connection_name = found.at(0, 5);
  co_return mark;
}

asio::awaitable<void> set_table_mark(net::PostgresSession& session, StreamTarget target, std::int64_t relation) {
  Parameters parameters = stream_key(target);
  parameters.emplace_back(identifier_that_fits(target.ns));
  parameters.emplace_back(identifier_that_fits(target.name));
  parameters.emplace_back(std::to_string(relation));
  parameters.emplace_back(std::to_string(target.generation));
  parameters.emplace_back(target.connection_name);
  co_await session.query(
      "INSERT INTO millrace.tables (connection_id, stream_namespace, stream_name, table_schema, table_name, relation, "
      "generation, connection_name) "
      "VALUES ($1, $2, $3, $4, $5, $6::oid, $7::bigint, $8) ON CONFLICT (table_schema, table_name) DO UPDATE SET "
      "connection_id = $1, stream_namespace = $2, stream_name = $3, relation = $6::oid, generation = $7::bigint, "
      "connection_name = $8, marked_at = now()",
      parameters);
}

asio::awaitable<std::int64_t> relation_oid(net::PostgresSession& session, std::string ns, std::string name) {
  const Parameters parameters{ns, name};
  const auto found = co_await session.query(
      "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
      "n.nspname = $1 AND c.relname = $2",
      parameters);
  co_return found.rows.empty() ? 0 : to_int(found.at(0, 0));
}

}  // namespace millrace::connectors::postgres
