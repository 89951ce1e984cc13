#include "connectors/postgres/swap.h"

#include <algorithm>

#include "common/errors.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/publish.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {
namespace {

std::string key_columns(const StreamTarget& target) {
  std::string out;
  for (const auto& column : target.primary_key)
    out += (out.empty() ? "" : ", ") + net::quote_identifier(identifier_that_fits(column));
  return out;
}

// Name of the nth index that is built on a stage: its own until the swap is over, since the former table still has the
// real one.
std::string interim_name(const StreamTarget& target, std::size_t n) {
  return stage_name(target) + "_" + std::to_string(n);
}

std::string key_name(const StreamTarget& target) {
  return identifier_that_fits(identifier_that_fits(target.name) + "_pkey");
}

bool key_may_be_null(const StreamTarget& target) {
  return std::any_of(target.primary_key.begin(), target.primary_key.end(), [&](const auto& key) {
    const auto at = target.schema->index_of(key);
    return at && target.schema->fields[*at].nullable;
  });
}

struct Built {
  std::string interim, name;
};

// Builds the former table's indexes on the stage, before any lock on the final table is taken.
asio::awaitable<std::vector<Built>> build_indexes(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                                  std::vector<std::string>& notes) {
  const std::string stage = helper_table(stage_name(target));
  std::vector<Built> built;
  bool has_key = false;
  for (const IndexFact& index : facts.indexes) {
    if ((index.primary || (is_deduped(target.sync_mode) && index.name == key_name(target))) && target.add_keys)
      continue;
    const std::string interim = interim_name(target, built.size());
    std::string sql;
    if (!index.constraint.empty())
      sql = "ALTER TABLE " + stage + " ADD CONSTRAINT " + net::quote_identifier(interim) + " " + index.constraint;
    else if (index.definition.starts_with(index.prefix))
      sql = (index.prefix.starts_with("CREATE UNIQUE") ? "CREATE UNIQUE INDEX " : "CREATE INDEX ") +
            net::quote_identifier(interim) + " ON " + stage + " " + index.definition.substr(index.prefix.size());
    std::string why = "its definition is not understood";
    if (!sql.empty() && co_await try_execute(session, sql, why)) {
      built.push_back({interim, index.name});
      has_key = has_key || index.primary;
    } else {
      notes.push_back("index " + index.name + " was not re-created: " + why);
    }
  }
  if (target.add_keys && !target.primary_key.empty() && !has_key) {
    const std::string interim = interim_name(target, built.size());
    co_await add_key(session, target, stage, interim);
    built.push_back({interim, key_name(target)});
  }
  co_return built;
}

asio::awaitable<void> name_indexes(net::PostgresSession& session, StreamTarget target, std::vector<Built> built,
                                   std::vector<std::string>& notes) {
  const std::string ns = net::quote_identifier(identifier_that_fits(target.ns));
  for (const Built& index : built) {
    std::string why;
    const std::string sql = "ALTER INDEX " + ns + "." + net::quote_identifier(index.interim) + " RENAME TO " +
                            net::quote_identifier(index.name);
    if (!co_await try_execute(session, sql, why))
      notes.push_back("index " + index.name + " is named " + index.interim + ": " + why);
  }
}

asio::awaitable<void> stage_to_final(net::PostgresSession& session, StreamTarget target) {
  const std::string ns = net::quote_identifier(identifier_that_fits(target.ns));
  const std::string stage = net::quote_identifier(stage_name(target));
  const std::string sql = "ALTER TABLE " + helper_table(stage_name(target)) + " SET SCHEMA " + ns + "; ALTER TABLE " +
                          ns + "." + stage + " RENAME TO " + net::quote_identifier(identifier_that_fits(target.name));
  co_await session.execute(sql);
}

asio::awaitable<void> former_aside(net::PostgresSession& session, StreamTarget target, TableFacts facts) {
  const std::string ns = net::quote_identifier(identifier_that_fits(target.ns)), former = former_name(target);
  std::string sql = "DROP TABLE IF EXISTS " + helper_table(former) + ";";
  std::size_t n = 0;  // names of indexes are one namespace in a schema
  for (const IndexFact& index : facts.indexes)
    sql += "ALTER INDEX " + ns + "." + net::quote_identifier(index.name) + " RENAME TO " +
           net::quote_identifier(former + "_" + std::to_string(n++)) + ";";
  sql += "ALTER TABLE " + final_table(target) + " RENAME TO " + net::quote_identifier(former) + ";";
  sql +=
      "ALTER TABLE " + ns + "." + net::quote_identifier(former) + " SET SCHEMA " + net::quote_identifier(kMetaSchema);
  co_await session.execute(sql);
}

asio::awaitable<void> dress(net::PostgresSession& session, StreamTarget target, TableFacts facts) {
  const std::string table = final_table(target);
  const Parameters name{table};
  // What default privileges gave the new table, the former one did not have.
  const auto extra = co_await session.query(
      "SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END FROM "
      "pg_catalog.pg_class c, "
      "pg_catalog.aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner",
      name);
  std::string sql;
  for (std::size_t i = 0; i < extra.rows.size(); ++i)
    sql += "REVOKE ALL ON TABLE " + table + " FROM " + extra.at(i, 0) + ";";
  for (const auto& comment : facts.comments) sql += for_table(comment, table) + ";";
  for (const auto& grant : facts.grants) sql += for_table(grant, table) + ";";
  if (!facts.options.empty()) sql += "ALTER TABLE " + table + " SET (" + facts.options + ");";
  const auto owner = co_await session.query("SELECT quote_ident(current_user)", {});
  if (owner.at(0, 0) != facts.owner) sql += "ALTER TABLE " + table + " OWNER TO " + facts.owner + ";";
  if (!sql.empty()) co_await session.execute(sql);
}

// Columns of the former table that the stream does not have, as a list; empty: none.
std::string foreign_columns(const StreamTarget& target, const TableFacts& facts) {
  const auto ours = columns_of(target);
  std::string out;
  for (const auto& column : facts.columns)
    if (std::none_of(ours.begin(), ours.end(), [&](const auto& c) { return c.name == column.name; }))
      out += (out.empty() ? "" : ", ") + net::quote_identifier(column.name);
  return out;
}

// NOT NULL that somebody gave a column is a constraint like any other. The key's own comes with the key.
asio::awaitable<void> keep_not_null(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                    std::vector<std::string>& notes) {
  const auto ours = columns_of(target);
  for (const auto& column : facts.columns) {
    const bool in_both = std::any_of(ours.begin(), ours.end(), [&](const auto& c) { return c.name == column.name; });
    if (!column.not_null || !in_both) continue;
    std::string why;
    const std::string sql = "ALTER TABLE " + helper_table(stage_name(target)) + " ALTER COLUMN " +
                            net::quote_identifier(column.name) + " SET NOT NULL";
    if (!co_await try_execute(session, sql, why))
      notes.push_back("column " + column.name + " is no longer NOT NULL: " + why);
  }
}

asio::awaitable<void> drop_references(net::PostgresSession& session, TableFacts facts) {
  for (const auto& fk : facts.references) {
    const std::string sql = "ALTER TABLE " + fk.table + " DROP CONSTRAINT " + fk.name;
    co_await session.execute(sql);
  }
}

asio::awaitable<void> add_references(net::PostgresSession& session, TableFacts facts, std::vector<std::string>& notes) {
  for (const auto& fk : facts.references) {
    std::exception_ptr failure;
    try {
      const std::string sql = "ALTER TABLE " + fk.table + " ADD CONSTRAINT " + fk.name + " " + fk.definition;
      co_await session.execute(sql);
    } catch (const net::PostgresError& e) {
      failure = e.kind() == ErrorKind::transient
                    ? std::current_exception()
                    : std::make_exception_ptr(Error("destination.dependants",
                                                    "foreign key " + fk.name + " of " + fk.table + ": " + e.detail()));
    }
    if (failure) std::rethrow_exception(failure);
    notes.push_back("foreign key " + fk.name + " of " + fk.table + " was re-created");
  }
}

}  // namespace

