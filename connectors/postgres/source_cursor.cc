// Incremental reads by a cursor: which rows are new.
//
// The plan looks up the greatest cursor value M before anything is read and asks for the rows up to it; what grows
// beyond M meanwhile belongs to the next job. From the last load's end C on the read is "C <= cursor <= M": rows that
// came late with the value C itself are among them, and so are those of C that were read before. A cursor is coarse, so
// the house rule is to send again rather than to lose: where the mode dedupes nothing is doubled, where it appends the
// rows of the one boundary value are there twice, and the documentation says so. Only if M is still C, and as many rows
// have it as had it then, there is nothing new and nothing is read.
//
// A cursor value that gives no place in the order (null; infinite dates; NaN and infinite numbers) must not become M:
// nothing would ever be greater. Rows with such a value are in the first load, and in each later one where the mode
// dedupes; where it appends they are counted and told instead.
//
// Rows that commit after the plan with a cursor below M (a long transaction, a clock of another machine) are missed, as
// by every read by cursor; change data capture has no such gap.
#include "connectors/postgres/source_cursor.h"
#include "common/errors.h"
#include "connectors/postgres/cursor_state.h"
#include "connectors/postgres/source.h"

namespace millrace::connectors::postgres {
namespace {

CursorBounds bounds_of(const ConfiguredStream& stream, int server_version) {
  if (stream.cursor_field.size() != 1 || !stream.schema->index_of(stream.cursor_field.front()))
    throw Error("connector.schema_changed", stream.name.text() + " lacks the cursor column");
  const Field& field = stream.schema->fields[*stream.schema->index_of(stream.cursor_field.front())];
  CursorBounds bounds;
  bounds.column = field.name;
  bounds.type = field.type.pg_type;
  switch (field.type.kind) {
    case Kind::date:
    case Kind::timestamp:
    case Kind::timestamptz:
      bounds.kind = "time";
      break;
    case Kind::float32:
    case Kind::float64:
      bounds.kind = "number14";
      break;
    case Kind::numeric:
      bounds.kind = server_version >= 140000 ? "number14" : "number";
      break;
    default:
      break;
  }
  return bounds;
}

asio::awaitable<std::int64_t> count_rows(net::PostgresSession& session, std::string from, std::string condition) {
  const std::string sql = "SELECT count(*) FROM " + from + " WHERE " + condition;
  const auto found = co_await session.query(sql, {});
  co_return std::strtoll(found.at(0, 0).c_str(), nullptr, 10);
}

}  // namespace

asio::awaitable<CursorRead> look_at_cursor(net::PostgresSession& session, ConfiguredStream stream, char relation_kind) {
  CursorRead read;
  CursorBounds bounds = bounds_of(stream, session.server_version());
  const std::string from = from_clause(stream.name, relation_kind);
  const std::string column = net::quote_identifier(bounds.column);

  CursorState last;
  if (!stream.state.empty()) {
    last = cursor_state_from_json(stream.state);
    read.first = last.field != bounds.column;
    if (read.first)
      read.notes.push_back("the cursor was " + last.field + " and is now " + bounds.column +
                           ": all rows are read again");
  } else {
    read.first = true;
  }
  if (read.first) last = CursorState();

  // By ORDER BY and not by max(), which not every ordered type has; an index on the cursor serves both.
  // The name of the result must not be the column's: ORDER BY would take the text for it.
  std::string sql = "SELECT " + column + "::text AS millrace_greatest FROM " + from + " WHERE " + usable_cursor(bounds);
  if (last.cursor) sql += " AND " + column + " >= " + cursor_literal(bounds, *last.cursor);
  sql += " ORDER BY " + column + " DESC LIMIT 1";
  const auto greatest = co_await session.query(sql, {});

  CursorState next;
  next.field = bounds.column;
  if (!greatest.rows.empty()) {
    next.cursor = greatest.at(0, 0);
    next.count = co_await count_rows(session, from, column + " = " + cursor_literal(bounds, *next.cursor));
    bounds.from = last.cursor;
    bounds.to = *next.cursor;
  } else {
    next.cursor = last.cursor;
  }
  read.state = to_json(next, stream.name);

  const bool newer = next.cursor && (next.cursor != last.cursor || next.count != last.count);
  const bool resends = is_deduped(stream.sync_mode);
  std::int64_t unusable = 0;
  if (!read.first) {
    unusable = co_await count_rows(session, from, "(" + usable_cursor(bounds) + ") IS NOT TRUE");
    if (unusable > 0 && !resends)
      read.notes.push_back(std::to_string(unusable) + " rows have no usable " + bounds.column +
                           " (null, infinite or NaN): an incremental read in a mode that appends leaves them out");
  }
  if (read.first) {
    bounds.unusable = true;
    if (next.cursor) read.bounds = bounds;  // none has a usable cursor: all rows are read
    co_return read;
  }
  bounds.unusable = resends && unusable > 0;
  read.nothing_new = !newer && !bounds.unusable;
  // Nothing but rows without a place in the order: the range is empty but for the boundary.
  if (bounds.to.empty() && next.cursor) bounds.to = *next.cursor;
  if (next.cursor) read.bounds = bounds;
  if (!next.cursor && !resends) read.nothing_new = true;
  co_return read;
}

}  // namespace millrace::connectors::postgres
