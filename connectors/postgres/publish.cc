#include "connectors/postgres/publish.h"

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/merge.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/swap.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {
namespace {

std::string list(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

// Refuses a table that is neither ours nor may be taken; true if it is to be kept as <name>__before.
bool must_keep_before(const StreamTarget& target, std::int64_t oid, const std::optional<TableMark>& mark) {
  if (mark && mark->relation == oid && mark->connection_id == target.connection_id &&
      mark->stream == target.source_name)
    return false;
  if (!target.adopt)
    throw Error("destination.not_ours", final_table(target) + " was made by somebody else since the load began");
  return true;
}

asio::awaitable<std::string> free_before_name(net::PostgresSession& session, StreamTarget target) {
  const std::string ns = identifier_that_fits(target.ns);
  for (int n = 1;; ++n) {
    std::string name =
        identifier_that_fits(identifier_that_fits(target.name) + "__before" + (n == 1 ? "" : std::to_string(n)));
    const std::int64_t taken = co_await relation_oid(session, ns, name);
    if (taken == 0) co_return name;
  }
}

asio::awaitable<void> keep_copy_before(net::PostgresSession& session, StreamTarget target,
                                       std::vector<std::string>& notes) {
  const std::string name = co_await free_before_name(session, target);
  const std::string copy = net::quote_identifier(identifier_that_fits(target.ns)) + "." + net::quote_identifier(name);
  const std::string sql = "CREATE TABLE " + copy + " AS TABLE " + final_table(target);
  co_await session.execute(sql);
  notes.push_back("the rows of the table that was taken over are kept in " + copy);
}

// After a swap by name the table that was taken over lies in millrace.former_*: it goes back beside the new one.
asio::awaitable<void> former_to_before(net::PostgresSession& session, StreamTarget target,
                                       std::vector<std::string>& notes) {
  const std::string name = co_await free_before_name(session, target);
  const std::string ns = net::quote_identifier(identifier_that_fits(target.ns));
  const std::string sql = "ALTER TABLE " + helper_table(former_name(target)) + " RENAME TO " +
                          net::quote_identifier(name) + "; ALTER TABLE " + helper_table(name) + " SET SCHEMA " + ns;
  co_await session.execute(sql);
  notes.push_back("the table that was taken over is kept as " + ns + "." + net::quote_identifier(name));
}

// Tries by name under a savepoint; false if the server refused for a reason that will not pass.
asio::awaitable<bool> swapped_by_name(net::PostgresSession& session, StreamTarget target, TableFacts facts, bool before,
                                      std::vector<std::string>& notes) {
  co_await session.execute("SAVEPOINT millrace_swap");
  std::vector<std::string> tried;
  std::string refused;
  try {
    co_await swap_by_name(session, target, facts, tried);
    if (before) co_await former_to_before(session, target, tried);
  } catch (const net::PostgresError& e) {
    if (!session.usable() || e.kind() == ErrorKind::transient) throw;
    refused = e.detail();
  }
  if (refused.empty()) {
    notes.insert(notes.end(), tried.begin(), tried.end());
    co_return true;
  }
  co_await session.execute("ROLLBACK TO SAVEPOINT millrace_swap");
  notes.push_back("the rows were replaced inside the table, since another table can't take its place: " + refused);
  co_return false;
}

asio::awaitable<void> overwrite(net::PostgresSession& session, StreamTarget target, std::int64_t rows,
                                std::vector<std::string>& notes) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  // Readers plan with the new rows' statistics from the first query on.
  co_await session.execute("ANALYZE " + helper_table(stage_name(target)));
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid == 0) {
    co_await move_in(session, target, notes);
  } else {
    const auto mark = co_await table_mark(session, ns, name);
    const bool before = must_keep_before(target, oid, mark);
    const TableFacts facts = co_await table_facts(session, oid);
    if (facts.kind != 'r' && facts.kind != 'p')
      throw Error("destination.dependants", final_table(target) + " is no table");
    bool done = false;
    if (facts.sticky.empty())
      done = co_await swapped_by_name(session, target, facts, before, notes);
    else
      notes.push_back("the rows were replaced inside the table, since it has " + list(facts.sticky));
    if (!done) {
      if (before) co_await keep_copy_before(session, target, notes);
      co_await swap_by_content(session, target, facts, rows, notes);
      notes.emplace_back("the former rows are not kept");
    }
  }
  const std::int64_t now = co_await relation_oid(session, ns, name);
  co_await set_table_mark(session, target, now);
}

// Append without metadata columns: the whole load goes in at once.
asio::awaitable<void> append_stage(net::PostgresSession& session, StreamTarget target, std::int64_t rows,
                                   std::vector<std::string>& notes) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid != 0) {
    const auto mark = co_await table_mark(session, ns, name);
    if (must_keep_before(target, oid, mark)) {
      const std::string before = co_await keep_before(session, target);
      notes.push_back("the table that was taken over is kept as " + before);
      oid = 0;
    }
  }
  if (oid == 0) {
    const std::string sql = create_table(final_table(target), columns_of(target));
    co_await run_ddl(session, sql);
    oid = co_await relation_oid(session, ns, name);
  } else {
    co_await match_columns(session, final_table(target), columns_of(target));
  }
  co_await insert_stage(session, target, rows);
  co_await session.execute("DROP TABLE " + helper_table(stage_name(target)));
  co_await set_table_mark(session, target, oid);
}

