#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "connectors/sqlite/config.h"
#include "connectors/sqlite/database.h"
#include "connectors/sqlite/destination.h"
#include "connectors/sqlite/source.h"
#include "connectors/sqlite/tables.h"
#include "tests/connectors/destination_conformance.h"
#include "tests/connectors/postgres_fixture.h"
#include "tests/connectors/source_conformance.h"
#include "tests/state/temp_dir.h"

namespace millrace::test {
namespace {

namespace sq = c::sqlite;
using state::testing::TempDir;

std::string new_file() {
  static const TempDir dir;
  static int n = 0;
  return dir.path() + "/" + std::to_string(n++) + ".db";
}

sq::SqliteConfig config(const std::string& path) {
  sq::SqliteConfig out;
  out.path = path;
  out.busy_timeout = std::chrono::milliseconds(200);
  return out;
}
sq::Database open(const std::string& path) {
  return sq::Database(path, sq::Database::Mode::create, std::chrono::seconds(5));
}
std::string value(const std::string& path, const std::string& sql) { return open(path).value(sql).value_or(""); }
std::unique_ptr<sq::SqliteSource> source(const std::string& path) {
  return std::make_unique<sq::SqliteSource>(runtime().runtime(), config(path));
}
std::unique_ptr<sq::SqliteDestination> destination(const std::string& path) {
  return std::make_unique<sq::SqliteDestination>(runtime().runtime(), config(path));
}

void conforms_as_source(const std::string& table) {
  const std::string path = new_file();
  open(path).execute(
      "CREATE TABLE by_number (id INTEGER PRIMARY KEY, b TEXT, c REAL, d BLOB);"
      "CREATE TABLE by_words (a TEXT NOT NULL, b INT NOT NULL, c NUMERIC, PRIMARY KEY (a, b)) WITHOUT ROWID;"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO by_number SELECT i * 3, 'b' || i, i / 7.0, CAST(i AS BLOB) FROM n;"
      "INSERT INTO by_words SELECT 'k' || (id % 50), id, id / 4.0 FROM by_number;");
  SourceUnderTest s;
  s.make = [path]() -> std::unique_ptr<c::Source> { return source(path); };
  s.stream = c::StreamName("", table);
  s.rows = 20'000;
  s.several.rows_per_split = 4'000;
  source_conformance(runtime(), s);
}

// Loads everything that `from` finds new into `to` and publishes it; returns the rows that were read.
std::int64_t sync(c::Source& from, c::Destination& to, c::StreamTarget& target, c::ConfiguredStream stream) {
  const auto plan = run(runtime(), from.plan(stream, c::PlanOptions()));
  target.state = plan.state;
  ++target.generation;
  ++target.load_id;
  auto writer = run(runtime(), to.open_stream(target, "t" + std::to_string(target.generation), 1));
  std::vector<std::string> ids;
  std::int64_t rows = 0;
  for (const auto& split : plan.splits) {
    rows += run(runtime(), copy_split(runtime().runtime(), from, *writer, stream, split));
    ids.push_back(split.id);
  }
  run(runtime(), writer->finish(ids, rows));
  run(runtime(), to.publish(target));
  return rows;
}

}  // namespace

TEST_CASE("the SQLite source conforms: a table with a row number as key") { conforms_as_source("by_number"); }
TEST_CASE("the SQLite source conforms: a composite key, without row numbers") { conforms_as_source("by_words"); }

TEST_CASE("the SQLite destination conforms") {
  const std::string path = new_file();
  DestinationUnderTest d;
  d.make = [path]() -> std::unique_ptr<c::Destination> { return destination(path); };
  d.content = [path](const std::string& ns, const std::string& name) {
    const std::string table = ns + "_" + name;
    if (value(path, "SELECT count(*) FROM sqlite_schema WHERE name = " + sq::literal(table)) == "0")
      return std::string("missing");
    return value(path, "SELECT group_concat(id || ':' || name, ',') FROM (SELECT * FROM " + sq::quote_name(table) +
                           " ORDER BY id)");
  };
  d.make_foreign_table = [path](const std::string& ns, const std::string& name) {
    open(path).execute("CREATE TABLE " + sq::quote_name(ns + "_" + name) + " (id INTEGER, name TEXT)");
  };
  d.ns = "conformance";
  destination_conformance(runtime(), d);
}

TEST_CASE("every type goes from PostgreSQL to SQLite and back with no difference") {
  const std::string from = new_database(), to = new_database(), path = new_file();
  cluster().psql(
      from,
      "create table t (id int primary key, b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, "
      "n numeric, n2 numeric(12,2), s text, v varchar(20), c char(5), y bytea, u uuid, j json, jb jsonb, x xml, d "
      "date, "
      "tm time, tz timetz, ts timestamp, tstz timestamptz, iv interval, ia int[], ta text[], na numeric[], tsa "
      "timestamptz[], ip inet, ci cidr, ma macaddr, bi bit(4), vb varbit, o oid, l pg_lsn, p point, tv tsvector, r "
      "int4range, mo money, \"Odd \"\"n\" text);"
      "insert into t (id) values (0);"
      "insert into t values (1, true, -32768, -2147483648, -9223372036854775808, 3.4028235e38, 1.7976931348623157e308, "
      "repeat('9', 1000)::numeric / 7, -12.50, E'tab\\tquote''\"', 'v', 'ab', '\\x00ff', "
      "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\" : 1.50 }', '{\"b\": [1, null, 1e3]}', '<a>b</a>', '0044-03-15 "
      "BC', "
      "'24:00', '04:05:06.789+05:30', '4713-01-01 00:00:00 BC', '2026-03-29 01:30:00.000001+01', '1 year -2 mons 3 "
      "days "
      "04:05:06.789', '[0:2]={1,NULL,3}', '{a,\"b c\",NULL,\"NULL\",\"\"}', '{1.50,NaN}', '{\"2026-01-01 "
      "00:00:00+00\"}', "
      "'2001:db8::/32', '10.0.0.0/8', '08:00:2b:01:02:03', '0101', '1', 4294967295, '16/B374D848', '(1.5,-2)', "
      "'a:1 b:2', '[1,10)', 12.34, 'odd');"
      "insert into t values (2, false, 32767, 2147483647, 9223372036854775807, 'NaN', 'NaN', 'NaN', 0, '', '', '', '', "
      "'00000000-0000-0000-0000-000000000000', '\"007\"', '\"1.50\"', '', 'infinity', '00:00', '00:00-08', 'infinity', "
      "'-infinity', '0', '{}', '{}', '{}', '{}', '0.0.0.0/0', '::/0', 'ff:ff:ff:ff:ff:ff', '0000', '', 0, '0/0', "
      "'(0,0)', "
      "'', 'empty', -1, '1e5');"
      "insert into t (id, f4, f8, n, s, jb, d, ts) values (3, '-Infinity', 'Infinity', '-0.000100', '1e5', '1.50', "
      "'5874897-12-31', '294276-12-31 23:59:59.999999');");
  auto pg = postgres_source(from);
  auto there = destination(path);
  const auto stream = find_stream(run(runtime(), pg->discover()), "public", "t");
  auto target = target_of(stream, "public", "t", 0);
  CHECK(sync(*pg, *there, target, configured(stream)) == 4);
  CHECK(value(path, "SELECT n2 FROM t WHERE id = 1") == "-12.50");
  CHECK(value(path, "SELECT typeof(i8) || typeof(f8) || typeof(y) || typeof(n) FROM t WHERE id = 1") ==
        "integerrealblobtext");
  CHECK(value(path, "SELECT datetime(tstz) FROM t WHERE id = 1") == "2026-03-29 00:30:00");

  auto back = source(path);
  auto pg_to = postgres_destination(to);
  const auto again = find_stream(run(runtime(), back->discover()), "", "t");
  auto target_back = target_of(again, "public", "t", 0);
  CHECK(sync(*back, *pg_to, target_back, configured(again)) == 4);
  const std::string rows = "set timezone = 'UTC'; select string_agg(t::text, E'\\n' order by id) from t";
  CHECK(cluster().query(to, rows) == cluster().query(from, rows));
  const std::string types =
      "select string_agg(format_type(atttypid, atttypmod), ',' order by attnum) from pg_attribute where attrelid = "
      "'t'::regclass and attnum > 0 and attname not in ('v', 'c')";
  CHECK(cluster().query(to, types) == cluster().query(from, types));
}

TEST_CASE("an overwrite keeps views, indexes and triggers of the table, and drops no row of others") {
  const std::string path = new_file(), made = new_file();
  open(made).execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  auto from = source(made);
  auto to = destination(path);
  const auto stream = find_stream(run(runtime(), from->discover()), "", "t");
  auto target = target_of(stream, "", "t", 0);
  sync(*from, *to, target, configured(stream));
  open(path).execute(
      "CREATE VIEW v AS SELECT count(*) AS n FROM t; CREATE INDEX by_name ON t (name); CREATE TABLE log (x);"
      "CREATE TRIGGER tr AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.id); END;"
      "CREATE TABLE child (id REFERENCES t (id))");
  open(made).execute("INSERT INTO t VALUES (3, 'c')");
  CHECK(sync(*from, *to, target, configured(stream)) == 3);
  CHECK(value(path, "SELECT n FROM v") == "3");
  CHECK(value(path,
              "SELECT group_concat(name, ',') FROM (SELECT name FROM sqlite_schema WHERE tbl_name = 't' AND type "
              "<> 'table' ORDER BY name)") == "by_name,tr");
  CHECK(value(path, "SELECT count(*) FROM log") == "0");
  CHECK(value(path, "SELECT sql LIKE '%REFERENCES t (id)%' FROM sqlite_schema WHERE name = 'child'") == "1");
  // The table dropped and made again by somebody is not ours.
  open(path).execute("DROP TABLE t; CREATE TABLE t (id INTEGER, name TEXT)");
  ++target.generation;
  CHECK(code_of([&] { run(runtime(), to->open_stream(target, "x", 1)); }) == "destination.not_ours");
}

TEST_CASE("incremental loads by cursor into SQLite keep the newest row of each key") {
  const std::string path = new_file(), made = new_file();
  open(made).execute(
      "CREATE TABLE e (id INT NOT NULL, u DECIMAL_TEXT, note TEXT, PRIMARY KEY (id)); INSERT INTO e VALUES (1, '9.5', "
      "'a'), "
      "(2, '10.25', 'b'), (3, NULL, 'null')");
  auto from = source(made);
  auto to = destination(path);
  const auto found = find_stream(run(runtime(), from->discover()), "", "e");
  auto stream = configured(found);
  stream.sync_mode = c::SyncMode::incremental_deduped_history;
  stream.cursor_field = {"u"};
  auto target = target_of(found, "", "e", 0);
  target.sync_mode = stream.sync_mode;
  target.cursor_field = {"u"};
  target.add_keys = true;
  const auto load = [&] {
    const auto rows = sync(*from, *to, target, stream);
    stream.state = target.state;
    return rows;
  };
  CHECK(load() == 3);
  CHECK(stream.state.find("\"10.25\"") != std::string::npos);
  open(made).execute(
      "INSERT INTO e VALUES (4, '10.3', 'd'), (5, '9.9', 'late'); UPDATE e SET u = '100', note = 'a2' WHERE "
      "id = 1");
  CHECK(load() == 4);  // 10.25 again, 10.3, 100, and the one without a place
  CHECK(value(path, "SELECT group_concat(id || note, ',') FROM (SELECT * FROM e ORDER BY id)") == "1a2,2b,3null,4d");
  // A smaller cursor never replaces a greater one, also where the text is the other way round.
  open(made).execute("UPDATE e SET u = '99', note = 'older' WHERE id = 1; INSERT INTO e VALUES (6, '100', 'f')");
  load();
  open(path).execute("UPDATE e SET u = '1000', note = 'ahead' WHERE id = 6");
  load();
  CHECK(value(path, "SELECT note FROM e WHERE id = 6") == "ahead");
  CHECK(value(path, "SELECT note FROM e WHERE id = 1") == "a2");
  CHECK(value(path, "SELECT count(*) FROM pragma_index_list('e') WHERE name = 'e_pkey' AND \"unique\"") == "1");
}

TEST_CASE("values that fit no type stop the stream by name, or become null where that is asked for") {
  const std::string path = new_file();
  open(path).execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT4, d DATE, s TEXT); INSERT INTO t VALUES (1, 'x', "
      "'2026-01-01', 'ok'), (2, 3000000000, '1.1.26', CAST(x'ff' AS TEXT)), (3, 42.0, '2026-01-01 00:00:00', 7)");
  auto strict = source(path);
  const auto stream = find_stream(run(runtime(), strict->discover()), "", "t");
  const auto plan = run(runtime(), strict->plan(configured(stream), c::PlanOptions()));
  CollectingSink sink;
  try {
    run(runtime(), strict->read(configured(stream), plan.splits.at(0), std::nullopt, sink));
    FAIL("it was read");
  } catch (const Error& e) {
    CHECK(e.code() == "connector.value_unfit");
    CHECK(e.detail() == "t, column n (INT4, read as integer): x");
  }
  auto lenient_config = config(path);
  lenient_config.unfit_as_null = true;
  sq::SqliteSource lenient(runtime().runtime(), lenient_config);
  CollectingSink all;
  run(runtime(), lenient.read(configured(stream), plan.splits.at(0), std::nullopt, all));
  REQUIRE(all.batches.size() == 1);
  c::RowReader reader(all.batches[0]);
  std::vector<c::RowReader::FieldView> row;
  std::string nulls;
  while (reader.next(row))
    for (const auto& field : row) nulls += field.length == c::kNullField ? 'n' : '.';
  CHECK(nulls == ".n...nnn....");
}

