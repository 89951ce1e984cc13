#include "cdc/slot_care.h"

#include <algorithm>
#include <cstdlib>

#include "common/errors.h"
#include "common/log.h"
#include "net/postgres_replication.h"

namespace millrace::cdc {
namespace {

using Parameters = std::vector<std::optional<std::string>>;

std::int64_t to_int(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }
Lsn to_lsn(const std::string& text) { return connectors::parse_lsn(text).value_or(0); }

// The lock under which several streams that begin at once make one publication and one slot.
constexpr const char* kLock = "SELECT pg_catalog.pg_advisory_lock(7812204532)";
constexpr const char* kUnlock = "SELECT pg_catalog.pg_advisory_unlock(7812204532)";

}  // namespace

std::string quoted_table(const StreamName& table) {
  return net::quote_identifier(table.ns) + "." + net::quote_identifier(table.name);
}

asio::awaitable<std::optional<SlotFacts>> slot_facts(net::PostgresSession& session, std::string slot) {
  const int version = session.server_version();
  std::string sql =
      "SELECT plugin, database, active, active_pid, confirmed_flush_lsn, restart_lsn, now.lsn, "
      "pg_catalog.pg_wal_lsn_diff(now.lsn, restart_lsn)::bigint, ";
  sql += version >= 130000 ? "wal_status, safe_wal_size, " : "NULL, NULL, ";
  sql += version >= 170000   ? "invalidation_reason"
         : version >= 160000 ? "CASE WHEN conflicting THEN 'conflict' END"
                             : "NULL";
  sql +=
      " FROM pg_catalog.pg_replication_slots, LATERAL (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
      "pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) now "
      "WHERE slot_name = $1 AND slot_type = 'logical'";
  const Parameters parameters{slot};
  const auto found = co_await session.query(sql, parameters);
  std::optional<SlotFacts> out;
  if (found.rows.empty()) co_return out;
  out.emplace();
  out->name = slot;
  out->plugin = found.at(0, 0);
  out->database = found.at(0, 1);
  out->active = found.at(0, 2) == "t";
  out->active_pid = to_int(found.at(0, 3));
  out->confirmed = to_lsn(found.at(0, 4));
  out->restart = to_lsn(found.at(0, 5));
  out->server = to_lsn(found.at(0, 6));
  out->retained_bytes = to_int(found.at(0, 7));
  out->wal_status = found.at(0, 8);
  if (found.rows[0][9]) out->safe_bytes = to_int(found.at(0, 9));
  out->invalidation = found.at(0, 10);
  co_return out;
}

namespace {

asio::awaitable<bool> is_published(net::PostgresSession& session, std::string publication, StreamName table) {
  const Parameters parameters{publication, table.ns, table.name};
  const auto found = co_await session.query(
      "SELECT 1 FROM pg_catalog.pg_publication_tables WHERE pubname = $1 AND schemaname = $2 AND tablename = $3",
      parameters);
  co_return !found.rows.empty();
}

asio::awaitable<void> publish_table(net::PostgresSession& session, std::string publication, StreamName table) {
  const Parameters name{publication};
  const std::string actions = session.server_version() >= 110000 ? "pubtruncate" : "true";
  const auto found = co_await session.query(
      "SELECT pubinsert, pubupdate, pubdelete, " + actions + " FROM pg_catalog.pg_publication WHERE pubname = $1",
      name);
  const std::string quoted = net::quote_identifier(publication);
  std::string sql;
  if (found.rows.empty()) {
    sql = "CREATE PUBLICATION " + quoted + " FOR TABLE " + quoted_table(table);
    if (session.server_version() >= 130000) sql += " WITH (publish_via_partition_root = true)";
  } else {
    for (std::size_t i = 0; i < 4; ++i)
      if (found.at(0, i) != "t")
        throw Error("cdc.publication_incomplete", "publication \"" + publication +
                                                      "\" does not publish every operation; run: ALTER PUBLICATION " +
                                                      quoted + " SET (publish = 'insert, update, delete, truncate')");
    const bool there = co_await is_published(session, publication, table);
    if (there) co_return;
    sql = "ALTER PUBLICATION " + quoted + " ADD TABLE " + quoted_table(table);
  }
  std::exception_ptr failure;
  try {
    co_await session.execute(sql);
  } catch (const net::PostgresError& e) {
    failure = e.kind() == ErrorKind::transient || e.sqlstate().empty()
                  ? std::current_exception()
                  : std::make_exception_ptr(Error("cdc.publication_incomplete", e.detail() + "; run: " + sql));
  }
  if (failure) std::rethrow_exception(failure);
  log_info("table published", {{"publication", publication}, {"table", table.text()}});
  const bool now = co_await is_published(session, publication, table);
  if (!now)
    throw Error("cdc.publication_incomplete", "publication \"" + publication + "\" publishes the partitions of " +
                                                  table.text() + " instead of the table; run: ALTER PUBLICATION " +
                                                  quoted + " SET (publish_via_partition_root = true)");
}

asio::awaitable<SlotFacts> make_slot(net::PostgresSession& session, std::string slot) {
  auto facts = co_await slot_facts(session, slot);
  if (!facts) {
    const Parameters parameters{slot};
    std::exception_ptr failure;
    try {
      // With failover where the server has it: the slot then survives a switch to a standby that syncs it.
      co_await session.query(
          session.server_version() >= 170000
              ? "SELECT pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput', false, false, true)"
              : "SELECT pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')",
          parameters);
    } catch (const net::PostgresError& e) {
      if (e.sqlstate() == "53400")
        failure = std::make_exception_ptr(Error("cdc.slots_exhausted", e.detail()));
      else if (e.sqlstate() == "55000")
        failure = std::make_exception_ptr(Error("cdc.wal_level", e.detail()));
      else if (e.sqlstate() == "42501")
        failure = std::make_exception_ptr(
            Error("cdc.privilege_missing",
                  e.detail() +
                      "; run: ALTER ROLE CURRENT_USER REPLICATION (on a managed service, grant its replication role)"));
      else
        failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    log_info("replication slot made", {{"slot", slot}});
    facts = co_await slot_facts(session, slot);
    if (!facts) throw Error("cdc.slot_lost", "the slot \"" + slot + "\" went away as soon as it was made");
  }
  const auto database = co_await session.query("SELECT current_database()", {});
  if (facts->plugin != "pgoutput" || facts->database != database.at(0, 0))
    throw Error("cdc.slot_unusable", "the slot \"" + slot + "\" has plugin " + facts->plugin + " in database \"" +
                                         facts->database + "\"; wanted is pgoutput in \"" + database.at(0, 0) + "\"");
  co_return *facts;
}

}  // namespace

asio::awaitable<void> ensure_publication(net::PostgresSession& session, std::string publication, StreamName table) {
  const bool there = co_await is_published(session, publication, table);
  std::exception_ptr failure;
  if (!there) co_await session.query(kLock, {});
  try {
    co_await publish_table(session, publication, table);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!there && session.usable()) co_await session.query(kUnlock, {});
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<SlotFacts> ensure_slot(net::PostgresSession& session, std::string slot) {
  co_await session.query(kLock, {});
  std::exception_ptr failure;
  SlotFacts facts;
  try {
    facts = co_await make_slot(session, slot);
  } catch (...) {
    failure = std::current_exception();
  }
  if (session.usable()) co_await session.query(kUnlock, {});
  if (failure) std::rethrow_exception(failure);
  if (facts.lost())
    throw Error("cdc.slot_lost", "the slot \"" + slot + "\" is " +
                                     (facts.invalidation.empty() ? "lost" : "invalidated: " + facts.invalidation));
  co_return facts;
}

asio::awaitable<std::string> identity_fault(net::PostgresSession& session, StreamName table,
                                            std::vector<std::string> key, std::string& sql) {
  const Parameters parameters{table.ns, table.name};
  const auto found = co_await session.query(
      "SELECT c.relreplident, a.attname FROM pg_catalog.pg_class c "
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND "
      "CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END "
      "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]) "
      "WHERE n.nspname = $1 AND c.relname = $2",
      parameters);
  if (found.rows.empty()) co_return "the table does not exist";
  const std::string identity = found.at(0, 0);
  if (identity == "f") co_return "";
  sql = "ALTER TABLE " + quoted_table(table) + " REPLICA IDENTITY FULL";
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < found.rows.size(); ++i)
    if (found.rows[i][1]) columns.push_back(found.at(i, 1));
  if (columns.empty())
    co_return identity == "n" ? "its replica identity is NOTHING"
                              : "it has no primary key and no other replica identity";
  for (const auto& column : key)
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      co_return "its replica identity does not have the key's column \"" + column + "\"";
  co_return "";
}

asio::awaitable<std::string> settled_snapshot(Runtime runtime, net::PostgresSession& session) {
  const auto begin =
      co_await session.query("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())", {});
  const std::int64_t wanted = to_int(begin.at(0, 0));
  Duration pause = std::chrono::milliseconds(10);
  MonoTime told = runtime.mono();
  for (;;) {
    const auto now = co_await session.query(
        "SELECT pg_catalog.txid_snapshot_xmin(s), s FROM pg_catalog.txid_current_snapshot() s", {});
    if (to_int(now.at(0, 0)) >= wanted) co_return now.at(0, 1);
    if (runtime.mono() - told > std::chrono::seconds(10)) {
      told = runtime.mono();
      const auto oldest = co_await session.query(
          "SELECT pid, pg_catalog.date_trunc('second', pg_catalog.now() - xact_start) FROM pg_catalog.pg_stat_activity "
          "WHERE backend_xid IS NOT NULL ORDER BY pg_catalog.age(backend_xid) DESC LIMIT 1",
          {});
      log_warn("waiting for open transactions of the source to end",
               {{"oldest_pid", oldest.rows.empty() ? "a prepared transaction" : oldest.at(0, 0)},
                {"open_for", oldest.rows.empty() ? "" : oldest.at(0, 1)}});
    }
    co_await runtime.sleep_for(pause);
    pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(500));
  }
}

asio::awaitable<void> require_server(net::PostgresSession& session, connectors::postgres::ReplicationConfig config,
                                     std::vector<std::string>& warnings) {
  if (session.server_version() < 110000)
    throw Error("postgres.version_unsupported", "the server is version " + session.parameter_status("server_version"));
  const auto settings = co_await session.query(
      "SELECT current_setting('wal_level'), current_setting('max_replication_slots')::int, "
      "current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_catalog.pg_replication_slots), "
      "(SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), "
      "EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname IN ('rds_replication') AND "
      "pg_catalog.pg_has_role(oid, 'MEMBER'))",
      {});
  if (settings.at(0, 0) != "logical")
    throw Error("cdc.wal_level", "wal_level is " + settings.at(0, 0) +
                                     "; run: ALTER SYSTEM SET wal_level = 'logical' and restart the server");
  if (settings.at(0, 4) != "t" && settings.at(0, 5) != "t")
    throw Error("cdc.privilege_missing", "the user lacks the attribute REPLICATION; run: ALTER ROLE " +
                                             net::quote_identifier(session.parameter_status("session_authorization")) +
                                             " REPLICATION");
  const auto facts = co_await slot_facts(session, config.slot);
  if (!facts) {
    if (to_int(settings.at(0, 3)) >= to_int(settings.at(0, 1)))
      throw Error("cdc.slots_exhausted", "max_replication_slots is " + settings.at(0, 1) + ", all are in use");
    warnings.push_back("the slot \"" + config.slot + "\" does not exist yet: the first sync makes it");
  } else if (facts->lost()) {
    throw Error("cdc.slot_lost", "the slot \"" + config.slot + "\" is " +
                                     (facts->invalidation.empty() ? "lost" : "invalidated: " + facts->invalidation));
  }
  if (to_int(settings.at(0, 2)) == 0) throw Error("cdc.slots_exhausted", "max_wal_senders is 0");
  const Parameters name{config.publication};
  const auto publication = co_await session.query("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1", name);
  if (publication.rows.empty())
    warnings.push_back("the publication \"" + config.publication + "\" does not exist yet: the first sync makes it");
}

asio::awaitable<SystemIdentity> identify_system(Runtime runtime, net::PostgresParameters parameters) {
  auto session = co_await net::connect_replication(runtime, std::move(parameters));
  const auto found = co_await session->command("IDENTIFY_SYSTEM");
  session->close();
  SystemIdentity out;
  out.system = found.at(0, 0);
  out.timeline = to_int(found.at(0, 1));
  co_return out;
}

}  // namespace millrace::cdc