asio::awaitable<void> add_key(net::PostgresSession& session, StreamTarget target, std::string table, std::string name) {
  const std::string quoted = net::quote_identifier(name), columns = " (" + key_columns(target) + ")";
  std::string sql = "ALTER TABLE " + table + " ADD CONSTRAINT " + quoted + " PRIMARY KEY" + columns;
  if (is_deduped(target.sync_mode) && key_may_be_null(target))
    sql = "CREATE UNIQUE INDEX " + quoted + " ON " + table + columns;
  std::exception_ptr failure;
  try {
    co_await session.execute(sql);
  } catch (const net::PostgresError& e) {
    const bool rows = e.sqlstate() == "23505" || e.sqlstate() == "23502";
    failure =
        rows ? std::make_exception_ptr(Error("destination.key_violated", target.source_name.text() + ": " + e.detail()))
             : std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<bool> try_execute(net::PostgresSession& session, std::string sql, std::string& why) {
  co_await session.execute("SAVEPOINT millrace_try");
  std::exception_ptr failure;
  try {
    co_await session.execute(std::move(sql));
  } catch (const net::PostgresError& e) {
    if (!session.usable() || e.kind() == ErrorKind::transient) throw;
    why = e.detail();
    failure = std::current_exception();
  }
  co_await session.execute(failure ? "ROLLBACK TO SAVEPOINT millrace_try; RELEASE SAVEPOINT millrace_try"
                                   : "RELEASE SAVEPOINT millrace_try");
  co_return failure == nullptr;
}

asio::awaitable<void> insert_stage(net::PostgresSession& session, StreamTarget target, std::int64_t rows) {
  const std::string columns = column_list(columns_of(target));
  const std::string sql = "INSERT INTO " + final_table(target) + " (" + columns + ") SELECT " + columns + " FROM " +
                          helper_table(stage_name(target));
  const auto inserted = co_await session.query(sql, {});
  if (inserted.affected != rows)
    throw Error("destination.count_mismatch", final_table(target) + ": " + std::to_string(inserted.affected) +
                                                  " rows went in of " + std::to_string(rows));
}

asio::awaitable<void> move_in(net::PostgresSession& session, StreamTarget target, std::vector<std::string>& notes) {
  const TableFacts none;
  const auto built = co_await build_indexes(session, target, none, notes);
  co_await stage_to_final(session, target);
  co_await name_indexes(session, target, built, notes);
}

asio::awaitable<void> swap_by_name(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                   std::vector<std::string>& notes) {
  const auto built = co_await build_indexes(session, target, facts, notes);
  co_await keep_not_null(session, target, facts, notes);
  const std::string foreign = foreign_columns(target, facts);
  if (!foreign.empty())
    notes.push_back("columns that the stream does not have are not in the new table: " + foreign +
                    "; the former one is " + helper_table(former_name(target)) + " until the next load");
  for (const auto& constraint : facts.own_constraints) {
    std::string why;
    const std::string sql = "ALTER TABLE " + helper_table(stage_name(target)) + " ADD CONSTRAINT " + constraint.name +
                            " " + constraint.definition;
    if (!co_await try_execute(session, sql, why))
      notes.push_back("constraint " + constraint.name + " was not re-created: " + why);
  }
  co_await session.execute("LOCK TABLE " + final_table(target) + " IN ACCESS EXCLUSIVE MODE");
  co_await drop_references(session, facts);
  co_await former_aside(session, target, facts);
  co_await stage_to_final(session, target);
  co_await name_indexes(session, target, built, notes);
  co_await dress(session, target, facts);
  for (const auto& view : facts.views) {
    const std::string options = view.options.empty() ? "" : " WITH (" + view.options + ")";
    const std::string sql = "CREATE OR REPLACE VIEW " + view.view + options + " AS " + view.definition;
    co_await session.execute(sql);
    notes.push_back("view " + view.view + " was re-created");
  }
  co_await add_references(session, facts, notes);
}

asio::awaitable<void> swap_by_content(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                      std::int64_t rows, std::vector<std::string>& notes) {
  const std::string table = final_table(target);
  co_await session.execute("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
  co_await match_columns(session, table, columns_of(target), target.renamed);
  co_await drop_references(session, facts);
  co_await session.execute("TRUNCATE " + table);
  const std::string foreign = foreign_columns(target, facts);
  if (!foreign.empty()) notes.push_back("columns that the stream does not have get their default, or null: " + foreign);
  co_await insert_stage(session, target, rows);
  const bool has_key =
      std::any_of(facts.indexes.begin(), facts.indexes.end(), [](const IndexFact& i) { return i.primary; });
  if (target.add_keys && !target.primary_key.empty() && !has_key)
    co_await add_key(session, target, table, key_name(target));
  co_await add_references(session, facts, notes);
  co_await session.execute("DROP TABLE " + helper_table(stage_name(target)));
}

}  // namespace millrace::connectors::postgres
