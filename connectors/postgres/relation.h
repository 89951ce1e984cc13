// What is asked of a source's catalog: relations, their columns, keys and sizes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/postgres/session_pool.h"
#include "connectors/schema.h"

namespace millrace::connectors::postgres {

// A relation as a reader needs it.
struct Relation {
  Relation() = default;
  char kind = 'r';                     // r table, p partitioned, v view, m materialized view, f foreign
  std::int64_t blocks = 0;             // of a table's main fork, now
  std::vector<std::string> key;        // columns of the primary key, or of a unique index without nulls; empty: none
  std::vector<std::string> key_types;  // for casts of boundary literals, schema-qualified
};

// What a relation of this source can be read as; the incremental ones where a column can be the cursor.
std::vector<SyncMode> source_modes();

// "\"s\".\"t\"", with ONLY before a plain table so that the rows of inheriting tables, streams of their own, stay out.
std::string qualified(const StreamName& name);
std::string from_clause(const StreamName& name, char kind);

// Every relation of `schemas` (empty: all but the system's and ours) that holds rows; partitions are left to their
// parent.
asio::awaitable<Catalog> read_catalog(net::PostgresSession& session, std::vector<std::string> schemas);
// Throws connector.stream_missing.
asio::awaitable<Relation> read_relation(net::PostgresSession& session, StreamName name);
// The planner's estimate of the rows that `sql` gives.
asio::awaitable<std::int64_t> estimate_rows(net::PostgresSession& session, std::string sql);
// Compares the columns of a relation with a schema that discover found; throws connector.schema_changed.
// The search path must be empty, as it was at discover, so that type names are qualified.
asio::awaitable<void> require_columns(net::PostgresSession& session, StreamName name, SchemaPtr schema);

}  // namespace millrace::connectors::postgres
