#include "connectors/postgres/relation.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "common/errors.h"
#include "connectors/postgres/types.h"

namespace millrace::connectors::postgres {
namespace {

std::int64_t to_int(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

// Text array literal of the names: {"a","b"}.
std::string array_literal(const std::vector<std::string>& names) {
  std::string out = "{";
  for (const auto& n : names) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : n) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out += '}';
}

// The relations that are streams, as a FROM and WHERE over c (pg_class) and n (pg_namespace); $1 is the schemas.
constexpr const char* kStreams =
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "AND (cardinality($1::text[]) = 0 OR n.nspname = ANY ($1::text[])) "
    "AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'millrace') "
    "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT') ";

// Key indexes of a relation: the primary key first, then the unique ones without nulls, the narrowest first.
constexpr const char* kKeyIndex =
    "SELECT i.indrelid, i.indisprimary, i.indkey::text, i.indnkeyatts "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid "
    "= x.relam "
    "WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND am.amname = 'btree' "
    "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a, pg_catalog.generate_series(0, i.indnkeyatts - 1) k "
    "WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND NOT a.attnotnull) ";

std::vector<int> attnums(const std::string& indkey, std::int64_t count) {
  std::vector<int> out;
  const char* at = indkey.c_str();
  while (*at != '\0' && static_cast<std::int64_t>(out.size()) < count) {
    char* end = nullptr;
    out.push_back(static_cast<int>(std::strtol(at, &end, 10)));
    at = end;
    while (*at == ' ') ++at;
  }
  return out;
}

// Text whose type has an order of its own (an enum, a domain) is compared by that type; citext and the like have one
// too, but which types do is not known from here.
bool can_be_cursor(const Field& field) {
  if (field.as_text) return false;
  switch (field.type.kind) {
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::float32:
    case Kind::float64:
    case Kind::numeric:
    case Kind::date:
    case Kind::time:
    case Kind::timestamp:
    case Kind::timestamptz:
    case Kind::string:
    case Kind::uuid:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<SyncMode> source_modes() {
  return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
          SyncMode::incremental_append, SyncMode::incremental_deduped_history};
}

std::string qualified(const StreamName& name) {
  return net::quote_identifier(name.ns) + "." + net::quote_identifier(name.name);
}

std::string from_clause(const StreamName& name, char kind) { return (kind == 'r' ? "ONLY " : "") + qualified(name); }

asio::awaitable<Catalog> read_catalog(net::PostgresSession& session, std::vector<std::string> schemas) {
  const std::string wanted = array_literal(schemas);
  const std::vector<std::optional<std::string>> parameters{wanted};
  // One snapshot for all questions, and qualified type names from format_type.
  co_await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''");
  const auto type_rows = co_await session.query(PgTypes::query(), {});
  PgTypes types;
  for (const auto& row : type_rows.rows) types.add_row(row);

  std::string sql =
      "SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples::bigint, "
      "CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE -1 END";
  sql += kStreams;
  sql += "ORDER BY n.nspname, c.relname";
  const auto relations = co_await session.query(sql, parameters);

  // Sizes of partitioned tables are those of their leaves.
  sql = "SELECT c.oid, sum(l.reltuples)::bigint, sum(pg_catalog.pg_table_size(l.oid)), min(l.reltuples)::bigint";
  std::string with_leaves = kStreams;
  with_leaves.insert(with_leaves.find("WHERE"),
                     "JOIN LATERAL (SELECT p.* FROM pg_catalog.pg_partition_tree(c.oid) t "
                     "JOIN pg_catalog.pg_class p ON p.oid = t.relid WHERE t.isleaf) l ON true ");
  sql += with_leaves + "AND c.relkind = 'p' GROUP BY c.oid";
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> leaves;
  if (session.server_version() >= 120000) {
    const auto sums = co_await session.query(sql, parameters);
    for (std::size_t i = 0; i < sums.rows.size(); ++i)
      leaves[sums.at(i, 0)] = {to_int(sums.at(i, 3)) < 0 ? -1 : to_int(sums.at(i, 1)), to_int(sums.at(i, 2))};
  }

  sql =
      "SELECT a.attrelid, a.attname, a.attnum, a.attnotnull, a.atttypid, pg_catalog.format_type(a.atttypid, "
      "a.atttypmod) "
      "FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT c.oid";
  sql += kStreams;
  sql += ") AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') ORDER BY a.attrelid, a.attnum";
  const auto columns = co_await session.query(sql, parameters);

  sql = kKeyIndex;
  sql += "AND i.indrelid IN (SELECT c.oid";
  sql += kStreams;
  sql += ") AND i.indisprimary";
  const auto keys = co_await session.query(sql, parameters);
  co_await session.execute("COMMIT");

  std::map<std::string, std::vector<Field>> fields;
  std::map<std::string, std::map<int, std::string>> names;
  for (std::size_t i = 0; i < columns.rows.size(); ++i) {
    Field f;
    f.name = columns.at(i, 1);
    f.source_id = static_cast<std::int32_t>(to_int(columns.at(i, 2)));
    f.nullable = columns.at(i, 3) != "t";
    types.describe(static_cast<std::uint32_t>(to_int(columns.at(i, 4))), columns.at(i, 5), f);
    names[columns.at(i, 0)][f.source_id] = f.name;
    fields[columns.at(i, 0)].push_back(std::move(f));
  }
  std::map<std::string, std::vector<std::string>> primary;
  for (std::size_t i = 0; i < keys.rows.size(); ++i)
    for (const int attnum : attnums(keys.at(i, 2), to_int(keys.at(i, 3))))
      primary[keys.at(i, 0)].push_back(names[keys.at(i, 0)][attnum]);

  Catalog catalog;
  for (std::size_t i = 0; i < relations.rows.size(); ++i) {
    const std::string& oid = relations.at(i, 0);
    Stream s;
    s.name = StreamName(relations.at(i, 1), relations.at(i, 2));
    s.schema.fields = std::move(fields[oid]);
    s.primary_key = primary[oid];
    for (const Field& f : s.schema.fields)
      if (can_be_cursor(f)) s.cursor_candidates.push_back(f.name);
    for (const SyncMode mode : source_modes())
      if (!is_incremental(mode) || !s.cursor_candidates.empty()) s.sync_modes.push_back(mode);
    const char kind = relations.at(i, 3).at(0);
    s.is_view = kind == 'v' || kind == 'm';
    s.rows_estimate = kind == 'v' || kind == 'f' ? -1 : std::max<std::int64_t>(-1, to_int(relations.at(i, 4)));
    s.bytes_estimate = to_int(relations.at(i, 5));
    if (const auto it = leaves.find(oid); it != leaves.end()) std::tie(s.rows_estimate, s.bytes_estimate) = it->second;
    catalog.streams.push_back(std::move(s));
  }
  std::sort(catalog.streams.begin(), catalog.streams.end(),
            [](const Stream& a, const Stream& b) { return a.name < b.name; });
  co_return catalog;
}

asio::awaitable<Relation> read_relation(net::PostgresSession& session, StreamName name) {
  const std::vector<std::optional<std::string>> parameters{name.ns, name.name};
  const auto found = co_await session.query(
      "SELECT c.oid, c.relkind, CASE WHEN c.relkind IN ('r', 'm') THEN "
      "pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint ELSE 0 END "
      "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
      parameters);
  if (found.rows.empty()) throw Error("connector.stream_missing", name.text());
  Relation r;
  r.kind = found.at(0, 1).at(0);
  r.blocks = to_int(found.at(0, 2));
  const std::vector<std::optional<std::string>> oid{found.at(0, 0)};
  std::string sql = kKeyIndex;
  sql += "AND i.indrelid = $1::oid ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1";
  const auto key = co_await session.query(sql, oid);
  if (key.rows.empty()) co_return r;
  co_await session.execute("BEGIN; SET LOCAL search_path = ''");
  const auto columns = co_await session.query(
      "SELECT attnum, attname, pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute WHERE attrelid = "
      "$1::oid AND attnum > 0",
      oid);
  co_await session.execute("COMMIT");
  for (const int attnum : attnums(key.at(0, 2), to_int(key.at(0, 3))))
    for (std::size_t i = 0; i < columns.rows.size(); ++i)
      if (to_int(columns.at(i, 0)) == attnum) {
        r.key.push_back(columns.at(i, 1));
        r.key_types.push_back(columns.at(i, 2));
      }
  co_return r;
}

asio::awaitable<std::int64_t> estimate_rows(net::PostgresSession& session, std::string sql) {
  const std::string explain = "EXPLAIN (FORMAT JSON) " + sql;
  const auto plan = co_await session.query(explain, {});
  const auto json = nlohmann::json::parse(plan.at(0, 0), nullptr, false);
  if (json.is_discarded()) co_return -1;
  const nlohmann::json::json_pointer rows("/0/Plan/Plan Rows");
  co_return json.contains(rows) ? static_cast<std::int64_t>(json.at(rows).get<double>()) : -1;
}

asio::awaitable<void> require_columns(net::PostgresSession& session, StreamName name, SchemaPtr schema) {
  const std::vector<std::optional<std::string>> parameters{name.ns, name.name};
  const auto columns = co_await session.query(
      "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) "
      "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
      "WHERE n.nspname = $1 AND c.relname = $2",
      parameters);
  if (columns.rows.empty()) throw Error("connector.schema_changed", name.text() + " is gone");
  std::map<std::string, std::string> now;
  for (const auto& row : columns.rows)
    if (row[0]) now[*row[0]] = row[1].value_or("");  // a table may have no column
  for (const Field& f : schema->fields) {
    const auto it = now.find(f.name);
    if (it == now.end())
      throw Error("connector.schema_changed", "column " + f.name + " of " + name.text() + " is gone");
    if (!f.source_type.empty() && it->second != f.source_type)
      throw Error("connector.schema_changed",
                  "column " + f.name + " of " + name.text() + " was " + f.source_type + " and is " + it->second);
  }
}

}  // namespace millrace::connectors::postgres
