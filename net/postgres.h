// A PostgreSQL session without blocking: connect, query, COPY both ways, cancel, TLS - libpq driven by readiness.
//
// One session is used by one coroutine at a time, on one strand. Every wait can be cancelled; a cancelled or failed
// session is broken: close it. Names are resolved with Asio first, so that libpq never blocks on them (hostaddr).
// Values always go as parameters; identifiers through quote_identifier().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/awaitable.h"
#include "common/errors.h"
#include "common/runtime.h"

namespace millrace::net {

struct PostgresParameters {
  PostgresParameters() = default;
  std::string host;  // name, address, or directory of a Unix socket
  int port = 5432;
  std::string database;
  std::string user;
  std::string password;
  std::string sslmode = "prefer";
  std::string ssl_root_cert_file, ssl_cert_file, ssl_key_file;
  std::map<std::string, std::string> options;  // other libpq keywords: application_name, options, ...
  Duration connect_timeout = std::chrono::seconds(10);
};

std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

// Rows of a query in text form; null is empty optional.
struct PostgresResult {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::int64_t affected = 0;                                         // rows that the command touched
  std::string command;                                               // "INSERT 0 5"
  const std::string& at(std::size_t row, std::size_t column) const;  // "" for null
};

// Failures are Error with a code: postgres.unreachable, postgres.unknown_host, postgres.auth_failed,
// postgres.database_missing, postgres.tls_refused, postgres.tls_required, postgres.permission_denied,
// postgres.too_many_connections, postgres.starting_up, postgres.connection_lost, postgres.disk_full,
// postgres.query_failed, ... chosen by SQLSTATE and phase; detail holds the server's own words. They are PostgresError;
// sqlstate() gives the raw code where there is one. After an error of a statement the session stands (its transaction
// is aborted); after any other error, and after a cancelled wait, it is broken: usable() is false and every call throws
// postgres.connection_lost.
class PostgresError : public Error {
 public:
  PostgresError(std::string_view code, std::string detail, std::string sqlstate)
      : Error(code, std::move(detail)), sqlstate_(std::move(sqlstate)) {}
  const std::string& sqlstate() const { return sqlstate_; }  // "42P01"; empty where the failure was not the server's

 private:
  std::string sqlstate_;
};

class PostgresSession {
 public:
  virtual ~PostgresSession() = default;

  virtual asio::awaitable<PostgresResult> query(std::string sql,
                                                std::vector<std::optional<std::string>> parameters = {}) = 0;
  // Several commands in one string, no parameters, no rows back.
  virtual asio::awaitable<void> execute(std::string sql) = 0;
  virtual int server_version() const = 0;  // 150020
  virtual std::string parameter_status(const std::string& name) const = 0;
  virtual int backend_pid() const = 0;

  // COPY ... TO STDOUT. copy_out_begin sends the command; copy_out_read appends the payload of whole CopyData messages
  // to `out` until at least `want` bytes are there, or the COPY ended (false). Drains what has arrived at once; never
  // waits to gather more. Rows: one CopyData is one row. Returns the number of messages through `messages`.
  // Both begin() take other commands before the COPY in the same string ("SET LOCAL ...; COPY ..."): one round trip.
  virtual asio::awaitable<void> copy_out_begin(std::string sql) = 0;
  virtual asio::awaitable<bool> copy_out_read(std::vector<char>& out, std::size_t want, std::uint32_t& messages) = 0;
  // The same for a COPY in binary format: the file header and trailer are taken off and not counted, so that `out`
  // holds whole tuples and `rows` their number. Never mixed with copy_out_read in one COPY. Throws postgres.bad_copy if
  // the stream does not begin with the header.
  virtual asio::awaitable<bool> copy_out_read_rows(std::vector<char>& out, std::size_t want, std::uint32_t& rows) = 0;
  // After false: the row count of the server's command tag.
  virtual std::int64_t copy_out_rows() const = 0;

  // COPY ... FROM STDIN. write() returns when libpq took the bytes and the socket is not backed up beyond a bound.
  virtual asio::awaitable<void> copy_in_begin(std::string sql) = 0;
  virtual asio::awaitable<void> copy_in_write(std::string_view bytes) = 0;
  // Ends it and returns the rows that the server counted. With `error` text: makes the server drop it.
  virtual asio::awaitable<std::int64_t> copy_in_end() = 0;
  virtual asio::awaitable<void> copy_in_fail(std::string reason) = 0;

  // Asks the server to stop what runs, through a second connection, on the blocking lane.
  virtual asio::awaitable<void> cancel_running() = 0;
  // Idle and fit for another statement.
  virtual bool usable() const = 0;
  // Terminate and close; safe at any time, idempotent, never blocks.
  virtual void close() = 0;
};

asio::awaitable<std::unique_ptr<PostgresSession>> connect_postgres(Runtime runtime, PostgresParameters parameters);

// postgres://user:password@host:port/database?sslmode=... (PostgreSQL 15 documentation, 34.1.1.2)
PostgresParameters parse_postgres_url(const std::string& url);

}  // namespace millrace::net
