// Connecting: names by Asio's resolver, then PQconnectStart and PQconnectPoll driven by readiness, all within one
// time-out.
#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/postgres_errors.h"
#include "net/postgres_session.h"

namespace millrace::net {
namespace {

bool is_socket_directory(const std::string& host) { return host.empty() || host.front() == '/' || host.front() == '@'; }

// Keywords of libpq; a list of addresses becomes lists of equal length for host, hostaddr and port.
using Keywords = std::map<std::string, std::string>;

asio::awaitable<void> add_addresses(const PostgresParameters& p, Keywords& keywords) {
  keywords["port"] = std::to_string(p.port);
  if (is_socket_directory(p.host)) {
    if (!p.host.empty()) keywords["host"] = p.host;
    co_return;
  }
  using asio::ip::tcp;
  tcp::resolver resolver(co_await asio::this_coro::executor);
  tcp::resolver::results_type found;
  boost::system::error_code failure;
  try {
    found = co_await resolver.async_resolve(p.host, std::to_string(p.port), asio::use_awaitable);
  } catch (const boost::system::system_error& e) {
    failure = e.code();
    if (failure == asio::error::operation_aborted) throw;
  }
  if (failure) throw PostgresError("postgres.unknown_host", "\"" + p.host + "\": " + failure.message(), {});
  std::string hosts, addresses, ports;
  for (const auto& entry : found) {
    const std::string comma = addresses.empty() ? "" : ",";
    hosts += comma + p.host;
    addresses += comma + entry.endpoint().address().to_string();
    ports += comma + std::to_string(p.port);
  }
  keywords["host"] = hosts;
  keywords["hostaddr"] = addresses;
  keywords["port"] = ports;
}

Keywords base_keywords(const PostgresParameters& p) {
  Keywords k{{"application_name", "millrace"}, {"client_encoding", "UTF8"},   {"gssencmode", "disable"},
             {"keepalives_idle", "30"},        {"keepalives_interval", "10"}, {"keepalives_count", "3"},
             {"tcp_user_timeout", "60000"}};
  for (const auto& [key, value] : p.options) k[key] = value;
  k["dbname"] = p.database;
  if (!p.user.empty()) k["user"] = p.user;
  if (!p.password.empty()) k["password"] = p.password;
  k["sslmode"] = p.sslmode;
  if (!p.ssl_root_cert_file.empty()) k["sslrootcert"] = p.ssl_root_cert_file;
  if (!p.ssl_cert_file.empty()) k["sslcert"] = p.ssl_cert_file;
  if (!p.ssl_key_file.empty()) k["sslkey"] = p.ssl_key_file;
  return k;
}

PgConn start(const Keywords& keywords) {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : keywords) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PgConn conn(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!conn) throw std::bad_alloc();
  return conn;
}

asio::awaitable<PgConn> poll_to_the_end(PgConn conn, std::string sslmode) {
  PQsetErrorVerbosity(conn.get(), PQERRORS_VERBOSE);  // with SQLSTATE, which a failed connection has nowhere else
  PQsetNoticeProcessor(conn.get(), [](void*, const char*) {}, nullptr);
  if (PQstatus(conn.get()) == CONNECTION_BAD) throw connect_error(PQerrorMessage(conn.get()), sslmode);
  auto executor = co_await asio::this_coro::executor;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    {
      // libpq may close the socket and open another one with the same number at any poll: registered for this wait
      // only.
      asio::posix::stream_descriptor socket(executor, PQsocket(conn.get()));
      std::exception_ptr cancelled;
      try {
        co_await socket.async_wait(next == PGRES_POLLING_READING ? asio::posix::stream_descriptor::wait_read
                                                                 : asio::posix::stream_descriptor::wait_write,
                                   asio::use_awaitable);
      } catch (...) {
        cancelled = std::current_exception();
      }
      socket.release();
      if (cancelled) std::rethrow_exception(cancelled);
    }
    next = PQconnectPoll(conn.get());
    if (next == PGRES_POLLING_FAILED) throw connect_error(PQerrorMessage(conn.get()), sslmode);
  }
  PQsetErrorVerbosity(conn.get(), PQERRORS_DEFAULT);
  if (PQsetnonblocking(conn.get(), 1) != 0) throw connection_lost(PQerrorMessage(conn.get()));
  co_return conn;
}

struct Outcome {
  PgConn conn;
  std::exception_ptr error;
};

// Never throws: in `a || b` a failure would not end the other side.
asio::awaitable<void> attempt(PostgresParameters parameters, std::shared_ptr<Outcome> outcome) {
  try {
    Keywords keywords = base_keywords(parameters);
    co_await add_addresses(parameters, keywords);
    PgConn conn = start(keywords);
    outcome->conn = co_await poll_to_the_end(std::move(conn), parameters.sslmode);
  } catch (...) {
    outcome->error = std::current_exception();
  }
}

}  // namespace

asio::awaitable<PgConn> connect_libpq(Runtime runtime, PostgresParameters parameters) {
  using namespace asio::experimental::awaitable_operators;
  auto outcome = std::make_shared<Outcome>();
  const Duration limit = parameters.connect_timeout;
  const std::string where = parameters.host + ":" + std::to_string(parameters.port);
  co_await (attempt(std::move(parameters), outcome) || runtime.sleep_for(limit));
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) throw Cancelled();
  if (outcome->error && !is_cancelled(outcome->error)) std::rethrow_exception(outcome->error);
  if (!outcome->conn) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    throw PostgresError("postgres.unreachable", where + " did not answer within " + std::to_string(seconds) + " s", {});
  }
  co_return std::move(outcome->conn);
}

asio::awaitable<std::unique_ptr<PostgresSession>> connect_postgres(Runtime runtime, PostgresParameters parameters) {
  PgConn conn = co_await connect_libpq(runtime, std::move(parameters));
  auto executor = co_await asio::this_coro::executor;
  std::unique_ptr<PostgresSession> session =
      std::make_unique<LibpqSession>(std::move(runtime), std::move(conn), std::move(executor));
  co_return session;
}

}  // namespace millrace::net
