#include "net/postgres.h"

#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "common/task_group.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"

namespace millrace::net {
namespace {

using test::run;

test::PgCluster& cluster() {
  static test::PgCluster instance;
  return instance;
}
RealRuntime& runtime() {
  static RealRuntime instance;
  return instance;
}

PostgresParameters parameters(const std::string& host = cluster().host()) {
  PostgresParameters p;
  p.host = host;
  p.port = cluster().port();
  p.database = "postgres";
  p.user = cluster().user();
  return p;
}

std::unique_ptr<PostgresSession> connect(const PostgresParameters& p = parameters()) {
  return run(runtime(), connect_postgres(runtime().runtime(), p));
}

std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return "";
}

std::string connect_code(const PostgresParameters& p) {
  return code_of([&] { connect(p); });
}

PostgresResult query(PostgresSession& s, const std::string& sql,
                     const std::vector<std::optional<std::string>>& values = {}) {
  return run(runtime(), s.query(sql, values));
}

// All rows of a COPY, in pieces of `want` bytes.
std::pair<std::string, std::uint32_t> copy_out(PostgresSession& s, const std::string& sql, std::size_t want) {
  run(runtime(), s.copy_out_begin(sql));
  std::vector<char> out;
  std::uint32_t rows = 0;
  while (run(runtime(), s.copy_out_read_rows(out, want, rows))) {
  }
  return {std::string(out.begin(), out.end()), rows};
}

// In one coroutine: from the test's thread each write would be a journey to the pool and back.
asio::awaitable<void> write_in_pieces(PostgresSession& s, const std::string& bytes, std::size_t size) {
  for (std::size_t at = 0; at < bytes.size(); at += size)
    co_await s.copy_in_write(std::string_view(bytes).substr(at, size));
}

}  // namespace

