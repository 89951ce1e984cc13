// What a load would do to its table, without doing it.
#include <map>

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {
namespace {

asio::awaitable<TablePreview> preview_table(net::PostgresSession& session, StreamTarget target) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  const bool swaps = target.replace || target.sync_mode == SyncMode::full_refresh_overwrite ||
                     target.sync_mode == SyncMode::full_refresh_overwrite_deduped;
  TablePreview out;
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid == 0) {
    out.action = "create";
    co_return out;
  }
  out.action = swaps ? "replace" : "write";
  const auto known = co_await session.query("SELECT to_regclass('millrace.tables')", {});
  std::optional<TableMark> mark;
  if (known.rows[0][0]) mark = co_await table_mark(session, ns, name);
  const bool ours = mark.has_value() && mark->relation == oid && mark->connection_id == target.connection_id &&
                    mark->stream == target.source_name;
  if (!ours && !target.adopt) out.problems.push_back(ns + "." + name + " is there and not of this stream");
  if (!ours && target.adopt) {
    out.changes.push_back("the table that is there is kept as " + name + "__before");
    co_return out;
  }
  const Parameters id{std::to_string(oid)};
  const auto found = co_await session.query(
      "SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
      "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped",
      id);
  std::map<std::string, std::string> have;
  for (std::size_t i = 0; i < found.rows.size(); ++i) have[found.at(i, 0)] = found.at(i, 1);
  for (const auto& [before, after] : target.renamed)
    if (have.contains(before) && !have.contains(after)) {
      out.changes.push_back("column " + before + " becomes " + after);
      have[after] = have[before];
      have.erase(before);
    }
  for (const ColumnDef& c : columns_of(target)) {
    const auto it = have.find(c.name);
    if (it == have.end()) {
      out.changes.push_back("column " + c.name + " " + c.pg_type + " is added");
      continue;
    }
    if (it->second != c.pg_type)
      out.changes.push_back("column " + c.name + ": " + it->second + " becomes " + c.pg_type);
    have.erase(it);
  }
  for (const auto& [column, type] : have)
    out.changes.push_back("column " + column + " " + type + (swaps ? " is not in the new table" : " stays as it is"));
  co_return out;
}

}  // namespace

asio::awaitable<TablePreview> PostgresDestination::preview(StreamTarget given) {
  const StreamTarget target = with_defaults(std::move(given));
  SessionPtr session = co_await pool_->take();
  co_await session->execute("BEGIN READ ONLY; SET LOCAL search_path = ''");
  TablePreview out = co_await preview_table(*session, target);
  co_await session->execute("COMMIT");
  pool_->give_back(std::move(session));
  co_return out;
}

}  // namespace millrace::connectors::postgres
