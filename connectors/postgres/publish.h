// publish(): from a finished generation to the final table, in one transaction.
#pragma once

#include <string>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

// Idempotent: a generation that is published answers already_done. Throws destination.incomplete, destination.not_ours,
// destination.fenced (a newer generation was opened), destination.dependants.
asio::awaitable<PublishResult> publish_generation(net::PostgresSession& session, StreamTarget target);

// Of a published raw table: the typed one that its documents make. Idempotent but for a rebuild, which comes out the
// same again.
asio::awaitable<PublishResult> publish_documents(net::PostgresSession& session, StreamTarget raw);

// CREATE SCHEMA where it is missing.
asio::awaitable<void> make_schema(net::PostgresSession& session, std::string name);

// Renames a table that is being taken over to <name>__before (or __before2, ...); returns the new name. Inside a
// transaction of the caller.
asio::awaitable<std::string> keep_before(net::PostgresSession& session, StreamTarget target);

}  // namespace millrace::connectors::postgres
