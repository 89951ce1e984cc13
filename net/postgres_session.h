// The one implementation of PostgresSession: libpq driven by readiness, COPY as raw frames where there is no TLS.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "net/postgres.h"
#include "net/postgres_copy_raw.h"

namespace millrace::net {

struct PgConnDeleter {
  void operator()(PGconn* conn) const { PQfinish(conn); }
};
using PgConn = std::unique_ptr<PGconn, PgConnDeleter>;
struct PgResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, PgResultDeleter>;

// The error of a failed result.
PostgresError result_error(const PGresult* result);
PostgresResult to_result(const PGresult* result);

// An established connection in non-blocking mode. Throws as connect_postgres() does.
asio::awaitable<PgConn> connect_libpq(Runtime runtime, PostgresParameters parameters);

class LibpqSession final : public PostgresSession {
 public:
  // Takes an established connection and becomes the owner of its socket's registration with Asio.
  LibpqSession(Runtime runtime, PgConn conn, asio::any_io_executor executor);
  ~LibpqSession() override;

  asio::awaitable<PostgresResult> query(std::string sql, std::vector<std::optional<std::string>> parameters) override;
  asio::awaitable<void> execute(std::string sql) override;
  int server_version() const override;
  std::string parameter_status(const std::string& name) const override;
  int backend_pid() const override;

  asio::awaitable<void> copy_out_begin(std::string sql) override;
  asio::awaitable<bool> copy_out_read(std::vector<char>& out, std::size_t want, std::uint32_t& messages) override;
  asio::awaitable<bool> copy_out_read_rows(std::vector<char>& out, std::size_t want, std::uint32_t& rows) override;
  std::int64_t copy_out_rows() const override { return copy_rows_; }

  asio::awaitable<void> copy_in_begin(std::string sql) override;
  asio::awaitable<void> copy_in_write(std::string_view bytes) override;
  asio::awaitable<std::int64_t> copy_in_end() override;
  asio::awaitable<void> copy_in_fail(std::string reason) override;

  asio::awaitable<void> cancel_running() override;
  bool usable() const override { return conn_ && !broken_ && state_ == State::idle; }
  void close() override;

 private:
  enum class State { idle, busy, copy_out, copy_in };
  // From idle to `next`; throws connection_lost for a broken session, checks that it is idle.
  void enter(State next);
  // libpq's own text, as connection_lost; the session is broken from now on.
  [[noreturn]] void fail_connection();
  asio::awaitable<void> flush();
  asio::awaitable<PgResult> next_result();
  // Reads results up to the null one that means idle; throws the first error among them.
  asio::awaitable<PgResult> last_result();

  asio::awaitable<void> libpq_copy_begin(std::string sql, ExecStatusType expected);
  asio::awaitable<bool> libpq_copy_read(std::vector<char>& out, std::size_t want, CopyOutFilter& filter,
                                        std::uint32_t& taken);
  asio::awaitable<bool> read_copy(std::vector<char>& out, std::size_t want, CopyOutFilter filter, std::uint32_t& taken);

  Runtime runtime_;
  PgConn conn_;
  std::optional<asio::posix::stream_descriptor> socket_;
  std::optional<RawCopy> raw_;  // none on a TLS session
  CopyOutFilter filter_;
  State state_ = State::idle;
  bool broken_ = false;
  std::int64_t copy_rows_ = 0;
};

}  // namespace millrace::net
