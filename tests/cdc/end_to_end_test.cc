// From one database to another by the log, without the engine: load, publish, follow to the end, compare.
#include <catch2/catch.hpp>

#include <set>

#include "cdc/source.h"
#include "common/errors.h"
#include "connectors/change_columns.h"
#include "connectors/change_queue.h"
#include "connectors/change_writer.h"
#include "connectors/postgres/destination.h"
#include "tests/connectors/copy_stream.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"

using namespace millrace;
using namespace millrace::test;
using c::FeedStream;
using c::SyncMode;

namespace {

PgCluster& cluster() {
  static PgCluster the_one({"wal_level = logical", "logical_decoding_work_mem = '64kB'",
                            "max_prepared_transactions = 10", "synchronous_commit = off"});
  return the_one;
}

std::string configuration(const std::string& database, const std::string& more) {
  return R"({"host":")" + cluster().host() + R"(","port":)" + std::to_string(cluster().port()) + R"(,"database":")" +
         database + R"(","username":"postgres")" + more + "}";
}

asio::awaitable<void> read_log(c::ChangeFeed& feed, std::vector<FeedStream> streams, c::Lsn from, c::Lsn until,
                               c::ChangeQueue& queue) {
  std::exception_ptr error;
  try {
    co_await feed.follow(std::move(streams), from, until, queue);
  } catch (...) {
    error = std::current_exception();
  }
  queue.close_writer(error);
}

// A source database `from`, a destination database `to`, and a slot of their own.
class Mirror {
 public:
  explicit Mirror(SyncMode mode, bool soft_delete = false, std::size_t spool_bytes = 16 << 20)
      : mode_(mode), soft_delete_(soft_delete) {
    static int number = 0;
    ++number;
    from = "from_" + std::to_string(number);
    to = "to_" + std::to_string(number);
    slot = "slot_" + std::to_string(number);
    cluster().create_database(from);
    cluster().create_database(to);
    spool_.memory_bytes = spool_bytes;
  }
  ~Mirror() {
    cluster().psql(
        from, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '" + slot + "'");
  }

  void sql(const std::string& text) { cluster().psql(from, text); }
  std::string ask_source(const std::string& text) { return cluster().query(from, text); }
  std::string ask(const std::string& text) { return cluster().query(to, text); }
  // All rows of a table, in one text.
  std::string rows(const std::string& database, const std::string& table, const std::string& columns = "*") {
    return cluster().query(database, "SELECT x FROM (SELECT " + columns + " FROM " + table + ") x ORDER BY x::text");
  }
  void check_equal(const std::string& table, const std::string& columns) {
    INFO(table);
    CHECK(rows(to, "raw." + table, columns) == rows(from, "public." + table, columns));
  }

  // What a job does: loads those of the tables that were not, then follows all to the end.
  void sync() { run(real, do_sync()); }
  // The next sync loads the table anew.
  void forget(const std::string& table) { loaded_.erase(table); }
  // Only the loads; the source may change before sync().
  void load() { run(real, do_load()); }
  std::string code_of_sync() {
    try {
      sync();
    } catch (const Error& e) {
      detail = std::string(e.what());
      return std::string(e.code());
    }
    return "";
  }

  std::vector<std::string> tables;
  std::string from, to, slot, detail;
  RealRuntime real;
  std::int64_t job = 0;

 private:
  std::unique_ptr<c::Source> source() {
    auto config = c::postgres::source_config(
        configuration(from, R"(,"schemas":["public"],"replication_method":{"method":"CDC","replication_slot":")" +
                                slot + R"(","publication":"pub"})"));
    return std::make_unique<cdc::CdcSource>(real.runtime(), std::move(config), spool_);
  }
  std::unique_ptr<c::Destination> destination() {
    return std::make_unique<c::postgres::PostgresDestination>(
        real.runtime(), c::postgres::destination_config(configuration(to, R"(,"schema":"raw")")));
  }
  c::StreamTarget target_of(const c::Stream& stream) {
    c::StreamTarget t;
    t.connection_id = "connection-1";
    t.source_name = stream.name;
    t.ns = "raw";
    t.name = stream.name.name;
    t.schema = std::make_shared<const c::Schema>(stream.schema);
    t.primary_key = stream.primary_key;
    t.sync_mode = mode_;
    t.metadata_columns = false;
    t.generation = t.load_id = job;
    return t;
  }

