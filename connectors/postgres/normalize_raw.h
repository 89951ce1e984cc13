// From a raw table to the typed one: INSERT ... SELECT with a cast a column.
//
// Tried first is the plain way, one statement over all documents. Where a value does not fit, the statement is made
// again with each cast guarded: such a value is null, its reason goes to the row's _errors (a column that the table has
// from then on) and its text to the quarantine.
//
// Which documents: those of loads that were not typed yet, or all of them, into a new table that takes the old one's
// place (where the mode overwrites, and where somebody asked for it).
#pragma once

#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

// Makes the typed stage of `typed` (stage_name(typed)) from the raw table of `raw`; the caller publishes it like any
// other. `after`: documents of loads after that one; all: also those before. Returns the rows. Inside a transaction of
// the caller with an empty search path.
asio::awaitable<std::int64_t> type_documents(net::PostgresSession& session, StreamTarget raw, StreamTarget typed,
                                             std::int64_t after, bool& errors, std::vector<std::string>& notes);

}  // namespace millrace::connectors::postgres
