#include <catch2/catch.hpp>

#include "tests/connectors/postgres_fixture.h"

namespace millrace::test {
namespace {

// A column of every common type, with rows of extremes: each list is the column, its type, then its values.
struct Column {
  const char* name;
  const char* type;
  std::vector<const char*> values;
};
const std::vector<Column> kColumns{
    {"c_bool", "boolean", {"true", "false"}},
    {"c_int2", "smallint", {"-32768", "32767"}},
    {"c_int4", "integer", {"-2147483648", "2147483647"}},
    {"c_int8", "bigint", {"-9223372036854775808", "9223372036854775807"}},
    {"c_float4", "real", {"'NaN'", "'-Infinity'", "1.17549435e-38", "3.4028235e38"}},
    {"c_float8",
     "double precision",
     {"'NaN'", "'Infinity'", "-0.0", "2.2250738585072014e-308", "1.7976931348623157e308", "0.1"}},
    {"c_numeric",
     "numeric",
     {"'NaN'", "'Infinity'", "'-Infinity'", "0.000000000000000000000000000000000000000001",
      "-123456789012345678901234567890.12345678901234567890"}},
    {"c_numeric_typmod", "numeric(10,2)", {"99999999.99", "-0.01", "0"}},
    {"c_money", "money", {"'$1,234.56'", "'-92233720368547758.08'"}},
    {"c_text", "text", {"''", "'ünïcödé 漢字 🙂'", "E'tab\\tnew\\nline\\\\N'", "repeat('long', 50000)"}},
    {"c_varchar", "varchar(20)", {"'short'"}},
    {"c_char", "char(8)", {"'pad'"}},
    {"c_qchar", "\"char\"", {"'x'"}},
    {"c_name", "name", {"'a_name'"}},
    {"c_bytea", "bytea", {"'\\x'", "'\\x00ff7f80'"}},
    {"c_uuid", "uuid", {"'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"}},
    {"c_json", "json", {"'{\"a\": [1, 2.50, null]}'", "'  \"spaces kept\" '"}},
    {"c_jsonb", "jsonb", {"'{\"b\": 1, \"a\": {\"n\": 1e400}}'", "'null'"}},
    {"c_xml", "xml", {"'<a b=\"c\">d</a>'"}},
    {"c_date", "date", {"'4713-01-01 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'"}},
    {"c_time", "time", {"'00:00:00'", "'24:00:00'", "'12:34:56.123456'"}},
    {"c_timetz", "timetz", {"'00:00:00+15:59'", "'12:34:56.123456-08'"}},
    {"c_timestamp",
     "timestamp",
     {"'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'", "'infinity'", "'-infinity'"}},
    {"c_timestamp3", "timestamp(3)", {"'2024-02-29 12:00:00.123'"}},
    {"c_timestamptz",
     "timestamptz",
     {"'4713-01-01 00:00:00+00 BC'", "'294276-12-31 23:59:59.999999+00'", "'infinity'", "'2024-03-31 01:30:00+01'"}},
    {"c_interval", "interval", {"'178000000 years'", "'-178000000 years'", "'1 year 2 mons 3 days 04:05:06.789'"}},
    {"c_inet", "inet", {"'192.168.0.1/24'", "'::ffff:1.2.3.4'"}},
    {"c_cidr", "cidr", {"'10.0.0.0/8'", "'2001:db8::/32'"}},
    {"c_macaddr", "macaddr", {"'08:00:2b:01:02:03'"}},
    {"c_macaddr8", "macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
    {"c_bit", "bit(5)", {"B'10101'"}},
    {"c_varbit", "varbit", {"B''", "B'1'"}},
    {"c_point", "point", {"'(1.5,-2.25)'"}},
    {"c_line", "line", {"'{1,2,3}'"}},
    {"c_lseg", "lseg", {"'[(0,0),(1,1)]'"}},
    {"c_box", "box", {"'(1,1),(0,0)'"}},
    {"c_path", "path", {"'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'"}},
    {"c_polygon", "polygon", {"'((0,0),(1,1),(2,0))'"}},
    {"c_circle", "circle", {"'<(0,0),5>'"}},
    {"c_tsvector", "tsvector", {"to_tsvector('english', 'a quick brown fox')", "''"}},
    {"c_tsquery", "tsquery", {"'fat & (rat | cat)'"}},
    {"c_pg_lsn", "pg_lsn", {"'FFFFFFFF/FFFFFFFF'"}},
    {"c_oid", "oid", {"4294967295"}},
    {"c_int4range", "int4range", {"'[1,10)'", "'empty'", "'(,)'"}},
    {"c_numrange", "numrange", {"'[1.5,2.5]'"}},
    {"c_tstzrange", "tstzrange", {"'[2020-01-01 00:00:00+00,infinity)'"}},
    {"c_int8multirange", "int8multirange", {"'{[1,3),[5,9)}'"}},
    {"c_jsonpath", "jsonpath", {"'$.a[*] ? (@ > 1)'"}},
    {"c_int_array", "int[]", {"'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[2:3]={5,6}'"}},
    {"c_text_array", "text[]", {"array['a,b', '\"', null, '']"}},
    {"c_numeric_array", "numeric(6,2)[]", {"'{1.50,NaN}'"}},
    {"c_timestamptz_array", "timestamptz[]", {"'{infinity,2020-01-01 00:00:00+00}'"}},
    {"c_enum", "mood", {"'sad'", "'happy'"}},
    {"c_enum_array", "mood[]", {"'{sad,NULL,happy}'"}},
    {"c_domain", "positive", {"42"}},
    {"c_domain2", "very_positive", {"1000"}},
    {"c_domain_array", "positive[]", {"'{1,2}'"}},
    {"c_domain_enum", "happy_mood", {"'happy'"}},
    {"c_composite", "pair", {"row(1, 'x,y')::pair", "row(null, '')::pair"}},
    {"c_composite_array", "pair[]", {"array[row(1, 'a')::pair]"}},
    {"c_user_range", "float_range", {"'[1.5,2.5)'"}},
    {"c_regclass", "regclass", {"'pg_class'"}},
    {"c_aclitem", "aclitem", {"'postgres=r/postgres'"}},
    {"c_hstore", "hstore", {"'a=>1,b=>NULL'"}},
    {"c_citext", "citext", {"'MiXed'"}},
    {"c_xid8", "xid8", {"'18446744073709551615'"}},
};

std::string make_table() {
  std::string columns = "n int primary key";
  std::size_t most = 0;
  for (const auto& c : kColumns) {
    columns += ", " + std::string(c.name) + " " + c.type;
    most = std::max(most, c.values.size());
  }
  std::string sql =
      "create type mood as enum ('sad', 'happy'); create domain positive as int check (value > 0); "
      "create domain very_positive as positive check (value > 100); create domain happy_mood as mood; create type pair "
      "as (a int, b text); "
      "create type float_range as range (subtype = float8); create extension hstore; create extension citext; "
      "create table wide (" +
      columns + ", g int generated always as (n * 2) stored); ";
  for (std::size_t row = 0; row <= most; ++row) {  // the last one is all null
    std::string names = "n", values = std::to_string(row);
    for (const auto& c : kColumns) {
      names += ", " + std::string(c.name);
      values += row < c.values.size() ? ", " + std::string(c.values[row]) : ", null";
    }
    sql += "insert into wide (" + names + ") values (" + values + "); ";
  }
  return sql;
}

}  // namespace

TEST_CASE("every common type arrives with the same text, extremes and nulls included") {
  const auto from = new_database(), to = new_database();
  cluster().psql(from, make_table());
  auto source = postgres_source(from);
  auto destination = postgres_destination(to);
  const auto stream = find_stream(run(runtime(), source->discover()), "public", "wide");
  REQUIRE(stream.schema.fields.size() == kColumns.size() + 2);
  const auto target = target_of(stream, "dw", "wide", 1);
  CHECK(run(runtime(),
            load_stream(runtime().runtime(), *source, *destination, configured(stream), target, "t", 1, {})) == 7);
  run(runtime(), destination->publish(target));
  for (const auto& c : kColumns) {
    const std::string sql = "set search_path = ''; select string_agg(coalesce(" + std::string(c.name) +
                            "::text, '<null>'), ' | ' order by n) from ";
    INFO(c.name);
    CHECK(cluster().query(from, sql + "public.wide") == cluster().query(to, sql + "dw.wide"));
  }
  CHECK(cluster().query(from, "select sum(g) from wide") == cluster().query(to, "select sum(g) from dw.wide"));

  const auto type_of = [&](const std::string& column) {
    return stream.schema.fields.at(*stream.schema.index_of(column)).type;
  };
  CHECK(type_of("c_numeric_typmod") == c::Type(c::Kind::numeric, "numeric(10,2)"));
  CHECK(type_of("c_enum").pg_type == "text");
  CHECK(type_of("c_enum_array").pg_type == "text[]");
  CHECK(type_of("c_domain2").pg_type == "integer");
  CHECK(type_of("c_domain_array").pg_type == "integer[]");
  for (const auto& f : stream.schema.fields) {
    const bool text = f.name == "c_composite" || f.name == "c_composite_array" || f.name == "c_user_range" ||
                      f.name == "c_regclass" || f.name == "c_aclitem" || f.name == "c_hstore" || f.name == "c_citext";
    INFO(f.name);
    CHECK(f.as_text == text);
  }
}

TEST_CASE("a catalog reads back from its JSON as it was") {
  const auto from = new_database();
  cluster().psql(from, make_table());
  const auto catalog = run(runtime(), postgres_source(from)->discover());
  const auto back = c::catalog_from_json(c::to_json(catalog));
  REQUIRE(back.streams.size() == catalog.streams.size());
  for (std::size_t i = 0; i < back.streams.size(); ++i) {
    CHECK(back.streams[i].name == catalog.streams[i].name);
    CHECK(back.streams[i].schema == catalog.streams[i].schema);
    CHECK(back.streams[i].primary_key == catalog.streams[i].primary_key);
    CHECK(back.streams[i].sync_modes == catalog.streams[i].sync_modes);
  }
  CHECK(code_of([] { c::catalog_from_json("{\"streams\": 1}"); }) == "connector.bad_document");
  CHECK(code_of([] { c::catalog_from_json("nonsense"); }) == "connector.bad_document");
}

}  // namespace millrace::test
