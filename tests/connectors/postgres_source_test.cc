#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/postgres/connector.h"
#include "tests/connectors/postgres_fixture.h"

namespace millrace::test {
namespace {

c::CheckResult check_source(const std::string& database, const std::string& more = "") {
  return run(runtime(), postgres_source(database, more)->check());
}

c::CheckResult check_with(std::function<void(c::postgres::PostgresConfig&)> change, bool destination = false) {
  static const std::string db = new_database();
  auto config =
      destination ? c::postgres::destination_config(configuration(db)) : c::postgres::source_config(configuration(db));
  change(config);
  if (destination) return run(runtime(), c::postgres::PostgresDestination(runtime().runtime(), config).check());
  return run(runtime(), c::postgres::PostgresSource(runtime().runtime(), config).check());
}

std::string config_code(const std::string& json) {
  return code_of([&] { c::postgres::source_config(json); });
}

const std::string kBase = R"({"host":"db.internal","port":5432,"database":"shop","username":"u","password":"p")";

}  // namespace

TEST_CASE("check tells the ways of failing apart, with a remedy each") {
  const auto expect = [](const c::CheckResult& r, const std::string& code) {
    CHECK_FALSE(r.ok);
    CHECK(r.code == code);
    CHECK_FALSE(r.message.empty());
    CHECK_FALSE(r.remedy.empty());
    CHECK(r.message.find("topsecret") == std::string::npos);
  };
  cluster().psql("postgres",
                 "drop role if exists weak; create role weak login; drop role if exists locked2; create role locked2 "
                 "login password 'right'");
  for (const bool destination : {false, true}) {
    expect(check_with([](auto& c) { c.parameters.host = "no-such-host.invalid"; }, destination),
           "postgres.unknown_host");
    expect(check_with([](auto& c) { c.parameters.port = 1; }, destination), "postgres.unreachable");
    expect(check_with([](auto& c) { c.parameters.database = "nowhere"; }, destination), "postgres.database_missing");
    expect(check_with(
               [](auto& c) {
                 c.parameters.host = "127.0.0.1";
                 c.parameters.sslmode = "require";
               },
               destination),
           "postgres.tls_refused");
  }
  cluster().set_hba("local all locked2 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n");
  expect(check_with([](auto& c) {
           c.parameters.user = "locked2";
           c.parameters.password = "topsecret";
         }),
         "postgres.auth_failed");
  cluster().set_hba("local all all trust\nhost all all 127.0.0.1/32 trust\n");

  const auto db = new_database();
  CHECK(check_source(db).ok);
  CHECK_FALSE(check_source(db).warnings.empty());  // no tables yet
  expect(check_source(db, R"(,"schemas":["missing"])"), "postgres.object_missing");
  cluster().psql(db, "create schema hidden; create table hidden.t (a int)");
  auto weak = c::postgres::source_config(configuration(db));
  weak.parameters.user = "weak";
  expect(run(runtime(), c::postgres::PostgresSource(runtime().runtime(), weak).check()), "postgres.permission_denied");
  weak.schemas = {"hidden"};
  expect(run(runtime(), c::postgres::PostgresSource(runtime().runtime(), weak).check()), "postgres.permission_denied");
  auto writer = c::postgres::destination_config(configuration(db));
  writer.parameters.user = "weak";
  expect(run(runtime(), c::postgres::PostgresDestination(runtime().runtime(), writer).check()),
         "postgres.permission_denied");
  CHECK(run(runtime(), postgres_destination(db)->check()).ok);
}

TEST_CASE("discover finds tables, views and partitioned tables, with keys and sizes, and nothing of the system") {
  const auto db = new_database();
  cluster().psql(
      db,
      "create schema a; create schema millrace; create table millrace.meta (x int); create table a.t (x int, y text "
      "not null, primary key (y, x)); "
      "insert into a.t select g, g::text from generate_series(1, 1000) g; create view a.v as select * from a.t; create "
      "materialized view a.m as select * from a.t; "
      "create table a.p (id int) partition by range (id); create table a.p1 partition of a.p for values from (0) to "
      "(10); insert into a.p values (1); "
      "create table public.\"Odd \"\"name\" (\"Col \"\"x\" int); create table child () inherits (a.t); analyze");
  const auto all = run(runtime(), postgres_source(db)->discover());
  std::string names;
  for (const auto& s : all.streams) names += s.name.text() + " ";
  CHECK(names == "a.m a.p a.t a.v public.Odd \"name public.child ");
  const auto t = find_stream(all, "a", "t");
  CHECK(t.primary_key == std::vector<std::string>{"y", "x"});
  CHECK(t.rows_estimate == 1'000);
  CHECK(t.bytes_estimate > 8'192);
  CHECK(t.schema.fields[0].source_id == 1);
  CHECK(t.schema.fields[0].nullable == false);
  CHECK(find_stream(all, "a", "v").is_view);
  CHECK(find_stream(all, "a", "p").rows_estimate == 1);
  CHECK(run(runtime(), postgres_source(db, R"(,"schemas":["public"])")->discover()).streams.size() == 2);
}

TEST_CASE("rows of an inheriting table are not read with their parent") {
  const auto db = new_database();
  cluster().psql(db,
                 "create table parent (a int); create table child () inherits (parent); insert into parent values (1); "
                 "insert into child values (2)");
  auto source = postgres_source(db);
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "parent"));
  CollectingSink sink;
  for (const auto& s : run(runtime(), source->plan(stream, {})).splits)
    run(runtime(), source->read(stream, s, std::nullopt, sink));
  CHECK(sink.rows == 1);
}

TEST_CASE("a table that changed its shape after discover is not read") {
  const auto db = new_database();
  cluster().psql(db, "create type mood as enum ('a'); create table t (a int, b mood)");
  auto source = postgres_source(db);
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "t"));
  const auto plan = run(runtime(), source->plan(stream, {}));
  CollectingSink sink;
  const auto code = [&] {
    return code_of([&] { run(runtime(), source->read(stream, plan.splits[0], std::nullopt, sink)); });
  };
  CHECK(code().empty());
  cluster().psql(db, "alter table t add column c int");
  CHECK(code().empty());  // one more is no matter for those that are selected
  cluster().psql(db, "alter table t alter column a type bigint");
  CHECK(code() == "connector.schema_changed");
  cluster().psql(db, "alter table t drop column a");
  CHECK(code() == "connector.schema_changed");
  cluster().psql(db, "drop table t");
  CHECK(code() == "connector.schema_changed");
}

