// The whole job on real data: PostgreSQL to PostgreSQL and datagen to PostgreSQL, through engine and RocksDB.
#include "state/rocksdb_store.h"
#include "tests/support/pg_cluster.h"
#include "tests/workflows/server_in_process.h"

using namespace millrace;
using namespace millrace::test;
using nlohmann::json;
using resources::Kind;
using workflows::JobRequest;

namespace {

PgCluster& cluster() {
  static PgCluster the_one;
  return the_one;
}

class PostgresFixture {
 public:
  PostgresFixture() {
    static int number = 0;
    ++number;
    from = "from_" + std::to_string(number);
    to = "to_" + std::to_string(number);
    cluster().create_database(from);
    cluster().create_database(to);
    open();
    server->create(Kind::source, {{"name", "pg"}, {"connector", "postgres"}, {"configuration", configuration(from)}});
    auto destination = configuration(to);
    destination["schema"] = "raw";
    server->create(Kind::destination, {{"name", "dw"}, {"connector", "postgres"}, {"configuration", destination}});
  }
  ~PostgresFixture() { close(); }

  void open() {
    store = state::open_rocksdb_store(real.runtime(), state::RocksDbOptions(dir.file("state")));
    auto registry = std::make_shared<connectors::Registry>();
    connectors::register_all(*registry);
    server = std::make_unique<ServerInProcess>(real, store, registry, dir.file("key"));
  }
  void close() {
    server.reset();
    store->close();
    store.reset();
  }
  json configuration(const std::string& database) {
    return {{"host", cluster().host()}, {"port", cluster().port()}, {"database", database}, {"username", "postgres"}};
  }
  JobRequest sync(const std::string& connection) {
    JobRequest request;
    request.connection_id = connection;
    return request;
  }

  RealRuntime real;
  TempDir dir;
  std::string from, to;
  std::shared_ptr<state::Store> store;
  std::unique_ptr<ServerInProcess> server;
};

constexpr const char* kTables =
    "create table orders (id bigint primary key, customer int not null, amount numeric(12,2), note text, at "
    "timestamptz);"
    "insert into orders select g, g % 100, g / 100.0, case when g % 7 = 0 then null else md5(g::text) end, timestamptz "
    "'2020-01-01' + g * interval '1 second' "
    "from generate_series(1, 30000) g;"
    "create table log (line text);"
    "insert into log select 'line ' || g from generate_series(1, 5000) g;"
    "create table empty (id int primary key);"
    "analyze";

}  // namespace

