// Taking a load back.
//
// Appended rows go by their _load_id. What replaced a table is taken back by bringing the former table in again, the
// same way as it went out: it is dressed with the present one's indexes, grants and dependants, and the present one
// becomes the former, so that an undo can be undone. What a merge replaced is not kept, so it can't be taken back.
#include <algorithm>
#include <cstdlib>

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/swap.h"
#include "connectors/postgres/table_facts.h"

namespace millrace::connectors::postgres {
namespace {

[[noreturn]] void impossible(const StreamTarget& target, const std::string& why) {
  throw Error("job.undo_impossible", target.source_name.text() + ": " + why);
}

struct StateMarks {
  StateMarks() = default;
  std::int64_t of_state = 0;   // the load that left the present state
  std::int64_t of_former = 0;  // the load whose rows the former table has
};

asio::awaitable<StateMarks> state_marks(net::PostgresSession& session, StreamTarget target) {
  const Parameters key = stream_key(target);
  const auto found = co_await session.query(
      "SELECT coalesce(state_generation, 0), coalesce(former_generation, 0) FROM millrace.loads "
      "WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3",
      key);
  StateMarks marks;
  if (!found.rows.empty()) {
    marks.of_state = std::strtoll(found.at(0, 0).c_str(), nullptr, 10);
    marks.of_former = std::strtoll(found.at(0, 1).c_str(), nullptr, 10);
  }
  co_return marks;
}

asio::awaitable<bool> has_column(net::PostgresSession& session, std::int64_t oid, std::string column) {
  const Parameters parameters{std::to_string(oid), column};
  const auto found = co_await session.query(
      "SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attname = $2 AND NOT attisdropped",
      parameters);
  co_return !found.rows.empty();
}

asio::awaitable<void> remove_load(net::PostgresSession& session, StreamTarget target, std::int64_t load,
                                  TakenBack& back) {
  const Parameters id{std::to_string(load)};
  const std::string sql =
      "DELETE FROM " + final_table(target) + " WHERE " + net::quote_identifier(kLoadId) + " = $1::bigint";
  const auto deleted = co_await session.query(sql, id);
  back.rows = deleted.affected;
  back.notes.push_back(std::to_string(back.rows) + " rows of load " + std::to_string(load) + " were removed");
}

// The former table becomes the stage of this undo, without indexes: the swap gives it those of the present table.
asio::awaitable<void> former_to_stage(net::PostgresSession& session, StreamTarget target, std::int64_t former) {
  const TableFacts facts = co_await table_facts(session, former);
  const std::string table = helper_table(former_name(target));
  std::string sql;
  for (const IndexFact& index : facts.indexes)
    sql += index.constraint.empty()
               ? "DROP INDEX " + helper_table(index.name) + ";"
               : "ALTER TABLE " + table + " DROP CONSTRAINT " + net::quote_identifier(index.name) + ";";
  sql += "ALTER TABLE " + table + " RENAME TO " + net::quote_identifier(stage_name(target));
  co_await session.execute(sql);
}

asio::awaitable<void> bring_back(net::PostgresSession& session, StreamTarget target, std::int64_t oid,
                                 std::int64_t former_load, std::int64_t load, TakenBack& back) {
  const std::int64_t former = co_await relation_oid(session, kMetaSchema, former_name(target));
  if (former == 0 || former_load == 0 || former_load >= load)
    impossible(target,
               "no table of before it is kept: it is the first load, or one that replaced the rows inside the table");
  TableFacts facts = co_await table_facts(session, oid);
  if (!facts.sticky.empty()) impossible(target, "the table has " + facts.sticky.front() + " by now");
  const auto counted = co_await session.query("SELECT count(*) FROM " + final_table(target), {});
  back.rows = std::strtoll(counted.at(0, 0).c_str(), nullptr, 10);
  co_await former_to_stage(session, target, former);
  facts.columns.clear();          // the former table has its own
  facts.own_constraints.clear();  // likewise
  target.add_keys = false;        // the present table's key, if it has one, is among its indexes
  co_await swap_by_name(session, target, facts, back.notes);
  const std::int64_t now =
      co_await relation_oid(session, identifier_that_fits(target.ns), identifier_that_fits(target.name));
  StreamTarget marked = target;
  marked.generation = former_load;
  co_await set_table_mark(session, marked, now);
  back.notes.push_back("the table has the rows of job " + std::to_string(former_load) + " again; those of job " +
                       std::to_string(load) + " are kept in " + helper_table(former_name(target)) +
                       " until the next load");
}

asio::awaitable<TakenBack> undo_load(net::PostgresSession& session, StreamTarget target, std::int64_t load) {
  if (!target.typed.empty()) impossible(target, "it is a raw stream: clear or refresh it instead");
  co_await session.execute("BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL search_path = ''");
  const auto row = co_await load_row(session, target, RowLock::update);
  if (!row) impossible(target, "nothing was loaded");
  TakenBack back;
  if (row->generation == target.generation && row->token.starts_with("undo")) {  // an attempt whose answer was lost
    back.newest = row->token == "undo newest";
    co_await session.execute("COMMIT");
    co_return back;
  }
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  const auto mark = co_await table_mark(session, ns, name);
  const bool ours = mark.has_value() && oid != 0 && mark->relation == oid &&
                    mark->connection_id == target.connection_id && mark->stream == target.source_name;
  if (!ours) impossible(target, final_table(target) + " is not a table of this stream any more");
  const StateMarks marks = co_await state_marks(session, target);
  back.newest = marks.of_state == load;
  const bool swaps = target.replace || target.sync_mode == SyncMode::full_refresh_overwrite ||
                     target.sync_mode == SyncMode::full_refresh_overwrite_deduped;
  std::int64_t former_now = 0;
  if (swaps) {
    if (mark->generation != load)
      impossible(target, "its rows are those of job " + std::to_string(mark->generation) + " by now");
    co_await bring_back(session, target, oid, marks.of_former, load, back);
    former_now = load;
  } else if (is_deduped(target.sync_mode)) {
    impossible(target, "the rows that a merge replaced are not kept; a refresh reads the stream again");
  } else {
    const bool marked = co_await has_column(session, oid, kLoadId);
    if (!marked) impossible(target, "its rows have no _load_id (metadataColumns: none)");
    co_await remove_load(session, target, load, back);
  }
  Parameters values = stream_key(target);
  values.emplace_back(std::to_string(target.generation));
  values.emplace_back(former_now == 0 ? std::nullopt : std::optional<std::string>(std::to_string(former_now)));
  values.emplace_back(back.newest ? "undo newest" : "undo");
  std::string sql =
      "UPDATE millrace.loads SET generation = $4::bigint, attempt = 0, token = $6, published = true, finished = "
      "true, former_generation = $5::bigint, former_state = NULL, former_state_generation = NULL";
  // The next job begins where the server's own state says.
  if (back.newest) sql += ", state = NULL, state_generation = NULL";
  sql += " WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3";
  co_await session.query(sql, values);
  co_await forget_quarantined(session, target, load);
  co_await session.execute("COMMIT");
  co_return back;
}

}  // namespace

asio::awaitable<TakenBack> PostgresDestination::undo(StreamTarget given, std::int64_t load_id) {
  const StreamTarget target = with_defaults(std::move(given));
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  TakenBack back = co_await undo_load(*session, target, load_id);
  pool_->give_back(std::move(session));
  co_return back;
}

}  // namespace millrace::connectors::postgres