TEST_CASE("key ranges see every row that nobody touches exactly once, with a writer beside them") {
  const auto db = new_database();
  cluster().psql(db,
                 "create table t (id int primary key, v int, pad text); insert into t select g, 0, repeat('x', 100) "
                 "from generate_series(1, 60000) g; analyze t; "
                 "create table stop (x int); create procedure churn() language plpgsql as 'declare i int := 0; begin "
                 "loop i := i + 1; "
                 "update t set v = v + 1, pad = repeat(''y'', 100 + i % 300) where id % 10 = 3 and id between (i * "
                 "997) % 60000 and (i * 997) % 60000 + 2000; "
                 "delete from t where id % 10 = 7 and id between (i * 499) % 60000 and (i * 499) % 60000 + 500; insert "
                 "into t values (100000 + i, 0, ''new''); commit; "
                 "exit when exists (select from stop); end loop; end'");
  auto source = postgres_source(db);
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "t"));
  c::PlanOptions options;
  options.rows_per_split = 5'000;
  const auto plan = run(runtime(), source->plan(stream, options));
  REQUIRE(plan.splits.size() >= 8);
  CHECK(plan.consistency == c::Consistency::key_ranges);
  RealRuntime other;
  auto writer = other.runtime().start_thread("writer", [&] { cluster().psql(db, "call churn()"); });
  std::map<std::int32_t, int> seen;
  for (int round = 0; round < 3; ++round) {
    seen.clear();
    for (const auto& split : plan.splits) {
      CollectingSink sink;
      run(runtime(), source->read(stream, split, std::nullopt, sink));
      run(runtime(), [](std::string name) -> asio::awaitable<void> {
        co_await runtime().runtime().blocking([&] { cluster().psql(name, "vacuum t"); });
      }(db));
      for (const auto& batch : sink.batches) {
        c::RowReader reader(batch);
        std::vector<c::RowReader::FieldView> fields;
        while (reader.next(fields)) ++seen[from_big_endian<std::int32_t>(fields[0].bytes.data())];
      }
    }
    int wrong = 0;
    for (std::int32_t id = 1; id <= 60'000; ++id)
      if (id % 10 != 7 && seen[id] != 1) ++wrong;
    CHECK(wrong == 0);
  }
  cluster().psql(db, "insert into stop values (1)");
  writer.reset();
}

TEST_CASE("a lost snapshot says so, and a new plan reads the table") {
  const auto db = new_database();
  cluster().psql(db, "create table t (a int); insert into t select generate_series(1, 100000); analyze t");
  auto source = postgres_source(db);
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "t"));
  c::PlanOptions options;
  options.parallel = 2;
  auto plan = run(runtime(), source->plan(stream, options));
  REQUIRE(plan.splits.size() > 1);
  CHECK_FALSE(plan.resumable);
  cluster().psql(db,
                 "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and "
                 "pid <> pg_backend_pid()");
  auto later = postgres_source(db);
  CollectingSink sink;
  CHECK(code_of([&] { run(runtime(), later->read(stream, plan.splits[0], std::nullopt, sink)); }) ==
        "connector.snapshot_lost");
  plan = run(runtime(), later->plan(stream, options));
  for (const auto& s : plan.splits) run(runtime(), later->read(stream, s, std::nullopt, sink));
  CHECK(sink.rows == 100'000);
}

