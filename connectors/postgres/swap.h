// The two ways in which a finished stage takes the place of the final table.
//
// By name: the stage gets the former table's indexes, constraints, owner, grants and comments, then the two change
// places: the former table goes to millrace.former_*, the stage gets its name; views that read the table are re-created
// in place (CREATE OR REPLACE keeps their own owner, grants and dependants), foreign keys of other tables dropped and
// added again. Readers wait for that moment only, and read the whole old or the whole new table.
//
// By content, where something hangs on the table that can't follow to another one (triggers, policies, materialized
// views, publications, functions, ...): TRUNCATE and INSERT in one transaction. The table stays what it is; readers
// wait for as long as the rows take, and the former rows are not kept.
#pragma once

#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "connectors/postgres/table_facts.h"

namespace millrace::connectors::postgres {

// All run inside a transaction of the caller with an empty search path.

// The stage becomes the final table where there was none.
asio::awaitable<void> move_in(net::PostgresSession& session, StreamTarget target, std::vector<std::string>& notes);
// Replaces by name; throws the server's error where an object can't be carried over.
asio::awaitable<void> swap_by_name(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                   std::vector<std::string>& notes);
// Replaces by content. Throws destination.count_mismatch, destination.column_type, destination.dependants.
asio::awaitable<void> swap_by_content(net::PostgresSession& session, StreamTarget target, TableFacts facts,
                                      std::int64_t rows, std::vector<std::string>& notes);

// INSERT INTO the final table FROM the stage; throws destination.count_mismatch unless `rows` rows went in.
asio::awaitable<void> insert_stage(net::PostgresSession& session, StreamTarget target, std::int64_t rows);
// The primary key of `table`; where the mode dedupes and a key column may be null, a unique index instead, in which
// nulls differ. Throws destination.key_violated.
asio::awaitable<void> add_key(net::PostgresSession& session, StreamTarget target, std::string table, std::string name);
// Runs `sql` under a savepoint: false, and the reason in `why`, if the server refused it for good.
asio::awaitable<bool> try_execute(net::PostgresSession& session, std::string sql, std::string& why);

}  // namespace millrace::connectors::postgres
