// A connection that speaks PostgreSQL's streaming replication protocol: simple commands, then CopyBoth.
//
// (PostgreSQL documentation, "Streaming Replication Protocol".) Such a session takes SQL only as simple queries, so
// values are quoted into the text. One strand uses it; read() may wait while another coroutine of that strand sends.
// Errors are those of postgres.h. After any failure, and after a cancelled wait, the session is to be closed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "net/postgres.h"

namespace millrace::net {

class PostgresReplication {
 public:
  virtual ~PostgresReplication() = default;
  virtual int server_version() const = 0;

  // A replication command or SQL, with its rows. Not after start().
  virtual asio::awaitable<PostgresResult> command(std::string text) = 0;
  // START_REPLICATION: from here on only the calls below.
  virtual asio::awaitable<void> start(std::string text) = 0;
  // The next message that has arrived already, valid until the next call of either; false: there is none.
  virtual bool read_now(std::string_view& message) = 0;
  // Waits for one. Throws what the server ended the stream with; postgres.connection_lost if it simply ended.
  virtual asio::awaitable<void> wait_readable() = 0;
  // Sends one CopyData message. Two coroutines of the strand may be in it at once: messages go out whole.
  virtual asio::awaitable<void> send(std::string message) = 0;
  virtual void close() = 0;
};

// Adds `replication=database` to the parameters.
asio::awaitable<std::unique_ptr<PostgresReplication>> connect_replication(Runtime runtime,
                                                                          PostgresParameters parameters);

}  // namespace millrace::net
