#include "connectors/postgres/change_tables.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "common/log.h"
#include "connectors/postgres/meta.h"

namespace millrace::connectors::postgres {
namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS millrace.cdc (
  connection_id text PRIMARY KEY, generation bigint NOT NULL, attempt bigint NOT NULL, token text NOT NULL,
  slot text, system text, timeline bigint, lsn pg_lsn, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS millrace.cdc_streams (
  connection_id text NOT NULL, stream_namespace text NOT NULL, stream_name text NOT NULL,
  generation bigint NOT NULL, settled pg_lsn NOT NULL, doubts text,
  left_out boolean NOT NULL DEFAULT false,
  PRIMARY KEY (connection_id, stream_namespace, stream_name));
)sql";

std::int64_t to_int(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

struct FenceRow {
  std::int64_t generation = -1, attempt = 0;
  std::optional<FeedPosition> position;
};

asio::awaitable<FenceRow> lock_row(net::PostgresSession& session, std::string connection_id) {
  const Parameters key{connection_id};
  const auto found = co_await session.query(
      "SELECT generation, attempt, slot, system, timeline, lsn FROM millrace.cdc WHERE connection_id = $1 FOR UPDATE",
      key);
  check(!found.rows.empty(), "the fence row is there");
  FenceRow row;
  row.generation = to_int(found.at(0, 0));
  row.attempt = to_int(found.at(0, 1));
  if (found.rows[0][5]) {
    row.position.emplace();
    row.position->slot = found.at(0, 2);
    row.position->system = found.at(0, 3);
    row.position->timeline = to_int(found.at(0, 4));
    row.position->lsn = parse_lsn(found.at(0, 5)).value_or(0);
  }
  co_return row;
}

asio::awaitable<void> end_older_sessions(net::PostgresSession& session, std::string connection_id) {
  const Parameters name{change_session_name(connection_id)};
  const auto ended = co_await session.query(
      "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity "
      "WHERE application_name = $1 AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()",
      name);
  if (ended.at(0, 0) != "0")
    log_warn("sessions of an older attempt were ended", {{"connection", connection_id}, {"sessions", ended.at(0, 0)}});
}

}  // namespace

std::string change_session_name(const std::string& connection_id) { return "millrace cdc " + connection_id; }

asio::awaitable<void> ensure_change_tables(net::PostgresSession& session) {
  const auto exists = co_await session.query("SELECT to_regclass('millrace.cdc_streams')", {});
  if (exists.rows[0][0]) co_return;
  const std::string sql =
      "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7812204531);" + std::string(kTables) + "COMMIT";
  co_await session.execute(sql);
}

asio::awaitable<std::optional<FeedPosition>> take_change_fence(net::PostgresSession& session, ChangeTarget target,
                                                               std::string token, std::uint32_t attempt,
                                                               Duration wait) {
  const Parameters key{target.connection_id};
  co_await session.query(
      "INSERT INTO millrace.cdc (connection_id, generation, attempt, token) VALUES ($1, -1, 0, '') ON CONFLICT DO "
      "NOTHING",
      key);
  FenceRow row;
  for (int tries = 0;; ++tries) {
    std::exception_ptr failure;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
    const std::string begin = "BEGIN; SET LOCAL lock_timeout = " + std::to_string(std::max<std::int64_t>(ms, 1));
    co_await session.execute(begin);
    try {
      row = co_await lock_row(session, target.connection_id);
    } catch (const net::PostgresError& e) {
      if (e.sqlstate() != "55P03" || tries == 2) throw;
      failure = std::current_exception();
    }
    if (!failure) break;
    co_await session.execute("ROLLBACK");
    co_await end_older_sessions(session, target.connection_id);
  }
  if (row.generation > target.generation || (row.generation == target.generation && row.attempt > attempt)) {
    co_await session.execute("ROLLBACK");
    throw Error("destination.fenced", "changes: generation " + std::to_string(row.generation) + ", attempt " +
                                          std::to_string(row.attempt) + " stands before generation " +
                                          std::to_string(target.generation) + ", attempt " + std::to_string(attempt));
  }
  Parameters values = key;
  values.emplace_back(std::to_string(target.generation));
  values.emplace_back(std::to_string(attempt));
  values.emplace_back(token);
  co_await session.query(
      "UPDATE millrace.cdc SET generation = $2::bigint, attempt = $3::bigint, token = $4 WHERE connection_id = $1",
      values);
  co_await session.execute("COMMIT");
  // One that has not come to its fence yet may still hold rows that the new attempt needs.
  co_await end_older_sessions(session, target.connection_id);
  co_return row.position;
}

asio::awaitable<FollowedStream> followed_stream(net::PostgresSession& session, StreamTarget target) {
  FollowedStream out;
  const auto loaded = co_await load_state(session, target);
  if (!loaded || loaded->state.empty()) co_return out;
  out.loaded = true;
  out.generation = loaded->generation;
  out.state = loaded->state;
  const Parameters key = stream_key(target);
  const auto found = co_await session.query(
      "SELECT generation, settled, doubts, left_out FROM millrace.cdc_streams WHERE connection_id = $1 AND "
      "stream_namespace = $2 "
      "AND stream_name = $3",
      key);
  if (found.rows.empty() || to_int(found.at(0, 0)) != out.generation) co_return out;
  out.fresh = false;
  out.left_out = found.at(0, 3) == "t";
  out.settled = parse_lsn(found.at(0, 1)).value_or(0);
  if (found.rows[0][2]) out.doubts = nlohmann::json::parse(found.at(0, 2)).get<std::vector<std::string>>();
  co_return out;
}

asio::awaitable<void> store_followed(net::PostgresSession& session, StreamTarget target, FollowedStream followed) {
  Parameters values = stream_key(target);
  values.emplace_back(std::to_string(followed.generation));
  values.emplace_back(format_lsn(followed.settled));
  values.emplace_back(followed.doubts.empty() ? std::nullopt
                                              : std::optional<std::string>(nlohmann::json(followed.doubts).dump()));
  co_await session.query(
      "INSERT INTO millrace.cdc_streams (connection_id, stream_namespace, stream_name, generation, settled, doubts) "
      "VALUES ($1, $2, $3, $4::bigint, $5::pg_lsn, $6) ON CONFLICT (connection_id, stream_namespace, stream_name) DO "
      "UPDATE SET generation = EXCLUDED.generation, settled = EXCLUDED.settled, doubts = EXCLUDED.doubts, "
      "left_out = false",
      values);
}

asio::awaitable<void> leave_others_out(net::PostgresSession& session, ChangeTarget target) {
  std::string followed;
  for (const auto& s : target.streams)
    followed += (followed.empty() ? "(" : ", (") + net::quote_literal(s.target.source_name.ns) + ", " +
                net::quote_literal(s.target.source_name.name) + ")";
  const Parameters key{target.connection_id};
  const std::string sql =
      "INSERT INTO millrace.cdc_streams AS c (connection_id, stream_namespace, stream_name, generation, settled, "
      "left_out) "
      "SELECT connection_id, stream_namespace, stream_name, state_generation, '0/0', true FROM millrace.loads "
      "WHERE connection_id = $1 AND state_generation IS NOT NULL AND (stream_namespace, stream_name) NOT IN (" +
      followed +
      ") ON CONFLICT (connection_id, stream_namespace, stream_name) DO UPDATE SET generation = EXCLUDED.generation, "
      "left_out = true WHERE NOT c.left_out OR c.generation <> EXCLUDED.generation";
  co_await session.query(sql, key);
}

asio::awaitable<void> store_position(net::PostgresSession& session, std::string connection_id, std::string token,
                                     FeedPosition position) {
  const Parameters values{
      connection_id,           token, position.slot, position.system, std::to_string(position.timeline),
      format_lsn(position.lsn)};
  const auto stored = co_await session.query(
      "UPDATE millrace.cdc SET slot = $3, system = $4, timeline = $5::bigint, lsn = $6::pg_lsn, updated_at = now() "
      "WHERE connection_id = $1 AND token = $2",
      values);
  if (stored.affected != 1)
    throw Error("destination.fenced", "another attempt has taken over the changes of connection " + connection_id);
}

}  // namespace millrace::connectors::postgres