TEST_CASE("one snapshot is one moment: what comes later is not in it, and nobody can truncate under it") {
  const auto db = new_database();
  cluster().psql(db, "create table t (a int primary key); insert into t select generate_series(1, 100000); analyze t");
  auto source = postgres_source(db, R"(,"read_method":"snapshot")");
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "t"));
  c::PlanOptions options;
  options.parallel = 2;
  const auto plan = run(runtime(), source->plan(stream, options));
  CHECK(plan.consistency == c::Consistency::one_snapshot);
  cluster().psql(db, "delete from t where a <= 50000; insert into t select generate_series(200000, 300000)");
  CHECK_THROWS(cluster().psql(db, "set lock_timeout = 100; truncate t"));
  CollectingSink sink;
  for (const auto& s : plan.splits) run(runtime(), source->read(stream, s, std::nullopt, sink));
  CHECK(sink.rows == 100'000);
  run(runtime(), source->close());
  cluster().psql(db, "set lock_timeout = 5000; truncate t");
}

TEST_CASE("a view, which has no ranges, comes whole") {
  const auto db = new_database();
  cluster().psql(db,
                 "create table t (a int); insert into t select generate_series(1, 1000); create view v as select a, "
                 "a::text b from t where a > 10");
  auto source = postgres_source(db);
  const auto stream = configured(find_stream(run(runtime(), source->discover()), "public", "v"));
  const auto plan = run(runtime(), source->plan(stream, {}));
  REQUIRE(plan.splits.size() == 1);
  CollectingSink sink;
  run(runtime(), source->read(stream, plan.splits[0], std::nullopt, sink));
  CHECK(sink.rows == 990);
}

TEST_CASE("a pasted Airbyte configuration is taken, what can't be done is refused by its own code") {
  const auto ok = c::postgres::source_config(
      kBase +
      R"(,"schemas":["public"],"ssl_mode":{"mode":"verify-full","ca_certificate":"PEM"},"tunnel_method":{"tunnel_method":"NO_TUNNEL"},
    "replication_method":{"method":"Standard"},"jdbc_url_params":"prepareThreshold=0&connectTimeout=7&ApplicationName=x","checkpoint_target_interval_seconds":300,
    "check_privileges":true,"max_db_connections":5,"entra_service_principal_auth":false,"sourceType":"postgres"})");
  CHECK(ok.parameters.sslmode == "verify-full");
  CHECK(ok.parameters.ssl_root_cert_file.starts_with("/proc/self/fd/"));
  CHECK(ok.parameters.connect_timeout == std::chrono::seconds(7));
  CHECK(ok.parameters.options.at("application_name") == "x");
  CHECK(ok.warnings.size() == 3);
  CHECK(c::postgres::source_config(kBase + "}").parameters.sslmode == "require");
  CHECK(
      c::postgres::source_config(R"({"host":"127.0.0.1","port":1,"database":"d","username":"u"})").parameters.sslmode ==
      "prefer");
  CHECK(c::postgres::source_config(R"({"host":"/tmp","port":1,"database":"d","username":"u"})").parameters.sslmode ==
        "prefer");

  CHECK(config_code(kBase + R"(,"tunnel_method":{"tunnel_method":"SSH_KEY_AUTH","tunnel_host":"h"}})") ==
        "postgres.tunnel_unavailable");
  // Taken; the plain source is not made of it (the room cdc/ has its own).
  CHECK(config_code(kBase + R"(,"replication_method":{"method":"CDC","replication_slot":"s","publication":"p"}})") ==
        "");
  CHECK(config_code(kBase + R"(,"replication_method":{"method":"CDC","replication_slot":"s"}})") ==
        "connector.config_invalid");
  CHECK(config_code(kBase +
                    R"(,"replication_method":{"method":"CDC","replication_slot":"No-slot","publication":"p"}})") ==
        "connector.config_invalid");
  CHECK(
      config_code(
          kBase +
          R"(,"replication_method":{"method":"CDC","replication_slot":"s","publication":"p","plugin":"wal2json"}})") ==
      "connector.config_invalid");
  CHECK(config_code(kBase + R"(,"replication_method":{"method":"Xmin"}})").empty());
  CHECK(config_code(kBase + R"(,"jdbc_url_params":"evil=1"})") == "postgres.jdbc_parameter_unknown");
  CHECK(config_code(kBase + R"(,"ssl_mode":{"mode":"sometimes"}})") == "connector.config_invalid");
  CHECK(config_code(kBase + R"(,"read_method":"psychic"})") == "connector.config_invalid");
  CHECK(config_code("[]") == "connector.config_invalid");
  CHECK(config_code("{") == "connector.config_invalid");
  CHECK(config_code(R"({"host":"h"})") == "connector.config_invalid");

  const auto connector = c::postgres::connector();
  const auto spec = nlohmann::json::parse(connector.source_spec);
  CHECK(spec["required"] == nlohmann::json::array({"host", "port", "database", "username"}));
  CHECK(spec["properties"]["password"]["airbyte_secret"] == true);
  CHECK(nlohmann::json::parse(connector.destination_spec)["properties"]["schema"]["default"] == "public");
  const auto from_url =
      nlohmann::json::parse(connector.configuration_from_url("postgres://u:p@h:1/d?schema=s&application_name=a", true));
  CHECK(from_url["schemas"] == nlohmann::json::array({"s"}));
  CHECK(from_url["ssl_mode"]["mode"] == "prefer");
  CHECK(code_of([&] { c::postgres::source_config(from_url.dump()); }).empty());
}

}  // namespace millrace::test