  asio::awaitable<void> do_load() {
    ++job;
    auto from_source = source();
    auto into = destination();
    const auto catalog = co_await from_source->discover();
    streams_.clear();
    for (const auto& s : catalog.streams)
      if (std::find(tables.begin(), tables.end(), s.name.name) != tables.end()) streams_.push_back(s);
    for (const auto& stream : streams_) {
      if (loaded_.contains(stream.name.name)) continue;
      c::StreamTarget target = target_of(stream);
      target.sync_mode =
          mode_ == SyncMode::incremental_append ? SyncMode::full_refresh_append : SyncMode::full_refresh_overwrite;
      target.add_keys = mode_ != SyncMode::incremental_append;
      target.schema = std::make_shared<const c::Schema>(c::with_change_columns(stream.schema, mode_, soft_delete_));
      c::ConfiguredStream wanted;
      wanted.name = stream.name;
      wanted.schema = target.schema;
      wanted.sync_mode = target.sync_mode;
      wanted.primary_key = stream.primary_key;
      c::PlanOptions options;
      options.rows_per_split = 100;
      const auto plan = co_await from_source->plan(wanted, options);
      auto writer = co_await into->open_stream(target, "token-" + std::to_string(job), 1);
      std::int64_t total = 0;
      std::vector<std::string> ids;
      for (const auto& split : plan.splits) {
        ids.push_back(split.id);
        total += co_await copy_split(real.runtime(), *from_source, *writer, wanted, split);
      }
      co_await writer->finish(ids, total);
      target.state = plan.state;
      co_await into->publish(target);
      loaded_.insert(stream.name.name);
    }
    co_await from_source->close();
    co_await into->close();
  }

  asio::awaitable<void> do_sync() {
    co_await do_load();
    auto from_source = source();
    auto into = destination();
    c::ChangeTarget target;
    target.connection_id = "connection-1";
    target.generation = job;
    std::vector<FeedStream> feeds;
    for (const auto& stream : streams_) {
      c::ChangeStreamTarget one;
      one.target = target_of(stream);
      one.soft_delete = soft_delete_;
      target.streams.push_back(one);
      FeedStream feed;
      feed.stream.name = stream.name;
      feed.stream.schema = one.target.schema;
      feed.stream.sync_mode = mode_;
      feed.stream.primary_key = stream.primary_key;
      for (const auto& f : stream.schema.fields) feed.all_fields.push_back(f.name);
      feeds.push_back(std::move(feed));
    }
    auto feed = from_source->change_feed();
    auto writer = co_await into->open_changes(target, "changes-" + std::to_string(job), 1);
    std::vector<bool> fresh;
    for (std::size_t i = 0; i < feeds.size(); ++i) {
      feeds[i].state = writer->load_state(i);
      fresh.push_back(writer->fresh(i));
    }
    const auto now = co_await feed->now();
    auto position = co_await feed->start(writer->position(), feeds, fresh);
    co_await writer->begin(position, now.lsn);
    for (std::size_t i = 0; i < feeds.size(); ++i) feeds[i].settled = writer->settled(i);
    c::ChangeQueue queue;
    TaskGroup group(real.runtime());
    group.spawn("reader", read_log(*feed, feeds, position.lsn, now.lsn, queue));
    std::exception_ptr error;
    try {
      while (auto batch = co_await queue.read()) {
        co_await writer->write(*batch);
        if (batch->boundary == 0) continue;
        position.lsn = batch->boundary;
        co_await writer->commit(position);
        feed->confirm(position.lsn);
      }
    } catch (...) {
      error = std::current_exception();
    }
    queue.close_reader();
    co_await group.stop();
    co_await writer->abort();
    co_await feed->close();
    co_await from_source->close();
    co_await into->close();
    if (error) std::rethrow_exception(error);
  }

  SyncMode mode_;
  bool soft_delete_;
  cdc::SpoolOptions spool_;
  std::vector<c::Stream> streams_;
  std::set<std::string> loaded_;
};

}  // namespace

