// Making and matching tables at the destination.
#pragma once

#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

struct ColumnDef {
  std::string name;     // fits
  std::string pg_type;  // as format_type() writes it
};

// The columns of the final table, metadata columns of the mode last. Throws destination.bad_type for a type that can't
// be written in DDL, connector.config_invalid where two names become one or a field has the name of a metadata column.
std::vector<ColumnDef> columns_of(const StreamTarget& target);
// Columns that COPY sends: those of the schema, and the metadata columns of a load that writes in place.
std::string column_list(const std::vector<ColumnDef>& columns);
std::string create_table(const std::string& table, const std::vector<ColumnDef>& columns);

// Renames the columns whose fields were renamed at the source ({old, new}, where the table has the old one only). Adds
// columns that the table lacks; a column of another type is altered where PostgreSQL can do that without looking
// at the values' meaning, else destination.column_type. Columns that only the table has stay, and get nulls.
asio::awaitable<void> match_columns(net::PostgresSession& session, std::string table, std::vector<ColumnDef> columns,
                                    std::vector<std::pair<std::string, std::string>> renamed);

// Runs DDL that names a type; an unknown type becomes destination.bad_type.
asio::awaitable<void> run_ddl(net::PostgresSession& session, std::string sql);

}  // namespace millrace::connectors::postgres
