#include "connectors/postgres/publish.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/mapper.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/history.h"
#include "connectors/postgres/merge.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/normalize_raw.h"
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

// A former table is what undo brings back: none may stay that is not of the load before this one.
asio::awaitable<void> drop_former(net::PostgresSession& session, StreamTarget target) {
  co_await session.execute("DROP TABLE IF EXISTS " + helper_table(former_name(target)));
}

asio::awaitable<void> overwrite(net::PostgresSession& session, StreamTarget target, std::int64_t rows,
                                std::vector<std::string>& notes) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  // Readers plan with the new rows' statistics from the first query on.
  co_await session.execute("ANALYZE " + helper_table(stage_name(target)));
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid == 0) {
    co_await drop_former(session, target);
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
      co_await drop_former(session, target);
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
    co_await match_columns(session, final_table(target), columns_of(target), target.renamed);
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
  if (oid == 0) {
    if (target.keep_history) co_await stage_to_history(session, target);
    co_await move_in(session, target, notes);
  } else if (target.keep_history) {
    co_await merge_history(session, target, notes);
  } else {
    co_await merge_stage(session, target, notes);
  }
  const std::int64_t now = co_await relation_oid(session, ns, name);
  co_await set_table_mark(session, target, now);
}

// The generation whose rows the final table has before this publication; 0: none of this stream.
asio::awaitable<std::int64_t> generation_before(net::PostgresSession& session, StreamTarget target) {
  const auto mark = co_await table_mark(session, identifier_that_fits(target.ns), identifier_that_fits(target.name));
  const bool ours =
      mark.has_value() && mark->connection_id == target.connection_id && mark->stream == target.source_name;
  std::int64_t generation = 0;
  if (ours) generation = mark->generation;
  co_return generation;
}

// Rows that are gone have no values in the quarantine.
asio::awaitable<void> forget_replaced(net::PostgresSession& session, StreamTarget target) {
  Parameters parameters = stream_key(target);
  parameters.emplace_back(std::to_string(target.load_id));
  co_await session.query(
      "DELETE FROM millrace.quarantine WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3 AND "
      "load_id < $4::bigint",
      parameters);
}

// The state that this load leaves takes the place of the former one, which stays beside the former table for undo.
asio::awaitable<void> mark_published(net::PostgresSession& session, StreamTarget target, std::int64_t before) {
  Parameters values = stream_key(target);
  std::string sql = "UPDATE millrace.loads SET published = true, stage = NULL";
  if (!target.keep_state) {
    values.emplace_back(std::to_string(target.generation));
    values.emplace_back(target.state.empty() ? std::nullopt : std::optional<std::string>(target.state));
    values.emplace_back(std::to_string(before));
    sql +=
        ", former_state = state, former_state_generation = state_generation, former_generation = $6::bigint, "
        "state_generation = $4::bigint, state = $5";
  }
  sql += " WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3";
  co_await session.query(sql, values);
}

[[noreturn]] void not_finished(const StreamTarget& target, const std::string& why) {
  throw Error("destination.incomplete",
              target.source_name.text() + ", generation " + std::to_string(target.generation) + " " + why);
}

}  // namespace

namespace {

struct Typed {
  Typed() = default;
  StreamTarget target;
  bool rebuild = false;
};

// The typed table as its casts make it.
Typed typed_of(const StreamTarget& raw) {
  const auto value = nlohmann::json::parse(raw.typed);
  Typed out;
  out.target = stream_target_from_json(value.at("target").dump());
  out.target.generation = raw.generation;
  out.rebuild = value.value("rebuild", false);
  const RowMapping mapping(*out.target.schema, mappers_from_json(value.value("casts", nlohmann::json::array())), false);
  out.target.schema = mapping.schema();
  return out;
}

asio::awaitable<std::int64_t> typed_load(net::PostgresSession& session, StreamTarget raw) {
  const Parameters key = stream_key(raw);
  const auto found = co_await session.query(
      "SELECT coalesce(typed_load, 0) FROM millrace.loads WHERE connection_id = $1 AND stream_namespace = $2 AND "
      "stream_name = $3",
      key);
  co_return found.rows.empty() ? 0 : std::strtoll(found.at(0, 0).c_str(), nullptr, 10);
}

}  // namespace

asio::awaitable<PublishResult> publish_documents(net::PostgresSession& session, StreamTarget raw) {
  Typed typed = typed_of(raw);
  StreamTarget& target = typed.target;
  co_await make_schema(session, identifier_that_fits(target.ns));
  co_await session.execute("BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL search_path = ''");
  co_await load_row(session, raw, RowLock::update);
  PublishResult result;
  const std::int64_t done = co_await typed_load(session, raw);
  if (done >= raw.generation && !typed.rebuild) {
    result.already_done = true;
    co_await session.execute("COMMIT");
    co_return result;
  }
  // Documents of a load that replaced all others make a table that replaces the other one.
  if (typed.rebuild || raw.replace) target.replace = true;
  bool errors = false;
  const std::int64_t after = target.replace ? 0 : done;
  std::int64_t rows = co_await type_documents(session, raw, target, after, errors, result.notes);
  if (errors) {
    Schema schema = *target.schema;
    Field field;
    field.name = kErrorsField;
    field.type = Type(Kind::jsonb, "jsonb");
    schema.fields.push_back(std::move(field));
    target.schema = std::make_shared<const Schema>(std::move(schema));
  }
  if (is_deduped(target.sync_mode) && !target.keep_history) rows -= co_await dedupe_stage(session, target);
  if (target.keep_history) target.add_keys = false;
  if (target.keep_history && target.replace) co_await stage_to_history(session, target);
  if (target.replace || is_overwrite(target.sync_mode))
    co_await overwrite(session, target, rows, result.notes);
  else if (is_deduped(target.sync_mode))
    co_await merge(session, target, result.notes);
  else
    co_await append_stage(session, target, rows, result.notes);
  Parameters values = stream_key(raw);
  values.emplace_back(std::to_string(raw.generation));
  co_await session.query(
      "UPDATE millrace.loads SET typed_load = $4::bigint WHERE connection_id = $1 AND stream_namespace = $2 AND "
      "stream_name = $3",
      values);
  co_await session.execute("COMMIT");
  result.rows = rows;
  co_return result;
}

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
  if (is_deduped(target.sync_mode) && !target.keep_history) {
    const std::int64_t older = co_await dedupe_stage(session, target);
    rows -= older;
    if (older > 0) result.notes.push_back(std::to_string(older) + " rows had a newer row of the same key beside them");
  }
  if (target.keep_history) target.add_keys = false;  // a key has many versions
  const std::int64_t before = co_await generation_before(session, target);
  if (target.keep_history && target.replace) co_await stage_to_history(session, target);
  if (!target.replace && !is_overwrite(target.sync_mode)) co_await drop_former(session, target);
  if (target.replace || is_overwrite(target.sync_mode))
    co_await overwrite(session, target, rows, result.notes);
  else if (target.sync_mode == SyncMode::incremental_deduped_history)
    co_await merge(session, target, result.notes);
  else if (!writes_in_place(target))
    co_await append_stage(session, target, rows, result.notes);
  if (target.replace || is_overwrite(target.sync_mode)) co_await forget_replaced(session, target);
  co_await mark_published(session, target, before);
  co_await session.execute("COMMIT");
  co_return result;
}

}  // namespace millrace::connectors::postgres