TEST_CASE("inserts, updates, deletes, key changes and truncates arrive, and what the log left out stays (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a", "b"};
  m.sql(
      "CREATE TABLE a (id int PRIMARY KEY, n numeric, big text, at timestamptz); ALTER TABLE a ALTER big SET STORAGE "
      "EXTERNAL;"
      "INSERT INTO a SELECT g, g / 4.0, repeat('x', 5000), '2020-01-01'::timestamptz + g * interval '1 day' FROM "
      "generate_series(1, 300) g;"
      "CREATE TABLE b (k text, v int, PRIMARY KEY (k, v)); INSERT INTO b VALUES ('one', 1), ('two', 2);");
  m.sync();
  m.check_equal("a", "id, n, md5(big), at");
  m.check_equal("b", "k, v");
  m.sql(
      "UPDATE a SET n = NULL WHERE id % 3 = 0; DELETE FROM a WHERE id % 7 = 0; UPDATE a SET id = id + 1000 WHERE id < "
      "20;"
      "INSERT INTO a VALUES (5000, 'NaN', NULL, 'infinity'); INSERT INTO b VALUES ('three', -3);"
      "BEGIN; UPDATE a SET id = -1 WHERE id = 30; UPDATE a SET id = 30 WHERE id = 31; UPDATE a SET id = 31 WHERE id = "
      "-1; COMMIT;"
      "UPDATE b SET v = 22 WHERE k = 'two';");
  m.sync();
  m.check_equal("a", "id, n, md5(big), at");
  m.check_equal("b", "k, v");
  m.sql("BEGIN; TRUNCATE b; INSERT INTO b VALUES ('four', 4); COMMIT; BEGIN; DELETE FROM a; ROLLBACK;");
  m.sync();
  m.check_equal("a", "id, n, md5(big), at");
  m.check_equal("b", "k, v");
  CHECK(m.ask("SELECT count(*) FROM raw.a WHERE _lsn IS NULL") == "0");
}

TEST_CASE("what changes between the load and the log is neither lost nor doubled (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql(
      "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a SELECT g, 0 FROM generate_series(1, 1000) g; ANALYZE "
      "a");
  m.load();
  m.sql(
      "UPDATE a SET v = 1 WHERE id < 500; DELETE FROM a WHERE id BETWEEN 400 AND 600; INSERT INTO a VALUES (450, 9); "
      "UPDATE a SET id = -id WHERE id > 900");
  m.sync();
  m.check_equal("a", "id, v");
}

TEST_CASE("a large open transaction is streamed, spilled and applied whole, without its aborted parts (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history, false, 10'000);
  m.tables = {"a"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY, v text)");
  m.sync();
  m.sql(
      "BEGIN; INSERT INTO a SELECT g, repeat('v', 100) FROM generate_series(1, 5000) g; SAVEPOINT s;"
      "INSERT INTO a SELECT g, repeat('w', 100) FROM generate_series(5001, 9000) g; ROLLBACK TO s;"
      "SAVEPOINT t; UPDATE a SET v = 't' WHERE id % 2 = 0; RELEASE t; DELETE FROM a WHERE id < 10; COMMIT;"
      "BEGIN; INSERT INTO a SELECT g, repeat('z', 100) FROM generate_series(20001, 24000) g; ROLLBACK");
  m.sync();
  m.check_equal("a", "id, v");
  CHECK(m.ask("SELECT count(*) FROM raw.a") == "4991");
}

TEST_CASE("two-phase transactions arrive when they are committed (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY)");
  m.sync();
  m.sql(
      "BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION 'one'; BEGIN; INSERT INTO a VALUES (2); PREPARE "
      "TRANSACTION 'two'; INSERT INTO a VALUES (3)");
  m.sync();
  CHECK(m.rows(m.to, "raw.a", "id") == "(3)");
  m.sql("COMMIT PREPARED 'one'; ROLLBACK PREPARED 'two'");
  m.sync();
  m.check_equal("a", "id");
}

TEST_CASE("a log of changes has each change once, with its operation, place and time (PostgreSQL)") {
  Mirror m(SyncMode::incremental_append);
  m.tables = {"a"};
  m.sql(
      "CREATE TABLE a (id int PRIMARY KEY, v text, big text); ALTER TABLE a ALTER big SET STORAGE EXTERNAL; INSERT "
      "INTO a VALUES (1, 'x', repeat('b', 9000)), (2, 'y', 's')");
  m.sync();
  CHECK(m.rows(m.to, "raw.a", "id, v, _op, _seq") == "(1,x,r,0)\n(2,y,r,0)");
  m.sql(
      "BEGIN; UPDATE a SET v = 'x2' WHERE id = 1; DELETE FROM a WHERE id = 2; INSERT INTO a VALUES (3, 'z', 'q'); "
      "COMMIT; TRUNCATE a");
  m.sync();
  m.sync();
  CHECK(m.rows(m.to, "raw.a WHERE _op <> 'r'", "_op, _seq, id, v, big, _unchanged") ==
        "(c,3,3,z,q,)\n(d,2,2,,,)\n(t,1,,,,)\n(u,1,1,x2,,{big})");
  CHECK(m.ask("SELECT count(DISTINCT _lsn), count(*) FROM raw.a WHERE _op <> 'r'") == "2|4");
  CHECK(m.ask("SELECT count(*) FROM raw.a WHERE _committed_at NOT BETWEEN now() - interval '1 hour' AND now() + "
              "interval '1 minute'") == "0");
}

