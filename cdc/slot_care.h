// Care of what change data capture needs at the source: the publication, the slot, replica identities, settings.
//
// What is missing is made where the user's privileges allow it; else the error holds the SQL that somebody with more
// has to run. A slot is never dropped or moved here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "connectors/change.h"
#include "connectors/postgres/config.h"
#include "net/postgres.h"

namespace millrace::cdc {

using connectors::Lsn;
using connectors::StreamName;

// A row of pg_replication_slots, as far as the version has it.
struct SlotFacts {
  SlotFacts() = default;
  std::string name, plugin, database;
  bool active = false;
  std::int64_t active_pid = 0;
  Lsn confirmed = 0, restart = 0;
  std::string wal_status;                  // reserved, extended, unreserved, lost; empty before version 13
  std::string invalidation;                // why it was invalidated; empty: it was not
  std::int64_t retained_bytes = 0;         // of the log, kept for it
  std::optional<std::int64_t> safe_bytes;  // that may still be written before it is lost; empty: no limit is set
  Lsn server = 0;                          // end of the log now
  bool lost() const { return wal_status == "lost" || !invalidation.empty(); }
};
// Empty if there is none of that name.
asio::awaitable<std::optional<SlotFacts>> slot_facts(net::PostgresSession& session, std::string slot);

// The publication exists and publishes the table's inserts, updates, deletes and truncates; makes or extends it.
// Throws cdc.publication_incomplete.
asio::awaitable<void> ensure_publication(net::PostgresSession& session, std::string publication, StreamName table);
// The slot exists, with our plugin, in this database; makes it. Waits for the transactions that are open. Throws
// cdc.slot_unusable, cdc.slots_exhausted, cdc.wal_level, cdc.privilege_missing.
asio::awaitable<SlotFacts> ensure_slot(net::PostgresSession& session, std::string slot);

// What is wrong with a table's replica identity for `key` (empty: any will do); "" if nothing. `sql` mends it.
asio::awaitable<std::string> identity_fault(net::PostgresSession& session, StreamName table,
                                            std::vector<std::string> key, std::string& sql);

// Waits until every transaction has ended that is open now, then takes a snapshot: what is not seen by it began after
// this call. Text as pg_current_snapshot() gives it.
asio::awaitable<std::string> settled_snapshot(Runtime runtime, net::PostgresSession& session);

// What a server needs before anything can be followed: version, wal_level, slots, senders, the user's privilege.
// Throws the first fault; adds what a person should know to `warnings`.
asio::awaitable<void> require_server(net::PostgresSession& session, connectors::postgres::ReplicationConfig config,
                                     std::vector<std::string>& warnings);

// Identity of the cluster, by the replication protocol (which also shows that pg_hba.conf lets us in).
struct SystemIdentity {
  SystemIdentity() = default;
  std::string system;
  std::int64_t timeline = 0;
};
asio::awaitable<SystemIdentity> identify_system(Runtime runtime, net::PostgresParameters parameters);

std::string quoted_table(const StreamName& table);

}  // namespace millrace::cdc
