#include "connectors/postgres/session_pool.h"

namespace millrace::connectors::postgres {

SessionPool::SessionPool(Runtime runtime, net::PostgresParameters parameters, std::string setup_sql)
    : runtime_(std::move(runtime)), parameters_(std::move(parameters)), setup_sql_(std::move(setup_sql)) {}

asio::awaitable<SessionPtr> SessionPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      SessionPtr session = std::move(idle_.back());
      idle_.pop_back();
      co_return session;
    }
  }
  SessionPtr session = co_await net::connect_postgres(runtime_, parameters_);
  co_await session->execute(setup_sql_);
  co_return session;
}

void SessionPool::give_back(SessionPtr session) {
  if (!session || !session->usable()) return;
  std::lock_guard lock(mutex_);
  if (!closed_ && idle_.size() < kMaxIdle) idle_.push_back(std::move(session));
}

void SessionPool::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  idle_.clear();
}

// lock_timeout: a table that somebody alters for longer than this is a reason to try again later, not to hang.
std::string pinned_settings() {
  return "SET DateStyle = ISO, MDY; SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET extra_float_digits = 1; "
         "SET bytea_output = hex; SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = "
         "'60s'; "
         "SET idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on";
}

}  // namespace millrace::connectors::postgres
