// keepHistory: all versions of each key, with the range in which each was the newest (a slowly changing dimension of
// type 2).
//
//   _valid_from   the version's cursor; without a cursor, when it was read
//   _valid_to     the next version's _valid_from; null for the newest
//   _active       true for the newest
// A version that comes late takes its place between those that are there. Of two versions with one cursor the later
// arrival wins. Without a cursor, a row that is equal to the newest version makes none.
//
// All run inside a transaction of the caller with an empty search path.
#pragma once

#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

// The stage becomes a table of versions by itself: what the first load, or one that replaces all, publishes.
asio::awaitable<void> stage_to_history(net::PostgresSession& session, StreamTarget target);
// Brings the stage's versions into the final table, and drops the stage.
asio::awaitable<void> merge_history(net::PostgresSession& session, StreamTarget target,
                                    std::vector<std::string>& notes);

}  // namespace millrace::connectors::postgres