TEST_CASE("check says what is wrong with a path") {
  const TempDir dir;
  const auto source_code = [](const std::string& path) { return run(runtime(), source(path)->check()).code; };
  const auto destination_code = [](const std::string& path) { return run(runtime(), destination(path)->check()).code; };
  CHECK(source_code("relative.db") == "path.not_absolute");
  CHECK(destination_code("relative.db") == "path.not_absolute");
  CHECK(source_code(dir.path() + "/none.db") == "path.missing");
  CHECK(destination_code(dir.path() + "/none.db").empty());
  CHECK_FALSE(std::filesystem::exists(dir.path() + "/none.db"));
  CHECK(destination_code(dir.path() + "/no/such/dir.db") == "path.missing");
  CHECK(source_code(dir.path()) == "path.not_readable");
  std::ofstream(dir.path() + "/text.db") << std::string(5000, 'x');
  CHECK(source_code(dir.path() + "/text.db") == "sqlite.not_a_database");
  CHECK(destination_code(dir.path() + "/text.db") == "sqlite.not_a_database");
  const std::string path = dir.path() + "/locked.db";
  auto other = open(path);
  other.execute("CREATE TABLE t (x); BEGIN EXCLUSIVE");
  CHECK(destination_code(path) == "sqlite.locked");
  CHECK(source_code(path) == "sqlite.locked");
  other.execute("COMMIT");
  CHECK(destination_code(path).empty());
  const auto result = run(runtime(), source(dir.path() + "/none.db")->check());
  CHECK(result.message.find("none.db") != std::string::npos);
  CHECK_FALSE(result.remedy.empty());
}

