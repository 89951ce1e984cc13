// Where a connection that follows a log stands, in the destination's schema millrace. Beside the tables of meta.h:
//
//   millrace.cdc          one row a connection: the fence of its change writer, and the position that its rows are at
//   millrace.cdc_streams  one row a followed stream: the load that it goes on from, the position from which on its rows
//                         are as old as the log, keys whose rows were not found before that position (JSON list), and
//                         whether the connection went on without the stream, so that only a new load can bring it back
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/change_writer.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

asio::awaitable<void> ensure_change_tables(net::PostgresSession& session);

// Puts the token on the fence and commits; throws destination.fenced. Sessions of older attempts are ended.
asio::awaitable<std::optional<FeedPosition>> take_change_fence(net::PostgresSession& session, ChangeTarget target,
                                                               std::string token, std::uint32_t attempt, Duration wait);

struct FollowedStream {
  FollowedStream() = default;
  bool loaded = false;  // a load of it was published
  bool fresh = true;
  bool left_out = false;        // changes of it were passed over since that load
  std::int64_t generation = 0;  // of that load
  std::string state;
  Lsn settled = 0;
  std::vector<std::string> doubts;
};
asio::awaitable<FollowedStream> followed_stream(net::PostgresSession& session, StreamTarget target);
asio::awaitable<void> store_followed(net::PostgresSession& session, StreamTarget target, FollowedStream followed);

// Marks the connection's other streams as left out. In the transaction that stores where following goes on from.
asio::awaitable<void> leave_others_out(net::PostgresSession& session, ChangeTarget target);

// In the data transaction: the position, if the token still stands there; throws destination.fenced.
asio::awaitable<void> store_position(net::PostgresSession& session, std::string connection_id, std::string token,
                                     FeedPosition position);

// application_name of sessions that write changes of this connection.
std::string change_session_name(const std::string& connection_id);

}  // namespace millrace::connectors::postgres
