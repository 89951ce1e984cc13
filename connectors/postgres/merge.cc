#include "connectors/postgres/merge.h"

#include <algorithm>

#include "common/errors.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/swap.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {
namespace {

std::string column(const std::string& name) { return net::quote_identifier(identifier_that_fits(name)); }

std::string cursor_column(const StreamTarget& target) {
  if (target.cursor_field.size() != 1 || !target.schema->index_of(target.cursor_field.front())) return {};
  return column(target.cursor_field.front());
}

// "f"."a" = "s"."a" AND ...
std::string same_key(const StreamTarget& target) {
  std::string out;
  for (const auto& key : target.primary_key)
    out += (out.empty() ? "" : " AND ") + ("f." + column(key)) + " = s." + column(key);
  return out;
}

bool is_key(const StreamTarget& target, const std::string& name) {
  return std::any_of(target.primary_key.begin(), target.primary_key.end(),
                     [&](const auto& key) { return identifier_that_fits(key) == name; });
}

// The matching needs an index, and the table one row a key. A table that was appended to before has neither.
asio::awaitable<void> require_key_index(net::PostgresSession& session, StreamTarget target) {
  std::vector<std::string> names;
  for (const auto& key : target.primary_key) names.push_back(identifier_that_fits(key));
  std::sort(names.begin(), names.end());
  std::string wanted = "ARRAY[";
  for (std::size_t i = 0; i < names.size(); ++i) wanted += (i > 0 ? ", " : "") + net::quote_literal(names[i]);
  const Parameters table{final_table(target)};
  const std::string sql =
      "SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid AND "
      "i.indpred IS NULL AND i.indexprs IS NULL AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "
      "\"C\") FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) = " +
      wanted + "]::text[]";
  const auto found = co_await session.query(sql, table);
  if (!found.rows.empty()) co_return;
  co_await add_key(session, target, final_table(target),
                   identifier_that_fits(identifier_that_fits(target.name) + "_pkey"));
}

}  // namespace

asio::awaitable<std::int64_t> dedupe_stage(net::PostgresSession& session, StreamTarget target) {
  std::string keys, present;
  for (const auto& key : target.primary_key) {
    keys += (keys.empty() ? "" : ", ") + column(key);
    present += (present.empty() ? "" : " AND ") + column(key) + " IS NOT NULL";
  }
  const std::string cursor = cursor_column(target), stage = helper_table(stage_name(target));
  // ctid grows in the order of arrival within a split, and a split holds all rows of a key that is the source's own.
  const std::string sql = "DELETE FROM " + stage + " s USING (SELECT ctid, row_number() OVER (PARTITION BY " + keys +
                          " ORDER BY " + (cursor.empty() ? "" : cursor + " DESC NULLS LAST, ") +
                          "ctid DESC) AS millrace_n FROM " + stage + " WHERE " + present +
                          ") d WHERE s.ctid = d.ctid AND d.millrace_n > 1";
  const auto deleted = co_await session.query(sql, {});
  co_return deleted.affected;
}

asio::awaitable<void> merge_stage(net::PostgresSession& session, StreamTarget target, std::vector<std::string>& notes) {
  const std::string table = final_table(target), stage = helper_table(stage_name(target));
  const auto columns = columns_of(target);
  co_await match_columns(session, table, columns, target.renamed);
  co_await require_key_index(session, target);
  std::string set;
  for (const auto& c : columns) {
    if (is_key(target, c.name)) continue;
    const std::string name = net::quote_identifier(c.name);
    set += (set.empty() ? "" : ", ") + name + " = s." + name;
  }
  const std::string cursor = cursor_column(target);
  std::int64_t updated = 0;
  if (!set.empty()) {
    std::string sql = "UPDATE " + table + " f SET " + set + " FROM " + stage + " s WHERE " + same_key(target);
    if (!cursor.empty()) sql += " AND (s." + cursor + " >= f." + cursor + " OR f." + cursor + " IS NULL)";
    const auto result = co_await session.query(sql, {});
    updated = result.affected;
  }
  const std::string list = column_list(columns);
  const std::string sql = "INSERT INTO " + table + " (" + list + ") SELECT " + list + " FROM " + stage +
                          " s WHERE NOT EXISTS (SELECT 1 FROM " + table + " f WHERE " + same_key(target) + ")";
  const auto inserted = co_await session.query(sql, {});
  co_await session.execute("DROP TABLE " + stage);
  notes.push_back(std::to_string(inserted.affected) + " rows were inserted, " + std::to_string(updated) + " replaced");
}

}  // namespace millrace::connectors::postgres
