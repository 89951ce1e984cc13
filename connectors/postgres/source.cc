#include "connectors/postgres/source.h"

#include "common/errors.h"

namespace millrace::connectors::postgres {

PostgresSource::PostgresSource(Runtime runtime, PostgresConfig config)
    : config_(std::move(config)), pool_(std::move(runtime), config_.parameters, pinned_settings()) {}

CheckResult failed_check(const Error& error) {
  CheckResult result;
  result.ok = false;
  result.code = error.code();
  result.message = error.what();
  result.remedy = error.remedy();
  return result;
}

namespace {

asio::awaitable<void> check_source(net::PostgresSession& session, std::vector<std::string> schemas,
                                   CheckResult& result) {
  if (session.server_version() < 110000)
    throw Error("postgres.version_unsupported", "the server is version " + session.parameter_status("server_version"));
  for (const auto& schema : schemas) {
    const std::vector<std::optional<std::string>> parameters{schema};
    const auto found = co_await session.query(
        "SELECT pg_catalog.has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = $1",
        parameters);
    if (found.rows.empty()) throw Error("postgres.object_missing", "schema \"" + schema + "\"");
    if (found.at(0, 0) != "t") throw Error("postgres.permission_denied", "USAGE on schema \"" + schema + "\"");
  }
  const Catalog catalog = co_await read_catalog(session, schemas);
  if (!catalog.streams.empty()) co_return;
  const auto hidden = co_await session.query(
      "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
      "c.relkind IN ('r', 'p') "
      "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
      {});
  if (hidden.at(0, 0) != "0")
    throw Error("postgres.permission_denied", "the user may read none of the " + hidden.at(0, 0) +
                                                  " tables (SELECT on the table, USAGE on its schema)");
  result.warnings.emplace_back("the database has no tables yet");
}

}  // namespace

asio::awaitable<CheckResult> PostgresSource::check() {
  CheckResult result;
  result.warnings = config_.warnings;
  try {
    SessionPtr session = co_await pool_.take();
    co_await check_source(*session, config_.schemas, result);
    pool_.give_back(std::move(session));
  } catch (const Error& e) {
    result = failed_check(e);
  }
  co_return result;
}

asio::awaitable<Catalog> PostgresSource::discover() {
  SessionPtr session = co_await pool_.take();
  Catalog catalog = co_await read_catalog(*session, config_.schemas);
  pool_.give_back(std::move(session));
  if (config_.xmin)
    for (Stream& stream : catalog.streams)
      if (!stream.is_view) {
        stream.source_defined_cursor = true;
        stream.sync_modes = source_modes();
      }
  co_return catalog;
}

asio::awaitable<void> PostgresSource::close() {
  {
    std::lock_guard lock(mutex_);
    keepers_.clear();
  }
  pool_.close();
  co_return;
}

}  // namespace millrace::connectors::postgres
