#include <catch2/catch.hpp>

#include "common/errors.h"
#include "connectors/filter.h"

using namespace millrace;
using namespace millrace::connectors;

namespace {

Schema schema(std::vector<std::string> names) {
  Schema out;
  for (auto& name : names) {
    Field field;
    field.name = std::move(name);
    out.fields.push_back(std::move(field));
  }
  return out;
}

std::string code_of(const std::string& text) {
  try {
    check_filter(text);
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return "";
}

}  // namespace

TEST_CASE("a filter comes back as it was meant, its fields quoted and its texts escaped") {
  const Schema s = schema({"id", "total", "Odd Name", "status", "at", "data"});
  const auto resolved = [&](const std::string& text) { return resolve_filter(text, s); };
  CHECK(resolved("id = 1") == R"("id" = 1)");
  CHECK(resolved("ID != 1 and not (STATUS like 'a''b%')") == R"("id" <> 1 AND NOT ("status" LIKE 'a''b%'))");
  CHECK(resolved(R"("Odd Name" in (1, -2) or total between 1 and 2.5e3)") ==
        R"("Odd Name" IN (1, - 2) OR "total" BETWEEN 1 AND 2.5e3)");
  CHECK(resolved("at > now() - interval '7 days' and at::date <> date '2026-01-01'") ==
        R"("at" > now() - interval '7 days' AND "at"::date <> date '2026-01-01')");
  CHECK(resolved("data->>'kind' is not null and coalesce(status, '') = ''") ==
        R"("data" ->> 'kind' IS NOT null AND coalesce("status", '') = '')");
  CHECK(filter_sql(resolved("lower(status) = 'x' or total % 2 = 0")) == R"(lower("status") = 'x' OR "total" % 2 = 0)");
}

TEST_CASE("a filter that is more than a condition is refused with the place") {
  for (const char* wrong : {"",
                            "id =",
                            "id = 1; drop table t",
                            "id = (select 1)",
                            "pg_read_file('x') = ''",
                            "id = 1 -- more",
                            "id = 1 /* x */",
                            "id = 1) or (1 = 1",
                            "'open",
                            "\"open",
                            "id in ()",
                            "id is 3",
                            "id not 3",
                            "id = $1",
                            "id::regclass = 1",
                            "e'\\'' = id",
                            "exists(select 1)",
                            "id = any(array[1])",
                            "lo_import('x') is null",
                            "id = 1 union select 2"}) {
    INFO(wrong);
    CHECK(code_of(wrong) == "connector.filter_invalid");
  }
  CHECK(code_of(std::string(20'000, 'a')) == "connector.filter_invalid");
  CHECK(code_of(std::string(5'000, '(')) == "connector.filter_invalid");
}

TEST_CASE("a filter's unknown field is told by name") {
  const Schema s = schema({"Id"});
  CHECK_THROWS_WITH(resolve_filter("id = 1", s), Catch::Contains("id"));
  CHECK(resolve_filter("Id = 1", s) == "\"Id\" = 1");
}

TEST_CASE("a window is half open, and joins a condition") {
  CHECK(window_filter("", "u", "1", "9") == R"("u" >= '1' AND "u" < '9')");
  CHECK(window_filter("\"a\" = 1 OR \"b\" = 2", "u", "", "it's") == R"(("a" = 1 OR "b" = 2) AND "u" < 'it''s')");
  CHECK(filter_sql(window_filter("", "u", "x", "")) == R"("u" >= 'x')");
}
