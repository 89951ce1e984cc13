#include "net/postgres_replication.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "net/postgres_errors.h"
#include "net/postgres_session.h"

namespace millrace::net {
namespace {

class LibpqReplication final : public PostgresReplication {
 public:
  LibpqReplication(PgConn conn, asio::any_io_executor executor) : conn_(std::move(conn)) {
    socket_.emplace(std::move(executor), PQsocket(conn_.get()));
  }
  ~LibpqReplication() override { close(); }

  int server_version() const override { return conn_ ? PQserverVersion(conn_.get()) : 0; }

  asio::awaitable<PostgresResult> command(std::string text) override {
    PgResult result = co_await run(std::move(text));
    PgResult last = std::move(result);
    std::optional<PostgresError> error;
    if (failed(last.get())) error = result_error(last.get());
    for (;;) {
      PgResult next = co_await next_result();
      if (!next) break;
      if (failed(next.get()) && !error) error = result_error(next.get());
      last = std::move(next);
    }
    if (error) throw *error;
    co_return to_result(last.get());
  }

  asio::awaitable<void> start(std::string text) override {
    PgResult result = co_await run(std::move(text));
    if (PQresultStatus(result.get()) == PGRES_COPY_BOTH) co_return;
    if (failed(result.get())) throw result_error(result.get());
    throw PostgresError("postgres.query_failed", "the server did not begin to stream", {});
  }

  bool read_now(std::string_view& message) override {
    if (!conn_) throw connection_lost("the session is closed");
    buffer_.reset();
    char* raw = nullptr;
    const int n = PQgetCopyData(conn_.get(), &raw, 1);
    if (n > 0) {
      buffer_.reset(raw);
      message = {raw, static_cast<std::size_t>(n)};
      return true;
    }
    if (n == 0) return false;
    if (n == -2) fail();
    // The server ended the stream: its result says why.
    const PgResult result(PQgetResult(conn_.get()));
    if (result && failed(result.get())) throw result_error(result.get());
    throw connection_lost("the server ended the stream");
  }

  asio::awaitable<void> wait_readable() override {
    if (!conn_) throw connection_lost("the session is closed");
    co_await socket_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    if (!PQconsumeInput(conn_.get())) fail();
  }

  asio::awaitable<void> send(std::string message) override {
    if (!conn_) throw connection_lost("the session is closed");
    while (PQputCopyData(conn_.get(), message.data(), static_cast<int>(message.size())) == 0) co_await flush();
    co_await flush();
  }

  void close() override {
    buffer_.reset();
    if (socket_) {
      socket_->release();
      socket_.reset();
    }
    conn_.reset();
  }

 private:
  struct FreeBuffer {
    void operator()(char* buffer) const { PQfreemem(buffer); }
  };

  static bool failed(const PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
  }

  [[noreturn]] void fail() { throw connection_lost(PQerrorMessage(conn_.get())); }

  asio::awaitable<void> flush() {
    for (;;) {
      if (!conn_) throw connection_lost("the session is closed");
      const int left = PQflush(conn_.get());
      if (left < 0) fail();
      if (left == 0) co_return;
      co_await socket_->async_wait(asio::posix::stream_descriptor::wait_write, asio::use_awaitable);
    }
  }

  asio::awaitable<PgResult> next_result() {
    while (PQisBusy(conn_.get())) {
      co_await socket_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      if (!PQconsumeInput(conn_.get())) fail();
    }
    co_return PgResult(PQgetResult(conn_.get()));
  }

  // Sends the text; the first result.
  asio::awaitable<PgResult> run(std::string text) {
    if (!conn_) throw connection_lost("the session is closed");
    if (!PQsendQuery(conn_.get(), text.c_str())) fail();
    co_await flush();
    PgResult result = co_await next_result();
    if (!result) throw connection_lost("the server gave no answer");
    co_return result;
  }

  PgConn conn_;
  std::optional<asio::posix::stream_descriptor> socket_;
  std::unique_ptr<char, FreeBuffer> buffer_;
};

}  // namespace

asio::awaitable<std::unique_ptr<PostgresReplication>> connect_replication(Runtime runtime,
                                                                          PostgresParameters parameters) {
  parameters.options["replication"] = "database";
  PgConn conn = co_await connect_libpq(std::move(runtime), std::move(parameters));
  auto executor = co_await asio::this_coro::executor;
  std::unique_ptr<PostgresReplication> session =
      std::make_unique<LibpqReplication>(std::move(conn), std::move(executor));
  co_return session;
}

}  // namespace millrace::net
