// What is done to a stream's tables beside its loads: the list of them, clear, and what the quarantine holds.
#include <algorithm>
#include <cstdlib>

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"

namespace millrace::connectors::postgres {
namespace {

std::int64_t to_int(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

// Empties a table that may have foreign keys on it, which TRUNCATE refuses even where no row uses them.
asio::awaitable<void> empty_table(net::PostgresSession& session, std::string table) {
  co_await session.execute("SAVEPOINT millrace_empty");
  bool refused = false;
  try {
    const std::string sql = "TRUNCATE " + table;
    co_await session.execute(sql);
  } catch (const net::PostgresError& e) {
    if (e.sqlstate() != "0A000") throw;
    refused = true;
  }
  if (!refused) co_return;
  co_await session.execute("ROLLBACK TO SAVEPOINT millrace_empty");
  std::exception_ptr failure;
  try {
    const std::string sql = "DELETE FROM " + table;
    co_await session.execute(sql);
  } catch (const net::PostgresError& e) {
    failure = e.sqlstate() == "23503" ? std::make_exception_ptr(Error("destination.dependants", e.detail()))
                                      : std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<std::int64_t> clear_stream(net::PostgresSession& session, StreamTarget target) {
  co_await session.execute("BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL search_path = ''");
  const Parameters key = stream_key(target);
  co_await session.query(
      "INSERT INTO millrace.loads (connection_id, stream_namespace, stream_name, generation, attempt, token) VALUES "
      "($1, $2, $3, -1, 0, '') ON CONFLICT DO NOTHING",
      key);
  const auto row = co_await load_row(session, target, RowLock::update);
  if (row->generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row->generation) +
                                          " was opened after " + std::to_string(target.generation));
  if (!row->stage.empty()) co_await session.execute("DROP TABLE IF EXISTS " + helper_table(row->stage));
  co_await session.execute("DROP TABLE IF EXISTS " + helper_table(former_name(target)));
  const std::string of_stream = " WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3";
  co_await session.query("DELETE FROM millrace.checkpoints" + of_stream, key);
  co_await session.query("DELETE FROM millrace.quarantine" + of_stream, key);
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  const auto mark = co_await table_mark(session, ns, name);
  std::int64_t rows = 0;
  const bool ours = mark.has_value() && oid != 0 && mark->relation == oid &&
                    mark->connection_id == target.connection_id && mark->stream == target.source_name;
  if (ours) {
    const std::string table = final_table(target);
    co_await session.execute("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
    const auto counted = co_await session.query("SELECT count(*) FROM " + table, {});
    rows = to_int(counted.at(0, 0));
    co_await empty_table(session, table);
  }
  Parameters values = key;
  values.emplace_back(std::to_string(target.generation));
  co_await session.query(
      "UPDATE millrace.loads SET generation = $4::bigint, attempt = 0, token = 'clear', finished = true, rows = 0, "
      "published = true, stage = NULL, state = NULL, state_generation = $4::bigint, former_generation = NULL, "
      "typed_load = NULL, former_state = NULL, former_state_generation = NULL" +
          of_stream,
      values);
  co_await session.execute("COMMIT");
  co_return rows;
}

}  // namespace

asio::awaitable<std::vector<OwnedTable>> PostgresDestination::owned_tables(std::string connection_id) {
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  const Parameters id{connection_id};
  const auto found = co_await session->query(
      "SELECT stream_namespace, stream_name, table_schema, table_name, generation FROM millrace.tables "
      "WHERE connection_id = $1 ORDER BY 1, 2, marked_at",
      id);
  pool_->give_back(std::move(session));
  std::vector<OwnedTable> out;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    OwnedTable table;
    table.stream = StreamName(found.at(i, 0), found.at(i, 1));
    table.ns = found.at(i, 2);
    table.name = found.at(i, 3);
    table.generation = to_int(found.at(i, 4));
    out.push_back(std::move(table));
  }
  co_return out;
}

asio::awaitable<std::int64_t> PostgresDestination::clear(StreamTarget given) {
  const StreamTarget target = with_defaults(std::move(given));
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  const std::int64_t rows = co_await clear_stream(*session, target);
  pool_->give_back(std::move(session));
  co_return rows;
}

asio::awaitable<std::vector<QuarantinedRow>> PostgresDestination::quarantined(std::string connection_id,
                                                                              std::optional<StreamName> stream,
                                                                              std::int64_t after, std::size_t limit) {
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  Parameters parameters{connection_id, std::to_string(after), std::to_string(limit)};
  std::string sql =
      "SELECT id, stream_namespace, stream_name, load_id, row_number, key, field, wanted, reason, "
      "encode(value, 'escape'), to_char(kept_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
      "FROM millrace.quarantine WHERE connection_id = $1 AND id > $2::bigint";
  if (stream) {
    sql += " AND stream_name = $4";
    parameters.emplace_back(stream->name);
    if (!stream->ns.empty()) {
      sql += " AND stream_namespace = $5";
      parameters.emplace_back(stream->ns);
    }
  }
  sql += " ORDER BY id LIMIT $3::bigint";
  const auto found = co_await session->query(sql, parameters);
  pool_->give_back(std::move(session));
  std::vector<QuarantinedRow> out;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    QuarantinedRow row;
    row.id = to_int(found.at(i, 0));
    row.stream = StreamName(found.at(i, 1), found.at(i, 2));
    row.load = to_int(found.at(i, 3));
    row.value.row = to_int(found.at(i, 4));
    row.value.key = found.at(i, 5);
    row.value.field = found.at(i, 6);
    row.value.wanted = found.at(i, 7);
    row.value.reason = found.at(i, 8);
    row.value.bytes = found.at(i, 9);
    row.at = found.at(i, 10);
    out.push_back(std::move(row));
  }
  co_return out;
}

}  // namespace millrace::connectors::postgres
