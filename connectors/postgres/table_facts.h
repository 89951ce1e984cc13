// What hangs on a final table and has to survive its replacement.
#pragma once

#include <string>
#include <vector>

#include "common/awaitable.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

struct IndexFact {
  std::string name;
  bool primary = false;
  std::string constraint;  // definition ("PRIMARY KEY (id)") if a constraint owns it
  std::string prefix;      // "CREATE UNIQUE INDEX name ON schema.table "
  std::string definition;  // whole, as pg_get_indexdef() writes it
};
struct ColumnFact {
  std::string name;
  bool not_null = false;
};
struct ForeignKeyFact {
  std::string table;  // the other table, quoted
  std::string name;
  std::string definition;
};
struct ViewFact {
  std::string view;     // quoted
  std::string options;  // "security_barrier=true", or empty
  std::string definition;
};

struct TableFacts {
  char kind = 'r';
  std::string owner, options;
  std::vector<ColumnFact> columns;
  std::vector<IndexFact> indexes;
  std::vector<ForeignKeyFact> own_constraints;  // checks and foreign keys of the table itself; `table` is empty
  std::vector<ForeignKeyFact> references;       // foreign keys of other tables to this one
  std::vector<ViewFact> views;                  // that read the table directly
  std::vector<std::string> grants;              // GRANT statements with %T in place of the table
  std::vector<std::string> comments;            // COMMENT statements, likewise
  // Why the table can't be replaced by another one, in words: triggers, policies, materialized views, ... Empty: it
  // can.
  std::vector<std::string> sticky;
};

// Inside a transaction with an empty search path, so that all definitions are qualified.
asio::awaitable<TableFacts> table_facts(net::PostgresSession& session, std::int64_t oid);

// `statement` with the table in place of %T.
std::string for_table(std::string statement, const std::string& table);

}  // namespace millrace::connectors::postgres
