// One row a key: what the deduped modes make of a finished stage.
//
// Which of two rows of a key wins: the greater cursor; a cursor before none; on a tie, and where no cursor is set, the
// one that arrived later. So a row of the stage replaces the final table's unless that one's cursor is greater, or is
// set while the new one's is null. All columns are replaced. A key with a null part equals no other: such a row is
// inserted each time it comes.
//
// All run inside a transaction of the caller with an empty search path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

// Leaves one row a key in the stage; returns how many went.
asio::awaitable<std::int64_t> dedupe_stage(net::PostgresSession& session, StreamTarget target);

// Brings the rows of a deduped stage into the final table, which is there, ours, and has its columns adjusted; drops
// the stage. Throws destination.key_violated where the table's rows don't have one row a key, destination.column_type.
asio::awaitable<void> merge_stage(net::PostgresSession& session, StreamTarget target, std::vector<std::string>& notes);

}  // namespace millrace::connectors::postgres