TEST_CASE_METHOD(PostgresFixture, "tables arrive equal, in splits, and again after the source has changed") {
  cluster().psql(from, kTables);
  const auto connection = server->create(Kind::connection, {{"name", "c"}, {"source", "pg"}, {"destination", "dw"}});
  auto request = sync(connection);
  request.options.rows_per_split = 5'000;
  auto job = server->finish(server->start(request));
  INFO(job.dump(2));
  REQUIRE(job["status"] == "succeeded");
  CHECK(job["rowsSynced"] == 35'000);
  CHECK(job["streams"].size() == 3);
  const std::string digest = "select count(*), md5(string_agg(t::text, ',' order by t::text)) from ";
  for (const char* table : {"orders", "log", "empty"})
    CHECK(cluster().query(from, digest + table + " t") == cluster().query(to, digest + "raw." + table + " t"));
  for (const auto& s : job["streams"])
    if (s["name"] == "orders") {
      CHECK(s["splits"]["total"].get<int>() > 1);
      CHECK(s["consistency"] == "key_ranges");
    }

  cluster().psql(from,
                 "update orders set amount = amount + 1 where id % 3 = 0; delete from orders where id % 10 = 0; insert "
                 "into log values ('more')");
  job = server->finish(server->start(request));
  REQUIRE(job["status"] == "succeeded");
  for (const char* table : {"orders", "log", "empty"})
    CHECK(cluster().query(from, digest + table + " t") == cluster().query(to, digest + "raw." + table + " t"));
  CHECK(json::parse(run(real, server->jobs->verify_json(job["jobId"])))["divergence"].is_null());
}

TEST_CASE_METHOD(PostgresFixture,
                 "datagen to PostgreSQL, some fields, under a prefix and in a namespace of its own format") {
  server->create(Kind::source,
                 {{"name", "gen"}, {"connector", "datagen"}, {"configuration", {{"rows", 20'000}, {"streams", 1}}}});
  const auto connection = server->create(
      Kind::connection, {{"name", "c"},
                         {"source", "gen"},
                         {"destination", "dw"},
                         {"prefix", "p_"},
                         {"namespaceDefinition", "custom_format"},
                         {"namespaceFormat", "made"},
                         {"configurations", {{"streams", {{{"name", "*"}, {"selectedFields", {"id"}}}}}}}});
  const auto job = server->finish(server->start(sync(connection)));
  INFO(job.dump(2));
  REQUIRE(job["status"] == "succeeded");
  const std::string table = "made.p_" + job["streams"][0]["name"].get<std::string>();
  CHECK(cluster().query(to, "select count(*), count(distinct id) from " + table) == "20000|20000");
}

TEST_CASE_METHOD(PostgresFixture, "a table that is somebody else's fails alone and is not touched; adopt takes it") {
  cluster().psql(from, kTables);
  cluster().psql(to, "create schema raw; create table raw.log (other int); insert into raw.log values (1)");
  const auto connection = server->create(Kind::connection, {{"name", "c"}, {"source", "pg"}, {"destination", "dw"}});
  auto job = server->finish(server->start(sync(connection)));
  INFO(job.dump(2));
  CHECK(job["status"] == "failed");
  CHECK(job["partial"] == true);
  CHECK(job["failure"]["code"] == "destination.not_ours");
  CHECK(cluster().query(to, "select other from raw.log") == "1");
  CHECK(cluster().query(to, "select count(*) from raw.orders") == "30000");
  auto request = sync(connection);
  request.only_failed = true;
  request.options.adopt = true;
  job = server->finish(server->start(request));
  INFO(job.dump(2));
  CHECK(job["status"] == "succeeded");
  CHECK(cluster().query(to, "select count(*) from raw.log") == "5000");
  CHECK(cluster().query(to, "select other from raw.log__before") == "1");
}

TEST_CASE_METHOD(PostgresFixture,
                 "a server that drains in the midst of a sync goes on where it stopped, and reads no split again") {
  cluster().psql(from, kTables);
  const auto connection = server->create(Kind::connection, {{"name", "c"}, {"source", "pg"}, {"destination", "dw"}});
  auto request = sync(connection);
  request.options.rows_per_split = 1'000;
  request.options.splits_parallel = 1;
  request.options.streams_parallel = 1;
  const auto id = server->start(request);
  // Until the first split is durable.
  for (;;) {
    const auto seen = server->job(id);
    std::int64_t committed = 0;
    for (const auto& s : seen["streams"]) committed += s["splits"]["complete"].get<std::int64_t>();
    if (committed > 0 || seen["status"] != "running") break;
  }
  close();
  open();
  const auto job = server->finish(id);
  INFO(job.dump(2));
  REQUIRE(job["status"] == "succeeded");
  CHECK(job["rowsSynced"] == 35'000);
  CHECK(cluster().query(to, "select count(*) from raw.orders") == "30000");
  CHECK(cluster().query(
            to, "select count(distinct split_id) = count(*) from millrace.checkpoints where stream_name = 'orders'") ==
        "t");
}

TEST_CASE_METHOD(PostgresFixture, "a table that vanished fails its stream by name") {
  cluster().psql(from, kTables);
  const auto connection = server->create(
      Kind::connection,
      {{"name", "c"},
       {"source", "pg"},
       {"destination", "dw"},
       {"configurations",
        {{"streams", {{{"namespace", "public"}, {"name", "orders"}}, {{"namespace", "public"}, {"name", "gone"}}}}}}});
  const auto job = server->finish(server->start(sync(connection)));
  INFO(job.dump(2));
  CHECK(job["status"] == "failed");
  CHECK(job["partial"] == true);
  CHECK(job["failure"]["code"] == "stream.not_found");
}

TEST_CASE_METHOD(PostgresFixture, "a database that does not exist is told by check and by the sync") {
  auto wrong = configuration("no_such_database");
  const auto source =
      server->create(Kind::source, {{"name", "wrong"}, {"connector", "postgres"}, {"configuration", wrong}});
  const auto check = run(real, server->jobs->start_check(Kind::source, source, resources::Principal()));
  server->finish(check);
  const auto result = json::parse(run(real, server->jobs->result_json(check)));
  CHECK(result["status"] == "failed");
  CHECK(result["code"] == "postgres.database_missing");
  const auto connection = server->create(Kind::connection, {{"name", "c"}, {"source", "wrong"}, {"destination", "dw"}});
  const auto job = server->finish(server->start(sync(connection)));
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["code"] == "postgres.database_missing");
}