TEST_CASE("a table of SQLite is refreshed, undone, cleared and looked at") {
  const std::string path = new_file(), made = new_file();
  open(made).execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a')");
  auto from = source(made);
  auto to = destination(path);
  const auto stream = find_stream(run(runtime(), from->discover()), "", "t");
  auto target = target_of(stream, "", "t", 0);
  const auto rows = [&] {
    return value(path, "SELECT group_concat(id || name, ',') FROM (SELECT * FROM t ORDER BY id)");
  };
  CHECK(run(runtime(), to->preview(target)).action == "create");
  target.sync_mode = c::SyncMode::full_refresh_append;
  sync(*from, *to, target, configured(stream));
  sync(*from, *to, target, configured(stream));
  CHECK(rows() == "1a,1a");
  CHECK(run(runtime(), to->preview(target)).action == "write");

  // An appended load goes by its number, and a refresh takes the place of all.
  auto undo = target;
  undo.generation = 3;
  const auto back = run(runtime(), to->undo(undo, 2));
  CHECK(back.rows == 1);
  CHECK(back.newest);
  CHECK(run(runtime(), to->undo(undo, 2)).newest);  // an attempt whose answer was lost
  CHECK(rows() == "1a");
  target.generation = target.load_id = 3;
  target.replace = true;
  open(made).execute("INSERT INTO t VALUES (2, 'b')");
  CHECK(run(runtime(), to->preview(target)).action == "replace");
  sync(*from, *to, target, configured(stream));
  CHECK(rows() == "1a,2b");
  CHECK(value(path, "SELECT count(DISTINCT _load_id) FROM t") == "1");
  open(path).execute("CREATE INDEX by_name ON t (name)");
  undo.generation = 5;
  undo.replace = true;
  CHECK(run(runtime(), to->undo(undo, target.load_id)).rows == 2);
  CHECK(rows() == "1a");
  CHECK(value(path, "SELECT tbl_name FROM sqlite_schema WHERE name = 'by_name'") == "t");

  const auto owned = run(runtime(), to->owned_tables("connection-1"));
  REQUIRE(owned.size() == 1);
  CHECK(owned[0].name == "t");
  auto clear = target;
  clear.generation = 6;
  CHECK(run(runtime(), to->clear(clear)) == 1);
  CHECK(run(runtime(), to->clear(clear)) == 0);
  CHECK(rows().empty());
  CHECK(code_of([&] { run(runtime(), to->open_stream(target, "x", 1)); }) == "destination.fenced");

  // A column that was renamed at the source keeps its rows.
  target.replace = false;
  target.generation = 6;
  sync(*from, *to, target, configured(stream));
  auto renamed = stream;
  renamed.schema.fields[1].name = "title";
  open(made).execute("ALTER TABLE t RENAME COLUMN name TO title");
  target.schema = std::make_shared<const c::Schema>(renamed.schema);
  target.renamed = {{"name", "title"}};
  sync(*from, *to, target, configured(renamed));
  CHECK(value(path, "SELECT group_concat(title, ',') FROM (SELECT title FROM t ORDER BY title)") == "a,a,b,b");
  target.keep_history = true;
  CHECK(code_of([&] { run(runtime(), to->open_stream(target, "x", 1)); }) == "destination.unsupported");
}

TEST_CASE("names that SQLite takes for the same are refused") {
  c::Stream stream;
  stream.name = c::StreamName("public", "t");
  for (const char* name : {"a", "A"}) {
    c::Field f;
    f.name = name;
    stream.schema.fields.push_back(f);
  }
  auto to = destination(new_file());
  CHECK(code_of([&] { run(runtime(), to->open_stream(target_of(stream, "", "t", 1), "x", 1)); }) ==
        "sqlite.name_collision");
}

}  // namespace millrace::test
