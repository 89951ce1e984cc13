// The helper tables of a PostgreSQL destination, in its schema "millrace": fence, checkpoints, ownership.
//
// Format 3 (1 had no state in millrace.loads, 2 no former state there and no quarantine; both are brought up to 3). A
// server that finds a higher number in millrace.meta refuses to write (destination.newer_format).
//
//   millrace.meta         one row: format
//   millrace.loads        the fence and state of the newest load of a stream, one row a (connection, stream); beside it
//                         the state that the last published load left, for the next one to start from
//   millrace.checkpoints  one row a split of that load: rows that are durable, the source's state, whether it is
//   complete millrace.tables       which final tables are ours: whose, which relation (oid), which generation is in it
//   millrace.quarantine   values that did not fit, with their rows' keys and the reason, of all streams
//   millrace.stage_*      rows of a load that is not published yet
//   millrace.former_*     the table that the last swap replaced; its generation and state are in millrace.loads
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/destination.h"
#include "connectors/row_batch.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

using Parameters = std::vector<std::optional<std::string>>;

inline constexpr int kMetaFormat = 3;

// Makes what is missing; safe when many do it at once. Throws destination.newer_format.
asio::awaitable<void> ensure_meta(net::PostgresSession& session);

// The row of millrace.loads of a stream.
struct LoadRow {
  LoadRow() = default;
  std::int64_t generation = 0, attempt = 0, rows = 0;
  std::string token;
  bool finished = false, published = false;
  std::string stage;            // name in the schema millrace; empty: none
  std::int64_t unfinished = 0;  // the load before this generation, where it was never published
};
enum class RowLock { none, share, update };
// In a transaction of the caller. Empty if the stream has none yet.
asio::awaitable<std::optional<LoadRow>> load_row(net::PostgresSession& session, StreamTarget target, RowLock lock);

// Empty if nothing of the stream was ever published.
asio::awaitable<std::optional<StoredState>> load_state(net::PostgresSession& session, StreamTarget target);

asio::awaitable<std::map<std::string, Checkpoint>> load_checkpoints(net::PostgresSession& session, StreamTarget target);

// Locks the fence against newer attempts until the transaction ends; throws destination.fenced if one has been there.
// This is what every data transaction does before anything else.
asio::awaitable<void> require_fence(net::PostgresSession& session, StreamTarget target, std::string token,
                                    RowLock lock);

// Drops what the quarantine holds of a load, when its rows go.
asio::awaitable<void> forget_quarantined(net::PostgresSession& session, StreamTarget target, std::int64_t load);

// The mark of a final table: who made it.
struct TableMark {
  TableMark() = default;
  std::string connection_id;
  StreamName stream;
  std::int64_t generation = 0, relation = 0;
  std::string connection_name;  // empty: an older version wrote the mark
};
asio::awaitable<std::optional<TableMark>> table_mark(net::PostgresSession& session, std::string ns, std::string name);
asio::awaitable<void> set_table_mark(net::PostgresSession& session, StreamTarget target, std::int64_t relation);
// oid of a table or other relation; 0: there is none.
asio::awaitable<std::int64_t> relation_oid(net::PostgresSession& session, std::string ns, std::string name);

// connection_id, stream_ns, stream_name: what the rows of a stream are found by.
Parameters stream_key(const StreamTarget& target);

}  // namespace millrace::connectors::postgres
