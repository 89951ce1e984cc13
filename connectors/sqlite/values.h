// Between the fields of a row batch and what SQLite stores, and between types and declared types. The tables of both
// are in docs/reference/sqlite.md.
//
// SQLite has five storage classes and converts by the column's affinity, which it takes from words in the declared
// type. A value that must stay as it is written (decimals, JSON) therefore stands in a column whose declared type says
// TEXT.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "connectors/row_batch.h"
#include "connectors/schema.h"

namespace millrace::connectors::sqlite {

// What a column of this type is declared as when we make the table.
std::string declared_type(const Type& type);
// The type of a column that is declared so, by us or by anybody.
Type type_of_declared(std::string_view declared);

// Binds a field of a row batch as a parameter. Throws connector.bad_row.
void bind_field(sqlite3_stmt* statement, int at, const Type& type, const RowReader::FieldView& field);

// Appends a column of the current row to `row`. If its value is none of the type: appends nothing and returns false.
bool put_column(sqlite3_stmt* statement, int at, const Type& type, RowWriter& row, std::string& scratch);

// An expression by which rows are ordered as their values are, also where these stand there as text: for ORDER BY and
// comparisons of `column` (which is quoted). Needs add_collations() on the connection.
std::string ordered(const std::string& column, const Type& type);
void add_collations(sqlite3* db);

}  // namespace millrace::connectors::sqlite
