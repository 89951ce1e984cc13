#include <catch2/catch.hpp>

#include "tests/connectors/postgres_fixture.h"

namespace millrace::test {
namespace {

// Loads and publishes a table of `from` as dw.<name> of `to`; the result of publish.
c::PublishResult copy_table(const std::string& from, const std::string& to, const std::string& table,
                            std::int64_t generation, c::PlanOptions options = {}) {
  auto source = postgres_source(from);
  auto destination = postgres_destination(to);
  const auto stream = find_stream(run(runtime(), source->discover()), "public", table);
  const auto target = target_of(stream, "dw", table, generation);
  run(runtime(),
      load_stream(runtime().runtime(), *source, *destination, configured(stream), target, "token-1", 1, options));
  return run(runtime(), destination->publish(target));
}

}  // namespace

TEST_CASE("a table of a hundred thousand rows in key ranges arrives equal") {
  const auto from = new_database(), to = new_database();
  cluster().psql(from,
                 "create table t (id int primary key, a text, b numeric, c timestamptz); insert into t select g, "
                 "repeat('x', g % 50), "
                 "g / 7.0, now() + g * interval '1 second' from generate_series(1, 100000) g; analyze t");
  c::PlanOptions options;
  options.rows_per_split = 9'000;
  const auto result = copy_table(from, to, "t", 1, options);
  CHECK(result.rows == 100'000);
  CHECK_FALSE(result.already_done);
  const std::string digest = "select count(*), md5(string_agg(t::text, ',' order by id)) from ";
  CHECK(cluster().query(from, digest + "public.t") == cluster().query(to, digest + "dw.t"));
  CHECK(std::stoi(cluster().query(to, "select count(*) from millrace.checkpoints where complete")) >= 5);
}

}  // namespace millrace::test
