#include "connectors/postgres/table_ddl.h"

#include <map>
#include <set>

#include "common/errors.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/types.h"

namespace millrace::connectors::postgres {

std::vector<ColumnDef> columns_of(const StreamTarget& target) {
  std::vector<ColumnDef> columns;
  for (const Field& f : target.schema->fields) {
    if (!is_plain_type_name(f.type.pg_type))
      throw Error("destination.bad_type", "column " + f.name + " has type " + f.type.pg_type);
    columns.push_back({identifier_that_fits(f.name), f.type.pg_type});
  }
  if (has_metadata(target)) {
    columns.push_back({kExtractedAt, "timestamp with time zone"});
    columns.push_back({kLoadId, "bigint"});
  }
  std::set<std::string> names;
  for (const ColumnDef& c : columns)
    if (!names.insert(c.name).second)
      throw Error("connector.config_invalid",
                  "stream " + target.source_name.text() + " has two columns \"" + c.name + "\" at the destination");
  return columns;
}

std::string column_list(const std::vector<ColumnDef>& columns) {
  std::string out;
  for (const ColumnDef& c : columns) out += (out.empty() ? "" : ", ") + net::quote_identifier(c.name);
  return out;
}

std::string create_table(const std::string& table, const std::vector<ColumnDef>& columns) {
  std::string out = "CREATE TABLE " + table + " (";
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += (i > 0 ? ", " : "") + net::quote_identifier(columns[i].name) + " " + columns[i].pg_type;
  return out + ")";
}

asio::awaitable<void> run_ddl(net::PostgresSession& session, std::string sql) {
  std::exception_ptr failure;
  try {
    co_await session.execute(std::move(sql));
  } catch (const net::PostgresError& e) {
    const bool bad_type = e.sqlstate() == "42704" || e.sqlstate() == "42601";
    failure = bad_type ? std::make_exception_ptr(Error("destination.bad_type", e.detail())) : std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> match_columns(net::PostgresSession& session, std::string table, std::vector<ColumnDef> columns,
                                    std::vector<std::pair<std::string, std::string>> renamed) {
  const Parameters parameters{table};
  const auto found = co_await session.query(
      "SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
      "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
      parameters);
  std::map<std::string, std::string> have;
  for (std::size_t i = 0; i < found.rows.size(); ++i) have[found.at(i, 0)] = found.at(i, 1);
  for (const auto& [before, after] : renamed) {
    const std::string from = identifier_that_fits(before), to = identifier_that_fits(after);
    if (!have.contains(from) || have.contains(to)) continue;
    const std::string sql =
        "ALTER TABLE " + table + " RENAME COLUMN " + net::quote_identifier(from) + " TO " + net::quote_identifier(to);
    co_await session.execute(sql);
    have[to] = have[from];
    have.erase(from);
  }
  std::string changes;
  for (const ColumnDef& c : columns) {
    const auto it = have.find(c.name);
    const std::string column = net::quote_identifier(c.name);
    if (it == have.end())
      changes += (changes.empty() ? "" : ", ") + ("ADD COLUMN " + column + " " + c.pg_type);
    else if (it->second != c.pg_type)
      changes += (changes.empty() ? "" : ", ") + ("ALTER COLUMN " + column + " TYPE " + c.pg_type);
  }
  if (changes.empty()) co_return;
  std::exception_ptr failure;
  try {
    const std::string sql = "ALTER TABLE " + table + " " + changes;
    co_await run_ddl(session, sql);
  } catch (const net::PostgresError& e) {
    if (e.kind() == ErrorKind::transient)
      failure = std::current_exception();
    else
      failure = std::make_exception_ptr(Error("destination.column_type", table + ": " + changes + ": " + e.detail()));
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace millrace::connectors::postgres
