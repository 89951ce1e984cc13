#include "net/postgres_session.h"

#include <cstring>

#include <boost/asio/use_awaitable.hpp>

#include "common/check.h"
#include "net/postgres_errors.h"

namespace millrace::net {
namespace {

std::string_view field_of(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text ? text : "";
}

bool failed(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

}  // namespace

PostgresError result_error(const PGresult* result) {
  const std::string_view state = field_of(result, PG_DIAG_SQLSTATE);
  std::string_view message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = PQresultErrorMessage(result);
  return statement_error(state, message, field_of(result, PG_DIAG_MESSAGE_DETAIL),
                         field_of(result, PG_DIAG_MESSAGE_HINT));
}

PostgresResult to_result(const PGresult* from) {
  PostgresResult out;
  out.command = PQcmdStatus(const_cast<PGresult*>(from));
  const std::string affected = PQcmdTuples(const_cast<PGresult*>(from));
  if (!affected.empty()) out.affected = std::strtoll(affected.c_str(), nullptr, 10);
  const int columns = PQnfields(from), rows = PQntuples(from);
  for (int c = 0; c < columns; ++c) out.columns.emplace_back(PQfname(from, c));
  out.rows.resize(static_cast<std::size_t>(rows));
  for (int r = 0; r < rows; ++r) {
    auto& row = out.rows[static_cast<std::size_t>(r)];
    row.reserve(static_cast<std::size_t>(columns));
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(from, r, c))
        row.emplace_back();
      else
        row.emplace_back(std::in_place, PQgetvalue(from, r, c), static_cast<std::size_t>(PQgetlength(from, r, c)));
    }
  }
  return out;
}

LibpqSession::LibpqSession(Runtime runtime, PgConn conn, asio::any_io_executor executor)
    : runtime_(std::move(runtime)), conn_(std::move(conn)) {
  socket_.emplace(std::move(executor), PQsocket(conn_.get()));
  if (!PQsslInUse(conn_.get()) && !PQgssEncInUse(conn_.get())) raw_.emplace(runtime_, *socket_);
}

LibpqSession::~LibpqSession() { close(); }

// The descriptor is libpq's: Asio lets go of it before PQfinish closes it.
void LibpqSession::close() {
  raw_.reset();
  if (socket_) {
    socket_->release();
    socket_.reset();
  }
  conn_.reset();
  broken_ = true;
}

int LibpqSession::server_version() const { return conn_ ? PQserverVersion(conn_.get()) : 0; }
int LibpqSession::backend_pid() const { return conn_ ? PQbackendPID(conn_.get()) : 0; }
std::string LibpqSession::parameter_status(const std::string& name) const {
  const char* value = conn_ ? PQparameterStatus(conn_.get(), name.c_str()) : nullptr;
  return value ? value : "";
}

// A session is broken while a call is under way and whole again at its regular end, so that whatever leaves the call on
// another way (a cancelled wait, a lost connection) needs no care of its own.
void LibpqSession::enter(State next) {
  if (!conn_ || broken_) throw connection_lost("the session is closed");
  check(state_ == State::idle, "a session runs one statement at a time");
  state_ = next;
  broken_ = true;
}

void LibpqSession::fail_connection() {
  broken_ = true;
  throw connection_lost(PQerrorMessage(conn_.get()));
}

asio::awaitable<void> LibpqSession::flush() {
  for (;;) {
    const int left = PQflush(conn_.get());
    if (left < 0) fail_connection();
    if (left == 0) co_return;
    co_await socket_->async_wait(asio::posix::stream_descriptor::wait_write, asio::use_awaitable);
    if (!PQconsumeInput(conn_.get())) fail_connection();
  }
}

asio::awaitable<PgResult> LibpqSession::next_result() {
  while (PQisBusy(conn_.get())) {
    co_await socket_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    if (!PQconsumeInput(conn_.get())) fail_connection();
  }
  co_return PgResult(PQgetResult(conn_.get()));
}

asio::awaitable<PgResult> LibpqSession::last_result() {
  PgResult last;
  std::optional<PostgresError> error;
  for (;;) {
    PgResult result = co_await next_result();
    if (!result) break;
    if (failed(result.get()) && !error) error = result_error(result.get());
    last = std::move(result);
    // A COPY that nobody asked for would hand out the same result for ever.
    const ExecStatusType status = PQresultStatus(last.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
  }
  const bool lost = PQstatus(conn_.get()) == CONNECTION_BAD;
  state_ = State::idle;
  broken_ = lost;
  if (error) throw *error;
  if (lost) fail_connection();
  co_return last;
}

asio::awaitable<PostgresResult> LibpqSession::query(std::string sql,
                                                    std::vector<std::optional<std::string>> parameters) {
  enter(State::busy);
  std::vector<const char*> values;
  for (const auto& p : parameters) values.push_back(p ? p->c_str() : nullptr);
  if (!PQsendQueryParams(conn_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                         nullptr, 0))
    fail_connection();
  co_await flush();
  PgResult result = co_await last_result();
  check(result != nullptr, "a statement has a result");
  co_return to_result(result.get());
}

asio::awaitable<void> LibpqSession::execute(std::string sql) {
  enter(State::busy);
  if (!PQsendQuery(conn_.get(), sql.c_str())) fail_connection();
  co_await flush();
  co_await last_result();
}

asio::awaitable<void> LibpqSession::cancel_running() {
  if (!conn_) co_return;
  std::shared_ptr<PGcancel> cancel(PQgetCancel(conn_.get()), PQfreeCancel);
  if (!cancel) co_return;
  auto ask = [cancel] {
    char reason[256] = "";
    return PQcancel(cancel.get(), reason, sizeof reason);
  };
  co_await runtime_.blocking(ask);
}

}  // namespace millrace::net
