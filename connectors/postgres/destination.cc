#include "connectors/postgres/destination.h"

#include <algorithm>

#include "common/check.h"
#include "common/errors.h"
#include "common/log.h"
#include "connectors/postgres/change_writer.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/publish.h"
#include "connectors/postgres/source.h"
#include "connectors/postgres/stream_writer.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {

bool has_metadata(const StreamTarget& target) {
  return target.metadata_columns &&
         (target.sync_mode == SyncMode::full_refresh_append || target.sync_mode == SyncMode::incremental_append);
}

bool writes_in_place(const StreamTarget& target) { return has_metadata(target) && !target.replace; }

PostgresDestination::PostgresDestination(Runtime runtime, PostgresConfig config)
    : config_(std::move(config)),
      pool_(std::make_shared<SessionPool>(std::move(runtime), config_.parameters, pinned_settings())) {}

StreamTarget PostgresDestination::with_defaults(StreamTarget target) const {
  if (target.ns.empty()) target.ns = config_.schema;
  const auto known = modes();
  if (std::find(known.begin(), known.end(), target.sync_mode) == known.end())
    throw Error("destination.mode_unsupported",
                std::string(to_string(target.sync_mode)) + " by a PostgreSQL destination");
  if (is_deduped(target.sync_mode) && target.primary_key.empty())
    throw Error("connector.config_invalid", target.source_name.text() + " has no key to dedupe by");
  return target;
}

namespace {

asio::awaitable<void> check_destination(net::PostgresSession& session, std::string schema) {
  if (session.server_version() < 110000)
    throw Error("postgres.version_unsupported", "the server is version " + session.parameter_status("server_version"));
  const auto recovery = co_await session.query("SELECT pg_catalog.pg_is_in_recovery()", {});
  if (recovery.at(0, 0) == "t") throw Error("postgres.permission_denied", "the server is a read-only standby");
  for (const auto& name : {schema, std::string(kMetaSchema)}) {
    const Parameters parameters{name};
    const auto rights = co_await session.query(
        "SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE'), "
        "(SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') AND pg_catalog.has_schema_privilege(oid, 'USAGE') "
        "FROM pg_catalog.pg_namespace WHERE nspname = $1), current_database()",
        parameters);
    const bool exists = rights.rows[0][1].has_value();
    if (exists && rights.at(0, 1) != "t")
      throw Error("postgres.permission_denied", "CREATE and USAGE on schema \"" + name + "\"");
    if (!exists && rights.at(0, 0) != "t")
      throw Error("postgres.permission_denied",
                  "CREATE on database \"" + rights.at(0, 2) + "\", to make the schema \"" + name + "\"");
  }
}

// A table that is there must be ours, unless it may be taken over.
asio::awaitable<void> require_ours(net::PostgresSession& session, StreamTarget target) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  if (oid == 0) co_return;
  const auto mark = co_await table_mark(session, ns, name);
  const bool marked = mark && mark->relation == oid;
  if (marked && mark->connection_id == target.connection_id && mark->stream == target.source_name) co_return;
  if (target.adopt) co_return;
  const std::string table = ns + "." + name;
  if (!marked) throw Error("destination.not_ours", table + " was made by somebody else");
  const auto said = [](const std::string& name, const std::string& id) {
    return name.empty() ? id : "\"" + name + "\" (" + id + ")";
  };
  throw Error("destination.not_ours", table + " belongs to stream " + mark->stream.text() + " of connection " +
                                          said(mark->connection_name, mark->connection_id) + ", and stream " +
                                          target.source_name.text() + " of connection " +
                                          said(target.connection_name, target.connection_id) + " would write it too");
}

