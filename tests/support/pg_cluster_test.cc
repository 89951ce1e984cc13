// The cluster helper itself, since every black-box test stands on it.
#include "tests/support/pg_cluster.h"

#include <catch2/catch.hpp>
#include <filesystem>

namespace {

using millrace::test::PgCluster;

PgCluster& cluster() {
  static PgCluster one;
  return one;
}

TEST_CASE("a throw-away cluster answers queries over its socket and over TCP") {
  cluster().create_database("a \"quoted\" name");
  cluster().psql("a \"quoted\" name",
                 "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 3);");
  CHECK(cluster().query("a \"quoted\" name", "SELECT id FROM t ORDER BY id") == "1\n2\n3");
  CHECK(cluster().query("postgres", "SHOW port") == std::to_string(cluster().port()));
  CHECK(cluster().query("postgres", "SHOW listen_addresses") == "127.0.0.1");
}

TEST_CASE("a failed statement throws with the text of the server") {
  CHECK_THROWS_WITH(cluster().psql("postgres", "SELECT * FROM nowhere"),
                    Catch::Contains("relation \"nowhere\" does not exist"));
  CHECK_THROWS_WITH(cluster().query("no_such_database", "SELECT 1"), Catch::Contains("does not exist"));
}

TEST_CASE("committed rows are there after an immediate stop and a start on the same port") {
  PgCluster one({"fsync = on"});
  const int port = one.port();
  one.psql("postgres", "CREATE TABLE t AS SELECT 7 AS n");
  one.stop_immediate();
  CHECK_THROWS_WITH(one.query("postgres", "SELECT n FROM t"), Catch::Contains("No such file"));
  one.start();
  CHECK(one.port() == port);
  CHECK(one.query("postgres", "SELECT n FROM t") == "7");
}

TEST_CASE("the directory is gone with the cluster") {
  std::filesystem::path dir;
  {
    PgCluster one;
    dir = one.host();
    CHECK(std::filesystem::exists(dir));
    one.set_hba("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256");
    CHECK(one.query("postgres", "SELECT count(*) FROM pg_hba_file_rules") == "2");
  }
  CHECK_FALSE(std::filesystem::exists(dir));
}

}  // namespace
