// The tables that an SQLite destination makes: their names, columns and definitions.
#pragma once

#include <string>
#include <vector>

#include "connectors/destination.h"
#include "connectors/sqlite/database.h"

namespace millrace::connectors::sqlite {

inline constexpr const char* kExtractedAt = "_extracted_at";
inline constexpr const char* kLoadId = "_load_id";

bool is_append(SyncMode mode);

// SQLite has no namespaces: <namespace>_<name>, or the name alone where the namespace is empty, "main" or "public".
std::string final_name(const StreamTarget& target);
std::string stage_name(const StreamTarget& target);   // one a generation
std::string former_name(const StreamTarget& target);  // one a stream

struct Column {
  std::string name, declared;
};
// With the metadata columns of the mode. Throws sqlite.name_collision: SQLite takes names that differ only in case for
// the same.
std::vector<Column> columns_of(const StreamTarget& target);
std::string column_list(const std::vector<Column>& columns);

// The name of the row number in a table with these columns, which may hide some of its names.
std::string row_number_name(const std::vector<Column>& columns);

// CREATE TABLE with `mark` as a comment inside.
std::string create_table(const std::string& name, const std::vector<Column>& columns, const std::string& mark);
std::string mark_of(const StreamTarget& target);

// The columns that a table has.
std::vector<Column> columns_in(Database& db, const std::string& table);

// Gives the columns that were renamed at the source their new names, and adds those that the table lacks. Throws
// destination.column_type.
void match_columns(Database& db, const std::string& table, const StreamTarget& target);

// True if this load takes the place of all rows of the table.
bool replaces(const StreamTarget& target);

}  // namespace millrace::connectors::sqlite