// The fence row, locked. Sessions of older attempts that hold it are waited for, then ended.
asio::awaitable<LoadRow> lock_fence(net::PostgresSession& session, StreamTarget target, Duration wait) {
  Parameters key = stream_key(target);
  co_await session.query(
      "INSERT INTO millrace.loads (connection_id, stream_namespace, stream_name, generation, attempt, token) VALUES "
      "($1, $2, $3, -1, 0, '') "
      "ON CONFLICT DO NOTHING",
      key);
  for (int tries = 0;; ++tries) {
    std::exception_ptr failure;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
    const std::string begin = "BEGIN; SET LOCAL lock_timeout = " + std::to_string(std::max<std::int64_t>(ms, 1));
    co_await session.execute(begin);
    try {
      const auto row = co_await load_row(session, target, RowLock::update);
      check(row.has_value(), "the fence row is there");
      co_return *row;
    } catch (const net::PostgresError& e) {
      if (e.sqlstate() != "55P03" || tries == 2) throw;
      failure = std::current_exception();
    }
    co_await session.execute("ROLLBACK");
    const Parameters name{data_session_name(target)};
    const auto ended = co_await session.query(
        "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity "
        "WHERE application_name = $1 AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()",
        name);
    log_warn("sessions of an older attempt were ended",
             {{"stream", target.source_name.text()}, {"sessions", ended.at(0, 0)}});
  }
}

// Under the fence: gets the helper rows and tables ready for this generation. Returns the row as it then is.
asio::awaitable<LoadRow> take_over(net::PostgresSession& session, StreamTarget target, std::string token,
                                   std::uint32_t attempt, Duration wait) {
  LoadRow row = co_await lock_fence(session, target, wait);
  if (row.generation > target.generation || (row.generation == target.generation && row.attempt > attempt))
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          ", attempt " + std::to_string(row.attempt) + " stands before generation " +
                                          std::to_string(target.generation) + ", attempt " + std::to_string(attempt));
  if (row.generation < target.generation && !row.published) row.unfinished = row.generation;
  const std::int64_t unfinished = row.unfinished;
  if (unfinished > 0) co_await forget_quarantined(session, target, unfinished);
  const bool aside = !writes_in_place(target);
  const std::string stage = aside ? stage_name(target) : "";
  Parameters key = stream_key(target);
  if (row.generation < target.generation) {
    if (!row.stage.empty()) co_await session.execute("DROP TABLE IF EXISTS " + helper_table(row.stage));
    co_await session.query(
        "DELETE FROM millrace.checkpoints WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3",
        key);
    row = LoadRow();
    row.generation = target.generation;
    row.unfinished = unfinished;
  }
  if (aside && !row.published) {
    const std::int64_t exists = co_await relation_oid(session, kMetaSchema, stage);
    if (exists == 0) {  // a new generation, or somebody dropped it: then what was committed into it is gone too
      const std::string sql = create_table(helper_table(stage), columns_of(target));
      co_await run_ddl(session, sql);
      co_await session.query(
          "DELETE FROM millrace.checkpoints WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3",
          key);
      row.finished = false;
      row.rows = 0;
    }
  }
  Parameters values = key;
  values.emplace_back(std::to_string(target.generation));
  values.emplace_back(std::to_string(attempt));
  values.emplace_back(token);
  values.emplace_back(row.finished ? "true" : "false");
  values.emplace_back(std::to_string(row.rows));
  values.emplace_back(row.published ? "true" : "false");
  values.emplace_back(aside && !row.published ? std::optional<std::string>(stage) : std::nullopt);
  co_await session.query(
      "UPDATE millrace.loads SET generation = $4::bigint, attempt = $5::bigint, token = $6, finished = $7::boolean, "
      "rows = $8::bigint, "
      "published = $9::boolean, stage = $10, opened_at = now() WHERE connection_id = $1 AND stream_namespace = $2 AND "
      "stream_name = $3",
      values);
  co_return row;
}

// Append in place: the final table is there, ours, and has the columns.
asio::awaitable<void> prepare_final_table(net::PostgresSession& session, StreamTarget target) {
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  std::int64_t oid = co_await relation_oid(session, ns, name);
  const auto mark = co_await table_mark(session, ns, name);
  const bool ours = mark && mark->relation == oid && mark->connection_id == target.connection_id;
  if (oid != 0 && !ours) {
    co_await keep_before(session, target);
    oid = 0;
  }
  const auto columns = columns_of(target);
  if (oid == 0) {
    const std::string sql = create_table(final_table(target), columns);
    co_await run_ddl(session, sql);
    oid = co_await relation_oid(session, ns, name);
  } else {
    co_await match_columns(session, final_table(target), columns, target.renamed);
  }
  co_await set_table_mark(session, target, oid);
}

