#include "connectors/values/values.h"

#include <catch2/catch.hpp>

#include "connectors/sqlite/values.h"

namespace millrace::test {
namespace {

using namespace connectors;

Type type(const std::string& name) {
  const auto found = values::type_of_name(name);
  REQUIRE(found);
  return *found;
}

// The text that a text comes back as, through its binary form; "-" if it is no value.
std::string round(const std::string& name, const std::string& text) {
  std::string binary;
  if (!values::from_text(type(name), text, binary)) return "-";
  return values::to_text(type(name), binary);
}

}  // namespace

TEST_CASE("numbers come back as they were written") {
  for (const std::string text : {"0", "0.00", "1", "-1", "12.50", "-0.001", "10000", "100000000.00000001", "9999.9999",
                                 "0.0001", "0.00010000", "NaN", "Infinity", "-Infinity"})
    CHECK(round("numeric", text) == text);
  const std::string huge = "1" + std::string(999, '7') + "." + std::string(400, '3');
  CHECK(round("numeric", huge) == huge);
  CHECK(round("numeric", "1.5e3") == "1500");
  CHECK(round("numeric", "1.25e-2") == "0.0125");
  CHECK(round("numeric", "+007") == "7");
  CHECK(round("numeric", "-0") == "0");
  for (const char* bad : {"", "x", "1.2.3", "1e", "--1", "1e999999"}) CHECK(round("numeric", bad) == "-");
  CHECK(round("int2", "32767") == "32767");
  CHECK(round("int2", "32768") == "-");
  CHECK(round("int8", "42.0") == "42");
  CHECK(round("int8", "42.5") == "-");
  CHECK(round("float8", "0.1") == "0.1");
  CHECK(round("float8", "-Infinity") == "-Infinity");
  CHECK(round("float4", "3.4028235e+38") == "3.4028235e+38");
}

TEST_CASE("dates and times come back as they were written, to the ends of the calendar") {
  for (const std::string text : {"2026-03-01", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC", "5874897-12-31",
                                 "infinity", "-infinity", "2000-02-29", "1900-02-28"})
    CHECK(round("date", text) == text);
  CHECK(round("date", "1900-02-29") == "-");
  CHECK(round("date", "2026-3-1") == "-");
  for (const std::string text : {"2026-03-01 04:05:06", "1969-12-31 23:59:59.999999", "0044-03-15 00:00:00.5 BC",
                                 "294276-12-31 23:59:59.999999", "infinity"})
    CHECK(round("timestamp", text) == text);
  CHECK(round("timestamptz", "2026-03-01T04:05:06.5+02:00") == "2026-03-01 02:05:06.5+00:00");
  CHECK(round("timestamptz", "2026-03-01 04:05:06Z") == "2026-03-01 04:05:06+00:00");
  CHECK(round("timestamptz", "2026-03-01") == "2026-03-01 00:00:00+00:00");
  CHECK(round("timestamp", "2026-03-01T04:05:06+02:00") == "2026-03-01 04:05:06");
  CHECK(round("timestamp", "2026-03-01 04:05:06.1234567") == "2026-03-01 04:05:06.123457");
  CHECK(round("time", "24:00:00") == "24:00:00");
  CHECK(round("time", "24:00:01") == "-");
  CHECK(round("timetz", "04:05:06.7-08:30") == "04:05:06.7-08:30");
  for (const std::string text : {"P1Y2M3DT4H5M6.789S", "PT0S", "P-1M", "PT-0.000001S", "P100D", "P1Y-3DT2H"})
    CHECK(round("interval", text) == text);
}

TEST_CASE("other types come back as they were written") {
  CHECK(round("boolean", "TRUE") == "true");
  CHECK(round("bytea", "\\x00ff10") == "\\x00ff10");
  CHECK(round("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11") == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  CHECK(round("jsonb", "{\"a\": 1.50}") == "{\"a\": 1.50}");
  CHECK(round("jsonb", "{a: 1}") == "-");
  CHECK(round("text", std::string("a\0b", 3)) == "-");
  CHECK(round("text", "\xff") == "-");
  CHECK(round("text", "\xed\xa0\x80") == "-");  // a surrogate
  for (const std::string text : {"10.1.2.3", "10.1.0.0/16", "::1", "2001:db8::/32"}) CHECK(round("inet", text) == text);
  CHECK(round("cidr", "10.0.0.0/8") == "10.0.0.0/8");
  CHECK(round("macaddr", "08:00:2b:01:02:03") == "08:00:2b:01:02:03");
  CHECK(round("varbit", "1011001") == "1011001");
  CHECK(round("oid", "4294967295") == "4294967295");
  CHECK(round("pg_lsn", "16/B374D848") == "16/B374D848");
  CHECK(round("point", "(1.5,-2)") == "(1.5,-2)");
  CHECK(round("tsvector", "\\x0001") == "\\x0001");
  for (const std::string text : {"{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={7,8}", "[2:3][-1:0]={{1,2},{3,4}}"})
    CHECK(round("int4[]", text) == text);
  for (const std::string text : {"{a,\"b c\",NULL,\"NULL\",\"\",\"q\\\"\\\\\"}"}) CHECK(round("text[]", text) == text);
  CHECK(round("timestamp[]", "{\"2026-03-01 04:05:06\"}") == "{\"2026-03-01 04:05:06\"}");
  for (const char* bad : {"{1,{2}}", "{1", "1}", "{1,}", "{{1},{2,3}}", "{x}"}) CHECK(round("int4[]", bad) == "-");
}

TEST_CASE("JSON is told from what is none, whatever the size of its numbers") {
  for (const std::string text : {"1", " [ ] ", "{}", "{\"a\":[1,{\"b\":null}],\"c\":-0.5e-7}", "1e999999",
                                 "\"\\ud83d\\ude00\"", "\"\\u0000\"", "[[],{}]", "true"})
    CHECK(values::is_json(text));
  for (const std::string text : {"", "01", "1.", ".5", "+1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a",
                                 "\"\\x\"", "\"\\ud83d\"", "\"\\ude00\"", "nul", "1 2", "[1}", "\"\n\"", "\"\\"})
    CHECK_FALSE(values::is_json(text));
  CHECK_FALSE(values::is_json("\"\\u0000\"", false));
  CHECK_FALSE(values::is_json(std::string(100'000, '[')));
}

TEST_CASE("a declared type of SQLite stands for the type that it was made of") {
  for (const char* name : {"boolean",
                           "smallint",
                           "integer",
                           "bigint",
                           "real",
                           "double precision",
                           "numeric(12,2)",
                           "numeric",
                           "text",
                           "bytea",
                           "uuid",
                           "json",
                           "jsonb",
                           "xml",
                           "date",
                           "time without time zone",
                           "time with time zone",
                           "timestamp without time zone",
                           "timestamp with time zone",
                           "interval",
                           "integer[]",
                           "text[]",
                           "timestamp with time zone[]",
                           "inet",
                           "bit varying",
                           "tsvector",
                           "point"}) {
    INFO(name);
    const Type given = type(name);
    CHECK((sqlite::type_of_declared(sqlite::declared_type(given)) == given));
  }
  CHECK(sqlite::type_of_declared("VARCHAR(20)").pg_type == "text");
  CHECK(sqlite::type_of_declared("INTEGER").pg_type == "bigint");
  CHECK(sqlite::type_of_declared("unsigned big int").pg_type == "bigint");
  CHECK(sqlite::type_of_declared("DECIMAL(10,5)").pg_type == "numeric");
  CHECK(sqlite::type_of_declared("").pg_type == "text");
  CHECK(sqlite::type_of_declared("DATETIME").kind == Kind::timestamp);
  CHECK(sqlite::type_of_declared("STRANGE").kind == Kind::numeric);
}

}  // namespace millrace::test
