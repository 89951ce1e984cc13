#include "connectors/sqlite/table_info.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "common/errors.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {
namespace {

constexpr int kGenerated = 2;  // pragma_table_xinfo.hidden from here on; 1 is a virtual table's hidden column

// A unique index that stands in for a primary key: all its columns NOT NULL, or made by us for the key.
std::vector<std::string> key_by_index(Database& db, const TableInfo& table) {
  Statement indexes =
      db.prepare("SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND partial = 0 ORDER BY name");
  indexes.bind(1, table.name);
  while (indexes.step()) {
    const std::string index = indexes.text(0);
    Statement parts = db.prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno");
    parts.bind(1, index);
    std::vector<std::string> columns;
    bool usable = true;
    while (parts.step()) {
      usable = usable && !parts.is_null(0);
      columns.push_back(parts.text(0));
    }
    for (const auto& column : columns) {
      const auto at = table.schema.index_of(column);
      usable = usable && at && (!table.schema.fields[*at].nullable || index == table.name + "_pkey");
    }
    if (usable && !columns.empty()) return columns;
  }
  return {};
}

bool has_key_index(Database& db, const std::string& table) {
  Statement s = db.prepare("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'");
  s.bind(1, table);
  return s.step();
}

TableInfo describe(Database& db, const std::string& name, const std::string& type, bool without_rowid) {
  TableInfo table;
  table.name = name;
  table.is_view = type == "view";
  table.is_table = type == "table";
  Statement columns = db.prepare("SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid");
  columns.bind(1, name);
  std::map<std::int64_t, std::string> key;
  bool integer = false;
  while (columns.step()) {
    const std::int64_t hidden = columns.integer(4), pk = columns.integer(3);
    if (hidden != 0 && hidden < kGenerated) continue;
    Field f;
    f.name = columns.text(0);
    f.source_type = columns.text(1);
    f.type = type_of_declared(f.source_type);
    f.nullable = columns.integer(2) == 0 && !(pk > 0 && without_rowid);
    if (pk > 0) key[pk] = f.name;
    if (pk > 0) integer = f.source_type.size() == 7 && sqlite3_stricmp(f.source_type.c_str(), "integer") == 0;
    table.schema.fields.push_back(std::move(f));
  }
  for (const auto& [_, column] : key) table.key.push_back(column);
  if (!table.is_table) return table;
  table.integer_key = key.size() == 1 && integer && !without_rowid && !has_key_index(db, name);
  if (table.integer_key) {
    for (Field& f : table.schema.fields)
      if (f.name == table.key.front()) f.nullable = false;
  }
  if (table.key.empty()) table.key = key_by_index(db, table);
  table.splits_by_key = !table.key.empty() && std::all_of(table.key.begin(), table.key.end(), [&](const auto& column) {
    const auto at = table.schema.index_of(column);
    return at && !table.schema.fields[*at].nullable;
  });
  return table;
}

constexpr const char* kTables =
    "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND "
    "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'millrace\\_%' ESCAPE '\\'";

}  // namespace

std::vector<TableInfo> read_tables(Database& db) {
  Statement s = db.prepare(std::string(kTables) + " ORDER BY name");
  std::vector<TableInfo> out;
  while (s.step()) out.push_back(describe(db, s.text(0), s.text(1), s.integer(2) != 0));
  return out;
}

TableInfo read_table(Database& db, const StreamName& name) {
  Statement s = db.prepare(std::string(kTables) + " AND name = ?");
  s.bind(1, name.name);
  if (!name.ns.empty() || !s.step()) throw Error("connector.stream_missing", name.text());
  return describe(db, s.text(0), s.text(1), s.integer(2) != 0);
}

std::int64_t estimated_rows(Database& db, const TableInfo& table) {
  if (!table.is_table) return -1;
  if (db.value("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")) {
    Statement s = db.prepare("SELECT stat FROM sqlite_stat1 WHERE tbl = ?");
    s.bind(1, table.name);
    if (s.step()) return std::strtoll(s.text(0).c_str(), nullptr, 10);
  }
  if (!table.integer_key) return -1;
  const std::string key = quote_name(table.key.front()), from = " FROM " + quote_name(table.name);
  const auto least = db.value("SELECT min(" + key + ")" + from), most = db.value("SELECT max(" + key + ")" + from);
  if (!least || !most) return 0;
  const double width = std::strtod(most->c_str(), nullptr) - std::strtod(least->c_str(), nullptr) + 1;
  return width < 1e12 ? static_cast<std::int64_t>(width) : -1;
}

bool can_be_cursor(const Field& field) {
  switch (field.type.kind) {
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::float32:
    case Kind::float64:
    case Kind::numeric:
    case Kind::string:
    case Kind::date:
    case Kind::time:
    case Kind::timestamp:
    case Kind::timestamptz:
    case Kind::uuid:
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::connectors::sqlite
