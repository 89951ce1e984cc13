// COPY of a session: by raw frames where that is possible (postgres_copy_raw.h), else through libpq.
#include <cstring>

#include <boost/asio/use_awaitable.hpp>

#include "common/check.h"
#include "net/postgres_errors.h"
#include "net/postgres_session.h"

namespace millrace::net {
namespace {

constexpr std::size_t kPutBytes = 64 << 10;  // at a time into libpq's output buffer

struct CopyBufferDeleter {
  void operator()(char* buffer) const { PQfreemem(buffer); }
};

}  // namespace

asio::awaitable<void> LibpqSession::libpq_copy_begin(std::string sql, ExecStatusType expected) {
  if (!PQsendQuery(conn_.get(), sql.c_str())) fail_connection();
  co_await flush();
  PgResult result = co_await next_result();
  while (result && PQresultStatus(result.get()) == PGRES_COMMAND_OK) result = co_await next_result();
  if (result && PQresultStatus(result.get()) == expected) co_return;
  if (result && PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
    const PostgresError error = result_error(result.get());
    co_await last_result();
    throw error;
  }
  throw PostgresError("postgres.query_failed", "the statement is not the COPY that it should be", {});
}

asio::awaitable<void> LibpqSession::copy_out_begin(std::string sql) {
  enter(State::copy_out);
  copy_rows_ = 0;
  filter_ = CopyOutFilter();
  std::exception_ptr failure;
  try {
    if (raw_)
      co_await raw_->begin_out(std::move(sql));
    else
      co_await libpq_copy_begin(std::move(sql), PGRES_COPY_OUT);
  } catch (const PostgresError&) {
    failure = std::current_exception();
  }
  if (failure) {
    if (raw_) {
      state_ = State::idle;
      broken_ = !raw_->quiet();
    }
    std::rethrow_exception(failure);
  }
}

asio::awaitable<bool> LibpqSession::libpq_copy_read(std::vector<char>& out, std::size_t want, CopyOutFilter& filter,
                                                    std::uint32_t& taken) {
  const std::size_t start = out.size();
  for (;;) {
    char* raw = nullptr;
    const int n = PQgetCopyData(conn_.get(), &raw, 1);
    if (n > 0) {
      const std::unique_ptr<char, CopyBufferDeleter> message(raw);
      std::string_view bytes(raw, static_cast<std::size_t>(n));
      if (filter.binary_rows) {
        if (!filter.header_seen) {
          bytes.remove_prefix(binary_header_length(bytes));
          filter.header_seen = true;
          if (bytes.empty()) continue;
        }
        if (is_binary_trailer(bytes)) continue;
      }
      out.insert(out.end(), bytes.begin(), bytes.end());
      ++taken;
      if (out.size() - start >= want) co_return true;
      continue;
    }
    if (n == 0) {
      co_await socket_->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      if (!PQconsumeInput(conn_.get())) fail_connection();
      continue;
    }
    if (n == -2) fail_connection();
    PgResult result = co_await last_result();
    copy_rows_ = result ? rows_of_command_tag(PQcmdStatus(result.get())) : 0;
    co_return false;
  }
}

asio::awaitable<bool> LibpqSession::read_copy(std::vector<char>& out, std::size_t want, CopyOutFilter filter,
                                              std::uint32_t& taken) {
  if (!conn_) throw connection_lost("the session is closed");
  check(state_ == State::copy_out, "COPY out has begun");
  filter_.binary_rows = filter.binary_rows;
  if (!raw_) co_return co_await libpq_copy_read(out, want, filter_, taken);
  bool more = false;
  std::exception_ptr failure;
  try {
    more = co_await raw_->read(out, want, filter_, taken);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!more) {
    state_ = State::idle;
    broken_ = !raw_->quiet();
    copy_rows_ = raw_->rows();
  }
  if (failure) std::rethrow_exception(failure);
  co_return more;
}

asio::awaitable<bool> LibpqSession::copy_out_read(std::vector<char>& out, std::size_t want, std::uint32_t& messages) {
  return read_copy(out, want, CopyOutFilter(), messages);
}

asio::awaitable<bool> LibpqSession::copy_out_read_rows(std::vector<char>& out, std::size_t want, std::uint32_t& rows) {
  CopyOutFilter filter;
  filter.binary_rows = true;
  return read_copy(out, want, filter, rows);
}

asio::awaitable<void> LibpqSession::copy_in_begin(std::string sql) {
  enter(State::copy_in);
  copy_rows_ = 0;
  std::exception_ptr failure;
  try {
    if (raw_)
      co_await raw_->begin_in(std::move(sql));
    else
      co_await libpq_copy_begin(std::move(sql), PGRES_COPY_IN);
  } catch (const PostgresError&) {
    failure = std::current_exception();
  }
  if (failure) {
    if (raw_) {
      state_ = State::idle;
      broken_ = !raw_->quiet();
    }
    std::rethrow_exception(failure);
  }
}

asio::awaitable<void> LibpqSession::copy_in_write(std::string_view bytes) {
  if (!conn_) throw connection_lost("the session is closed");
  check(state_ == State::copy_in, "COPY in has begun");
  if (raw_) {
    std::exception_ptr failure;
    try {
      co_await raw_->write(bytes);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    state_ = State::idle;
    broken_ = !raw_->quiet();
    std::rethrow_exception(failure);
  }
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPutBytes);
    const int put = PQputCopyData(conn_.get(), part.data(), static_cast<int>(part.size()));
    if (put < 0) fail_connection();
    if (put == 1) bytes.remove_prefix(part.size());
    co_await flush();
  }
}

asio::awaitable<std::int64_t> LibpqSession::copy_in_end() {
  if (!conn_) throw connection_lost("the session is closed");
  check(state_ == State::copy_in, "COPY in has begun");
  if (raw_) {
    std::exception_ptr failure;
    try {
      co_await raw_->end_in();
    } catch (...) {
      failure = std::current_exception();
    }
    state_ = State::idle;
    broken_ = !raw_->quiet();
    if (failure) std::rethrow_exception(failure);
    co_return copy_rows_ = raw_->rows();
  }
  while (PQputCopyEnd(conn_.get(), nullptr) == 0) co_await flush();
  co_await flush();
  PgResult result = co_await last_result();
  co_return copy_rows_ = result ? rows_of_command_tag(PQcmdStatus(result.get())) : 0;
}

asio::awaitable<void> LibpqSession::copy_in_fail(std::string reason) {
  if (!conn_ || state_ != State::copy_in) co_return;
  std::exception_ptr failure;
  try {
    if (raw_) {
      co_await raw_->fail_in(std::move(reason));
    } else {
      while (PQputCopyEnd(conn_.get(), reason.c_str()) == 0) co_await flush();
      co_await flush();
      co_await last_result();
    }
  } catch (const PostgresError& e) {
    if (e.sqlstate() != "57014") failure = std::current_exception();  // 57014: the failure that was asked for
  }
  if (raw_) {
    state_ = State::idle;
    broken_ = !raw_->quiet();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace millrace::net