bool is_overwrite(SyncMode mode) {
  return mode == SyncMode::full_refresh_overwrite || mode == SyncMode::full_refresh_overwrite_deduped;
}

// One row a key: the first load becomes the table, later ones are merged into it.
asio::awaitable<void> merge(net::PostgresSession& session, StreamTarget target, std::vector<std::string>& notes) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  // The planner takes an unknown table for a small one and would match the rows one by one.
  co_await session.execute("ANALYZE " + helper_table(stage_name(target)));
  std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid != 0) {
    const auto mark = co_await table_mark(session, ns, name);
    if (must_keep_before(target, oid, mark)) {
      const std::string before = co_await keep_before(session, target);
      notes.push_back("the table that was taken over is kept as " + before);
      oid = 0;
    }
  }
  if (oid == 0)
    co_await move_in(session, target, notes);
  else
    co_await merge_stage(session, target, notes);
  const std::int64_t now = co_await relation_oid(session, ns, name);
  co_await set_table_mark(session, target, now);
}

[[noreturn]] void not_finished(const StreamTarget& target, const std::string& why) {
  throw Error("destination.incomplete",
              target.source_name.text() + ", generation " + std::to_string(target.generation) + " " + why);
}

}  // namespace

asio::awaitable<void> make_schema(net::PostgresSession& session, std::string name) {
  const Parameters parameters{name};
  const auto found = co_await session.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", parameters);
  if (!found.rows.empty()) co_return;
  // IF NOT EXISTS still collides when two streams make it at once: one after the other.
  const std::string sql = "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7812204531); CREATE SCHEMA IF NOT EXISTS " +
                          net::quote_identifier(name) + "; COMMIT";
  co_await session.execute(sql);
}

asio::awaitable<std::string> keep_before(net::PostgresSession& session, StreamTarget target) {
  const std::string name = co_await free_before_name(session, target);
  const std::string sql = "ALTER TABLE " + final_table(target) + " RENAME TO " + net::quote_identifier(name);
  co_await session.execute(sql);
  co_return name;
}

asio::awaitable<PublishResult> publish_generation(net::PostgresSession& session, StreamTarget target) {
  co_await session.execute("BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL search_path = ''");
  const auto row = co_await load_row(session, target, RowLock::update);
  if (!row || row->generation < target.generation) not_finished(target, "was never opened");
  if (row->generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row->generation) +
                                          " was opened after " + std::to_string(target.generation));
  PublishResult result;
  result.rows = row->rows;
  if (row->published) {
    result.already_done = true;
    co_await session.execute("COMMIT");
    co_return result;
  }
  if (!row->finished) not_finished(target, "is not finished");

  std::int64_t rows = row->rows;
  if (is_deduped(target.sync_mode)) {
    const std::int64_t older = co_await dedupe_stage(session, target);
    rows -= older;
    if (older > 0) result.notes.push_back(std::to_string(older) + " rows had a newer row of the same key beside them");
  }
  if (target.sync_mode == SyncMode::incremental_deduped_history)
    co_await merge(session, target, result.notes);
  else if (!writes_in_place(target) && !is_overwrite(target.sync_mode))
    co_await append_stage(session, target, rows, result.notes);
  else if (is_overwrite(target.sync_mode))
    co_await overwrite(session, target, rows, result.notes);
  Parameters values = stream_key(target);
  values.emplace_back(std::to_string(target.generation));
  values.emplace_back(target.state.empty() ? std::nullopt : std::optional<std::string>(target.state));
  co_await session.query(
      "UPDATE millrace.loads SET published = true, stage = NULL, state_generation = $4::bigint, state = $5 WHERE "
      "connection_id = $1 AND stream_namespace = $2 AND stream_name = $3",
      values);
  co_await session.execute("COMMIT");
  co_return result;
}

}  // namespace millrace::connectors::postgres
