// What an SQLite file says of its tables. Blocking.
#pragma once

#include <string>
#include <vector>

#include "connectors/schema.h"
#include "connectors/sqlite/database.h"

namespace millrace::connectors::sqlite {

struct TableInfo {
  TableInfo() = default;
  std::string name;
  bool is_view = false;
  bool is_table = false;  // with rows of its own, so neither a view nor virtual
  Schema schema;
  std::vector<std::string> key;  // primary key, or a unique index in its place
  bool integer_key = false;      // the key is one INTEGER column that is the table's own row number
  bool splits_by_key = false;    // no part of the key can be null
};

// Tables and views that are neither SQLite's own nor our helpers, ordered by name.
std::vector<TableInfo> read_tables(Database& db);
// Throws connector.stream_missing.
TableInfo read_table(Database& db, const StreamName& name);

// Rows by what ANALYZE or the row numbers say; -1: unknown.
std::int64_t estimated_rows(Database& db, const TableInfo& table);

// Columns that can order an incremental read.
bool can_be_cursor(const Field& field);

inline constexpr const char* kHelperPrefix = "millrace_";

}  // namespace millrace::connectors::sqlite