TEST_CASE("with soft deletes a removed row stays, marked, and comes back unmarked (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history, true);
  m.tables = {"a"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 1), (2, 2), (3, 3)");
  m.sync();
  m.sql("DELETE FROM a WHERE id < 3");
  m.sync();
  CHECK(m.rows(m.to, "raw.a", "id, v, _deleted_at IS NOT NULL AS gone") == "(1,1,t)\n(2,2,t)\n(3,3,f)");
  m.sql("INSERT INTO a VALUES (1, 11)");
  m.sync();
  CHECK(m.rows(m.to, "raw.a", "id, v, _deleted_at IS NOT NULL AS gone") == "(1,11,f)\n(2,2,t)\n(3,3,f)");
}

TEST_CASE("a table that joins later is loaded while the others go on (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO "
      "b VALUES (1)");
  m.sync();
  m.sql("INSERT INTO a VALUES (2); INSERT INTO b VALUES (2)");
  m.tables = {"a", "b"};
  m.sync();
  m.sql("INSERT INTO a VALUES (3); INSERT INTO b VALUES (3); DELETE FROM b WHERE id = 1");
  m.sync();
  m.check_equal("a", "id");
  m.check_equal("b", "id");
}

TEST_CASE("a stream that was left out while the position moved on needs a new load (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a", "b"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)");
  m.sync();
  m.sql("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)");
  m.tables = {"a"};
  m.sync();
  m.check_equal("a", "id");
  m.tables = {"a", "b"};
  CHECK(m.code_of_sync() == "cdc.gap");
  CHECK(m.detail.find("public.b") != std::string::npos);
  m.forget("b");
  m.sync();
  m.check_equal("a", "id");
  m.check_equal("b", "id");
}

TEST_CASE("types whose binary form depends on the cluster come as text (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql(
      "CREATE TYPE mood AS ENUM ('ok', 'so so'); CREATE TYPE pair AS (x int, y text); CREATE DOMAIN positive AS int "
      "CHECK (value > 0);"
      "CREATE TABLE a (id int PRIMARY KEY, m mood, ms mood[], p pair, d positive, ds positive[], j jsonb, b bytea, f "
      "float8, i interval, t text)");
  m.sql(
      "INSERT INTO a VALUES (1, 'ok', '{ok,\"so so\"}', '(1,\"a b\")', 5, '{1,2}', '{\"a\": [1, null]}', '\\x00ff5c', "
      "1.1, '1 mon 2 days 03:04:05.000006', E'tab\\tline\\nback\\\\slash')");
  m.sync();
  m.sql(
      "INSERT INTO a SELECT 2, m, ms, p, d, ds, j, b, 'NaN', '-1 day', t FROM a; INSERT INTO a (id) VALUES (3); UPDATE "
      "a SET m = 'so so', ms = '{}' WHERE id = 1");
  m.sync();
  m.check_equal("a", "id, m::text, ms::text, p::text, d, ds::text, j, b, f, i, t");
}

TEST_CASE(
    "a slot that was dropped, made again or moved past our position stops the job and tells both ends (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
  m.sync();
  m.sql("SELECT pg_drop_replication_slot('" + m.slot + "')");
  CHECK(m.code_of_sync() == "cdc.slot_lost");
  m.sql("INSERT INTO a VALUES (2); SELECT pg_create_logical_replication_slot('" + m.slot +
        "', 'pgoutput'); INSERT INTO a VALUES (3)");
  CHECK(m.code_of_sync() == "cdc.gap");
  CHECK(m.detail.find(m.ask("SELECT lsn FROM millrace.cdc")) != std::string::npos);
  CHECK(m.detail.find(m.ask_source("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" + m.slot +
                                   "'")) != std::string::npos);
  CHECK(m.rows(m.to, "raw.a", "id") == "(1)");
}

TEST_CASE("a new column stops reading before its first row, and the next look goes on with it (PostgreSQL)") {
  Mirror m(SyncMode::incremental_deduped_history);
  m.tables = {"a"};
  m.sql("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
  m.sync();
  m.sql(
      "INSERT INTO a VALUES (2); ALTER TABLE a ADD COLUMN v int; INSERT INTO a VALUES (3, 33); ALTER TABLE a ADD "
      "COLUMN w int; ALTER TABLE a DROP COLUMN w; INSERT INTO a VALUES (4, 44)");
  m.sync();
  m.check_equal("a", "id, v");
}