asio::awaitable<bool> has_load_ids(net::PostgresSession& session, StreamTarget target) {
  const Parameters parameters{identifier_that_fits(target.ns), identifier_that_fits(target.name), kLoadId};
  const auto found = co_await session.query(
      "SELECT 1 FROM millrace.tables t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.relation WHERE t.table_schema "
      "= "
      "$1 AND t.table_name = $2 AND a.attname = $3 AND NOT a.attisdropped",
      parameters);
  co_return !found.rows.empty();
}

// Rows that a load left in the table and that no publication made count: the next load begins where that one began, so
// they would be there twice.
asio::awaitable<void> remove_unfinished(net::PostgresSession& session, StreamTarget target, std::int64_t load) {
  const Parameters parameters{std::to_string(load)};
  const std::string sql =
      "DELETE FROM " + final_table(target) + " WHERE " + net::quote_identifier(kLoadId) + " = $1::bigint";
  co_await session.query(sql, parameters);
}

}  // namespace

asio::awaitable<CheckResult> PostgresDestination::check() {
  CheckResult result;
  result.warnings = config_.warnings;
  try {
    SessionPtr session = co_await pool_->take();
    co_await check_destination(*session, config_.schema);
    pool_->give_back(std::move(session));
  } catch (const Error& e) {
    result = failed_check(e);
  }
  co_return result;
}

asio::awaitable<std::unique_ptr<StreamWriter>> PostgresDestination::open_stream(StreamTarget given, std::string token,
                                                                                std::uint32_t attempt) {
  auto load = std::make_shared<LoadContext>();
  load->target = with_defaults(std::move(given));
  const StreamTarget& target = load->target;
  const auto columns = columns_of(target);
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  co_await make_schema(*session, identifier_that_fits(target.ns));
  co_await require_ours(*session, target);
  const LoadRow row = co_await take_over(*session, target, token, attempt, config_.fence_wait);
  if (writes_in_place(target)) co_await prepare_final_table(*session, target);
  if (target.sync_mode == SyncMode::incremental_append && has_metadata(target) && row.unfinished > 0) {
    // A load that is built aside may have no table yet, or one of another mode.
    const bool marked = writes_in_place(target) || co_await has_load_ids(*session, target);
    if (marked) co_await remove_unfinished(*session, target, row.unfinished);
  }
  auto state = co_await load_state(*session, target);
  co_await session->execute("COMMIT");
  // Only now: what an older attempt still had on its way is in here, and nothing of it can come later.
  auto committed = co_await load_checkpoints(*session, target);
  pool_->give_back(std::move(session));

  load->token = std::move(token);
  load->pool = pool_;
  load->add_metadata = has_metadata(target);
  const std::string table = writes_in_place(target) ? final_table(target) : helper_table(stage_name(target));
  load->copy_sql = "COPY " + table + " (" + column_list(columns) + ") FROM STDIN (FORMAT binary)";
  std::unique_ptr<StreamWriter> writer =
      std::make_unique<PostgresStreamWriter>(std::move(load), std::move(committed), std::move(state), row.finished);
  co_return writer;
}

asio::awaitable<PublishResult> PostgresDestination::publish(StreamTarget given) {
  StreamTarget target = with_defaults(std::move(given));
  SessionPtr session = co_await pool_->take();
  co_await ensure_meta(*session);
  PublishResult result = co_await publish_generation(*session, target);
  if (!target.typed.empty()) {
    const PublishResult typed = co_await publish_documents(*session, target);
    result.already_done = result.already_done && typed.already_done;
    result.notes.insert(result.notes.end(), typed.notes.begin(), typed.notes.end());
  }
  pool_->give_back(std::move(session));
  co_return result;
}

asio::awaitable<std::unique_ptr<ChangeWriter>> PostgresDestination::open_changes(ChangeTarget target, std::string token,
                                                                                 std::uint32_t attempt) {
  for (auto& stream : target.streams) stream.target = with_defaults(std::move(stream.target));
  SessionPtr session = co_await pool_->take();
  auto writer =
      co_await open_change_writer(std::move(session), std::move(target), std::move(token), attempt, config_.fence_wait);
  co_return writer;
}

asio::awaitable<void> PostgresDestination::close() {
  pool_->close();
  co_return;
}

}  // namespace millrace::connectors::postgres