TEST_CASE("a query takes parameters and gives rows as text, null apart from empty") {
  auto s = connect();
  const auto r = query(*s, "select $1::text as a, $2::int + 1 as b, null as c, '' as d", {"x'y", "41"});
  REQUIRE(r.columns == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(r.at(0, 0) == "x'y");
  CHECK(r.at(0, 1) == "42");
  CHECK_FALSE(r.rows[0][2].has_value());
  CHECK(r.rows[0][3] == "");
  CHECK(s->server_version() >= 150000);
  CHECK(s->backend_pid() > 0);
  CHECK(s->parameter_status("client_encoding") == "UTF8");
}

TEST_CASE("a statement that fails leaves the session usable and says why") {
  auto s = connect();
  try {
    query(*s, "select * from no_such_table");
    FAIL("no error");
  } catch (const PostgresError& e) {
    CHECK(e.code() == "postgres.object_missing");
    CHECK(e.sqlstate() == "42P01");
    CHECK(e.detail().find("no_such_table") != std::string::npos);
  }
  CHECK(s->usable());
  CHECK(query(*s, "select 1").at(0, 0) == "1");
}

TEST_CASE("each way of failing to connect has its own code") {
  cluster().psql("postgres",
                 "drop role if exists locked; drop role if exists nopass; create role locked login password 'right'; "
                 "create role nopass login");
  cluster().set_hba(
      "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\nhost all locked 127.0.0.1/32 scram-sha-256\n"
      "hostssl all nopass 127.0.0.1/32 trust\n");
  auto p = parameters("127.0.0.1");
  SECTION("wrong password") {
    p.user = "locked";
    p.password = "wrong";
    CHECK(connect_code(p) == "postgres.auth_failed");
  }
  SECTION("no password") {
    p.user = "locked";
    CHECK(connect_code(p) == "postgres.auth_failed");
  }
  SECTION("right password") {
    p.user = "locked";
    p.password = "right";
    CHECK(connect_code(p).empty());
  }
  SECTION("unknown database") {
    p.database = "nowhere";
    CHECK(connect_code(p) == "postgres.database_missing");
  }
  SECTION("a port where nobody listens") {
    p.port = 1;
    CHECK(connect_code(p) == "postgres.unreachable");
  }
  SECTION("a socket directory without a server") {
    p.host = "/nonexistent";
    CHECK(connect_code(p) == "postgres.unreachable");
  }
  SECTION("unknown host") {
    p.host = "no-such-host.invalid";
    CHECK(connect_code(p) == "postgres.unknown_host");
  }
  SECTION("TLS wanted, not offered") {
    p.sslmode = "require";
    CHECK(connect_code(p) == "postgres.tls_refused");
  }
  SECTION("TLS wanted by the server") {
    p.user = "nopass";
    p.sslmode = "disable";
    CHECK(connect_code(p) == "postgres.tls_required");
  }
  SECTION("not in pg_hba.conf") {
    p.user = "stranger";
    p.sslmode = "require";
    p.host = cluster().host();
    CHECK(connect_code(p) == "postgres.host_not_allowed");
  }
  SECTION("a name resolves") {
    p.host = "localhost";
    CHECK(connect_code(p).empty());
  }
}

TEST_CASE("COPY out gives whole tuples without header and trailer, whatever the piece size") {
  auto s = connect();
  const std::string sql =
      "copy (select g, repeat('x', g % 300), case when g % 7 = 0 then repeat('y', 700000) end from generate_series(1, "
      "200) g) to stdout "
      "(format binary)";
  const auto whole = copy_out(*s, sql, 1 << 30);
  CHECK(whole.second == 200);
  CHECK(s->copy_out_rows() == 200);
  for (const std::size_t want : {1, 1000, 100000}) CHECK(copy_out(*s, sql, want) == whole);
  CHECK(query(*s, "select 1").at(0, 0) == "1");
}

TEST_CASE("COPY out of nothing gives nothing") {
  auto s = connect();
  const auto none = copy_out(*s, "copy (select 1 where false) to stdout (format binary)", 1000);
  CHECK(none.first.empty());
  CHECK(none.second == 0);
  CHECK(s->copy_out_rows() == 0);
}

TEST_CASE("a COPY out that fails on its way throws the server's words and leaves the session usable") {
  auto s = connect();
  CHECK(code_of([&] {
          copy_out(*s, "copy (select 1000 / (5000 - g) from generate_series(1, 10000) g) to stdout (format binary)",
                   100);
        }) == "postgres.query_failed");
  CHECK(s->usable());
  CHECK(code_of([&] { copy_out(*s, "copy no_such_table to stdout (format binary)", 100); }) ==
        "postgres.object_missing");
  CHECK(code_of([&] { copy_out(*s, "select 1", 100); }) == "postgres.query_failed");
  CHECK(query(*s, "select 1").at(0, 0) == "1");
}

// Between the first row and the last the reader looks in vain, waits for the socket, and gathers again.
TEST_CASE("a COPY out that comes in pieces, with pauses between them, is read whole, and the session goes on") {
  auto s = connect();
  const auto [bytes, rows] = copy_out(*s,
                                      "copy (select repeat('x', 10000), pg_sleep(case when g % 10 = 0 then 0.02 else 0 "
                                      "end) from generate_series(1, 100) g) to stdout (format binary)",
                                      64 << 10);
  CHECK(rows == 100);
  CHECK(bytes.size() == 100 * (2 + 4 + 10000 + 4));
  CHECK(query(*s, "select 1").at(0, 0) == "1");
}

TEST_CASE("what COPY gives out COPY takes in, in writes of any size") {
  auto s = connect();
  run(runtime(), s->execute("create table copied (g int, t text, b text)"));
  const auto whole =
      copy_out(*s,
               "copy (select g, repeat('x', g % 300), case when g % 50 = 0 then repeat('y', 700000) end from "
               "generate_series(1, 3000) g) to stdout (format binary)",
               1 << 30);
  const std::string header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19), trailer("\xff\xff", 2);
  for (const std::size_t size : {std::size_t{777}, std::size_t{100'000}, whole.first.size()}) {
    run(runtime(), s->execute("truncate copied"));
    run(runtime(), s->copy_in_begin("copy copied from stdin (format binary)"));
    run(runtime(), s->copy_in_write(header));
    run(runtime(), write_in_pieces(*s, whole.first, size));
    run(runtime(), s->copy_in_write(trailer));
    CHECK(run(runtime(), s->copy_in_end()) == 3000);
    CHECK(query(*s, "select count(*), sum(length(t)), sum(length(b)) from copied").at(0, 2) == "42000000");
  }
  run(runtime(), s->execute("drop table copied"));
}

TEST_CASE("a COPY in that is called off leaves no row and a usable session") {
  auto s = connect();
  run(runtime(), s->execute("create temp table off (t text)"));
  run(runtime(), s->copy_in_begin("copy off from stdin"));
  run(runtime(), s->copy_in_write("a\nb\n"));
  run(runtime(), s->copy_in_fail("changed our mind"));
  CHECK(query(*s, "select count(*) from off").at(0, 0) == "0");
}

TEST_CASE("a COPY in that the server refuses throws its words, at the latest at the end") {
  auto s = connect();
  run(runtime(), s->execute("create temp table narrow (n int)"));
  run(runtime(), s->copy_in_begin("copy narrow from stdin"));
  const std::string bad(100'000, 'x');
  CHECK(code_of([&] {
          for (int i = 0; i < 100; ++i) run(runtime(), s->copy_in_write(bad + "\n"));
          run(runtime(), s->copy_in_end());
        }) == "postgres.query_failed");
  CHECK(s->usable());
  CHECK(query(*s, "select count(*) from narrow").at(0, 0) == "0");
}

TEST_CASE("a backend that is terminated shows as a lost connection, in a query and in both COPYs") {
  const auto kill = [](PostgresSession& s) {
    cluster().psql("postgres", "select pg_terminate_backend(" + std::to_string(s.backend_pid()) + ", 10000)");
  };
  {
    auto s = connect();
    kill(*s);
    CHECK(code_of([&] { query(*s, "select 1"); }) == "postgres.connection_lost");
    CHECK_FALSE(s->usable());
    CHECK(code_of([&] { query(*s, "select 1"); }) == "postgres.connection_lost");
  }
  {
    auto s = connect();
    run(runtime(), s->copy_out_begin("copy (select g from generate_series(1, 10000000) g) to stdout (format binary)"));
    kill(*s);
    CHECK(code_of([&] {
            std::vector<char> out;
            std::uint32_t rows = 0;
            while (run(runtime(), s->copy_out_read_rows(out, 1 << 20, rows))) out.clear();
          }) == "postgres.connection_lost");
    CHECK_FALSE(s->usable());
  }
  {
    auto s = connect();
    run(runtime(), s->execute("create temp table t (n int)"));
    run(runtime(), s->copy_in_begin("copy t from stdin"));
    kill(*s);
    CHECK(code_of([&] {
            for (int i = 0; i < 1000; ++i) run(runtime(), s->copy_in_write(std::string(10'000, '1') + "\n"));
          }) == "postgres.connection_lost");
    CHECK_FALSE(s->usable());
  }
}

TEST_CASE("a running statement can be cancelled from outside, and a wait by its task group") {
  auto s = connect();
  // A cancel request that reaches the server before the statement does is dropped: asked again until it hits.
  auto ask = [](PostgresSession& target, bool& ended) -> asio::awaitable<void> {
    while (!ended) {
      co_await target.cancel_running();
      co_await runtime().runtime().sleep_for(std::chrono::milliseconds(5));
    }
  };
  auto work = [&ask](PostgresSession& session) -> asio::awaitable<std::string> {
    TaskGroup group(runtime().runtime());
    bool ended = false;
    group.spawn_on(co_await asio::this_coro::executor, "cancel", ask(session, ended));
    std::exception_ptr error;
    try {
      co_await session.query("select pg_sleep(60)", {});
    } catch (const Error&) {
      error = std::current_exception();
    }
    ended = true;
    co_await group.join();
    co_return describe(error);
  };
  CHECK(run(runtime(), work(*s)).find("statement") != std::string::npos);
  CHECK(s->usable());

  auto cancelled = [](PostgresSession& session) -> asio::awaitable<void> {
    TaskGroup group(runtime().runtime());
    auto body = [](PostgresSession& target) -> asio::awaitable<void> {
      co_await target.query("select pg_sleep(60)", {});
    };
    group.spawn("query", body(session));
    co_await group.stop();
  };
  run(runtime(), cancelled(*s));
  CHECK_FALSE(s->usable());
  s->close();
  s->close();
}

// Turns TLS on with a certificate of its own for localhost; the path of that certificate.
std::string turn_tls_on(test::PgCluster& tls) {
  const std::string dir = tls.data_dir().string(), crt = dir + "/server.crt", key = dir + "/server.key";
  const std::string make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout " + key +
                           " -out " + crt + " 2>/dev/null && chown --reference=" + dir + " " + crt + " " + key +
                           " && chmod 600 " + key;
  REQUIRE(std::system(make.c_str()) == 0);
  tls.append_conf("ssl = on");
  tls.restart();
  return crt;
}

TEST_CASE("over TLS queries and both COPYs work as without, and certificates are verified") {
  test::PgCluster tls;
  const std::string certificate = turn_tls_on(tls);
  auto p = parameters("localhost");
  p.port = tls.port();
  p.sslmode = "require";
  auto s = connect(p);
  CHECK(query(*s, "select ssl from pg_stat_ssl where pid = pg_backend_pid()").at(0, 0) == "t");
  const std::string sql =
      "copy (select g, repeat('x', g % 3000) from generate_series(1, 5000) g) to stdout (format binary)";
  const auto rows = copy_out(*s, sql, 100'000);
  CHECK(rows.second == 5000);
  CHECK(s->copy_out_rows() == 5000);
  CHECK(copy_out(*s, "copy (select 1 where false) to stdout (format binary)", 1).second == 0);
  run(runtime(), s->execute("create temp table copied (g int, t text)"));
  run(runtime(), s->copy_in_begin("copy copied from stdin (format binary)"));
  run(runtime(), s->copy_in_write(std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19) + rows.first + "\xff\xff"));
  CHECK(run(runtime(), s->copy_in_end()) == 5000);
  run(runtime(), s->copy_in_begin("copy copied from stdin"));
  run(runtime(), s->copy_in_fail("called off"));
  CHECK(code_of([&] {
          copy_out(*s, "copy (select 1 / (500 - g) from generate_series(1, 1000) g) to stdout (format binary)", 1);
        }) == "postgres.query_failed");
  CHECK(s->usable());
  tls.psql("postgres", "select pg_terminate_backend(" + std::to_string(s->backend_pid()) + ", 10000)");
  CHECK(code_of([&] { query(*s, "select 1"); }) == "postgres.connection_lost");

  p.sslmode = "verify-full";
  p.ssl_root_cert_file = certificate;
  CHECK(connect_code(p).empty());
  p.host = "127.0.0.1";  // not the name in the certificate
  CHECK(connect_code(p) == "postgres.tls_failed");
  p.host = "localhost";
  p.ssl_root_cert_file = "/nonexistent";
  CHECK(connect_code(p) == "postgres.tls_failed");
}

TEST_CASE("a connection that nobody answers ends at its time-out") {
  auto p = parameters("10.255.255.1");  // not routed: the SYN is lost or refused
  p.connect_timeout = std::chrono::milliseconds(200);
  CHECK(connect_code(p) == "postgres.unreachable");
}

TEST_CASE("a PostgreSQL URL is read with its escapes, an IPv6 host and parameters") {
  const auto p =
      parse_postgres_url("postgres://us%40er:p%2Fw@[::1]:6543/da%20ta?sslmode=verify-full&application_name=x%26y");
  CHECK(p.user == "us@er");
  CHECK(p.password == "p/w");
  CHECK(p.host == "::1");
  CHECK(p.port == 6543);
  CHECK(p.database == "da ta");
  CHECK(p.sslmode == "verify-full");
  CHECK(p.options.at("application_name") == "x&y");
  CHECK(parse_postgres_url("postgresql:///db?host=/tmp/socket").host == "/tmp/socket");
  for (const std::string bad : {"mysql://a", "postgres://h:99999/", "postgres://u:secret%zz@h/", "postgres://h/?x"}) {
    try {
      parse_postgres_url(bad);
      FAIL(bad);
    } catch (const Error& e) {
      CHECK(e.code() == "postgres.bad_url");
      CHECK(std::string(e.what()).find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("identifiers and literals are quoted so that they mean themselves") {
  auto s = connect();
  for (const std::string text : {"plain", "a\"b", "a'b", "a\\b", "a\\'; drop table x; --", "ü"}) {
    CHECK(query(*s, "select " + quote_literal(text) + " as " + quote_identifier(text)).at(0, 0) == text);
    CHECK(query(*s, "select 1 as " + quote_identifier(text)).columns[0] == text);
  }
}

}  // namespace millrace::net
