// Reading one split: a transaction that locks the table against changes of its shape, compares the columns with what
// discover found, and runs one COPY in binary format, whose rows go into batches as they come.
#include "common/errors.h"
#include "connectors/filter.h"
#include "connectors/postgres/source.h"
#include "connectors/postgres/types.h"

namespace millrace::connectors::postgres {
namespace {

std::string copy_command(const ConfiguredStream& stream, const Bounds& bounds) {
  std::string columns;
  for (const Field& f : stream.schema->fields) columns += (columns.empty() ? "" : ", ") + select_expression(f);
  std::string rows = where_clause(bounds);
  if (!stream.filter.empty()) rows += (rows.empty() ? " WHERE (" : " AND (") + filter_sql(stream.filter) + ")";
  if (stream.limit > 0) rows += " LIMIT " + std::to_string(stream.limit);
  return "SET LOCAL search_path TO DEFAULT; COPY (SELECT " + columns + " FROM " +
         from_clause(stream.name, bounds.relation) + rows + ") TO STDOUT (FORMAT binary)";
}

// The transaction in which the split is read, up to the lock. A view or foreign table is locked by a query that gives
// no row.
std::string begin_commands(const StreamName& name, const Bounds& bounds) {
  std::string sql = "BEGIN READ ONLY; ";
  if (!bounds.snapshot.empty())
    sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT " +
          net::quote_literal(bounds.snapshot) + "; ";
  const bool lockable = bounds.relation == 'r' || bounds.relation == 'p';
  sql += lockable ? "LOCK TABLE " + from_clause(name, bounds.relation) + " IN ACCESS SHARE MODE; "
                  : "SELECT 1 FROM " + qualified(name) + " LIMIT 0; ";
  return sql + "SET LOCAL search_path = ''";
}

}  // namespace

asio::awaitable<void> PostgresSource::copy_rows(net::PostgresSession& session, ConfiguredStream stream, Split split,
                                                BatchSink& out) {
  const Bounds bounds = bounds_from_json(split.bounds);
  co_await session.execute(begin_commands(stream.name, bounds));
  co_await require_columns(session, stream.name, stream.schema);
  co_await session.copy_out_begin(copy_command(stream, bounds));
  std::int64_t rows = 0;
  for (bool more = true; more;) {
    std::vector<char> arena = out.buffer();
    std::uint32_t got = 0;
    more = co_await session.copy_out_read_rows(arena, Pipe::kBatchBytes, got);
    rows += got;
    if (got == 0) continue;
    co_await out.write(RowBatch::of_tuples(stream.schema, std::move(arena), got));
  }
  if (session.copy_out_rows() != rows)
    throw Error("postgres.bad_copy", "the server counted " + std::to_string(session.copy_out_rows()) + " rows, " +
                                         std::to_string(rows) + " came");
  co_await session.execute("COMMIT");
  Checkpoint checkpoint;
  checkpoint.id = split.id;
  checkpoint.state = "{}";
  checkpoint.rows = rows;
  checkpoint.complete = true;
  co_await out.checkpoint(std::move(checkpoint));
}

asio::awaitable<void> PostgresSource::read(ConfiguredStream stream, Split split, std::optional<std::string>,
                                           BatchSink& out) {
  SessionPtr session = co_await pool_.take();
  std::exception_ptr failure;
  try {
    co_await copy_rows(*session, stream, split, out);
  } catch (const net::PostgresError& e) {
    // What the statement of a split meets when the shape of the table, or the snapshot, has gone meanwhile.
    if (e.code() == "postgres.object_missing")
      failure = std::make_exception_ptr(Error("connector.schema_changed", e.detail()));
    else if (bounds_from_json(split.bounds).snapshot.empty() ||
             (e.sqlstate() != "22023" && e.sqlstate() != "55000" && e.sqlstate() != "42704"))
      failure = std::current_exception();
    else
      failure = std::make_exception_ptr(Error("connector.snapshot_lost", e.detail()));
  }
  if (failure) std::rethrow_exception(failure);
  pool_.give_back(std::move(session));
}

}  // namespace millrace::connectors::postgres
