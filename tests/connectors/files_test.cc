#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "connectors/files/config.h"
#include "connectors/files/destination.h"
#include "connectors/files/io.h"
#include "connectors/files/records.h"
#include "connectors/files/source.h"
#include "tests/connectors/destination_conformance.h"
#include "tests/connectors/postgres_fixture.h"
#include "tests/connectors/source_conformance.h"
#include "tests/state/temp_dir.h"

namespace millrace::test {
namespace {

namespace fl = c::files;
namespace fs = std::filesystem;
using nlohmann::json;
using state::testing::TempDir;

std::string new_directory() {
  static const TempDir dir;
  static int n = 0;
  const std::string path = dir.path() + "/" + std::to_string(n++);
  fs::create_directory(path);
  return path;
}

void put(const std::string& path, const std::string& text, fl::Compression compression = fl::Compression::none) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << fl::compressed(text, compression);
}

std::unique_ptr<c::Source> source(json configuration) {
  return std::make_unique<fl::FilesSource>(runtime().runtime(), fl::source_config(configuration.dump()));
}
std::unique_ptr<c::Destination> destination(json configuration) {
  return std::make_unique<fl::FilesDestination>(runtime().runtime(), fl::destination_config(configuration.dump()));
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

// "name type, ..." of a stream's fields.
std::string shape(const c::Stream& stream) {
  std::string out;
  for (const auto& f : stream.schema.fields) out += (out.empty() ? "" : ", ") + f.name + " " + f.type.pg_type;
  return out;
}
std::vector<std::string> names(const c::Catalog& catalog) {
  std::vector<std::string> out;
  for (const auto& s : catalog.streams) out.push_back(s.name.text());
  return out;
}

// Loads one stream into a PostgreSQL table of its name and gives its rows as text.
std::string rows_of(c::Source& from, const c::StreamName& name) {
  const std::string to = new_database();
  auto pg = postgres_destination(to);
  const auto stream = find_stream(run(runtime(), from.discover()), name.ns, name.name);
  auto target = target_of(stream, "public", "t", 0);
  sync(from, *pg, target, configured(stream));
  return cluster().query(to,
                         "set timezone = 'UTC'; select coalesce(string_agg(t::text, ' ' order by t::text), '') from t");
}

// What a reader of the directory sees of it: "id:name" in order of the ids.
std::string content(const std::string& directory) {
  if (!fs::exists(directory)) return "missing";
  std::map<std::int64_t, std::string> rows;
  fl::FilesConfig config;
  for (const auto& e : fs::directory_iterator(directory)) {
    if (e.path().filename() == "_millrace.json") continue;
    const auto reader = fl::open_records(e.path().string(), config);
    fl::Record record;
    while (reader->next(record)) {
      REQUIRE(record.error.empty());
      rows[std::stoll(record.items.at(0).text)] = record.items.at(1).text;
    }
  }
  std::string out;
  for (const auto& [id, name] : rows) out += (out.empty() ? "" : ",") + std::to_string(id) + ":" + name;
  return out;
}

void conforms_as_destination(const std::string& format, const std::string& compression) {
  const std::string root = new_directory();
  DestinationUnderTest d;
  d.make = [=] { return destination({{"path", root}, {"format", format}, {"compression", compression}}); };
  d.content = [root](const std::string& ns, const std::string& name) { return content(root + "/" + ns + "/" + name); };
  d.make_foreign_table = [root](const std::string& ns, const std::string& name) {
    put(root + "/" + ns + "/" + name + "/theirs.csv", "id,name\n");
  };
  d.ns = "conformance";
  destination_conformance(runtime(), d);
}

std::string lines(int from, int to, bool csv) {
  std::string out = csv ? "id,word,share,day\n" : "";
  for (int i = from; i < to; ++i) {
    const std::string n = std::to_string(i);
    out += csv ? n + ",\"w," + n + "\"," + n + ".25,2026-01-01\n"
               : "{\"id\":" + n + ",\"word\":\"w" + n + "\",\"share\":" + n + ".25,\"tags\":[" + n + "]}\n";
  }
  return out;
}

void conforms_as_source(bool csv, fl::Compression compression, const std::string& end) {
  const std::string root = new_directory();
  for (int i = 0; i < 5; ++i)
    put(root + "/t/part-" + std::to_string(i) + end, lines(i * 1000, i * 1000 + 1000, csv), compression);
  SourceUnderTest s;
  s.make = [root] { return source({{"path", root}}); };
  s.stream = c::StreamName("", "t");
  s.rows = 5'000;
  source_conformance(runtime(), s);
}

// Both records' items, "form:text" joined.
std::string parsed(const std::string& text, bool csv, json configuration = json::object()) {
  const std::string path = new_directory() + (csv ? "/a.csv" : "/a.jsonl");
  put(path, text);
  configuration["path"] = path;
  const auto reader = fl::open_records(path, fl::source_config(configuration.dump()));
  fl::Record record;
  std::string out;
  while (reader->next(record)) {
    out += out.empty() ? "" : "|";
    if (!record.error.empty()) out += "!" + record.error;
    for (std::size_t i = 0; record.error.empty() && i < record.items.size(); ++i)
      out += (i > 0 ? "," : "") +
             (record.items[i].form == fl::Item::Form::missing ? "-" : "'" + record.items[i].text + "'");
  }
  return out;
}

}  // namespace

TEST_CASE("the files source conforms: CSV") { conforms_as_source(true, fl::Compression::none, ".csv"); }
TEST_CASE("the files source conforms: JSONL, gzip") { conforms_as_source(false, fl::Compression::gzip, ".jsonl.gz"); }
TEST_CASE("the files source conforms: CSV, zstd") { conforms_as_source(true, fl::Compression::zstd, ".csv.zst"); }

TEST_CASE("the files destination conforms: JSONL") { conforms_as_destination("jsonl", "none"); }
TEST_CASE("the files destination conforms: CSV, gzip") { conforms_as_destination("csv", "gzip"); }
TEST_CASE("the files destination conforms: JSONL, zstd") { conforms_as_destination("jsonl", "zstd"); }

TEST_CASE("CSV is read as RFC 4180 has it, and null is told from an empty text") {
  CHECK(parsed("a,b\n1,2\r\n3,\n", true) == "'1','2'|'3',-");
  CHECK(parsed("a,b\n\"x, \"\"y\"\"\n z\",\"\"\n", true) == "'x, \"y\"\n z',''");
  CHECK(parsed("\xef\xbb\xbf"
               "a,b\n1,2",
               true) == "'1','2'");
  CHECK(parsed("a,b\n\n1,2\n\n", true) == "'1','2'");
  CHECK(parsed("a\n\n\"\"\n1\n", true) == "-|''|'1'");
  CHECK(
      parsed("a,b\n1\n1,2,3\n\"x\"y,2\n1,\"open\n", true) ==
      "!1 fields where the file has 2 columns|!3 fields where the file has 2 columns|!text after the closing quote|!a "
      "quote is not closed");
  CHECK(parsed("1;2\n;4\n", true, {{"header", false}, {"delimiter", ";"}}) == "'1','2'|-,'4'");
  CHECK(parsed("a,b\nNULL,\"NULL\"\n,x\n", true, {{"null_value", "NULL"}}) == "-,'NULL'|'','x'");
}

TEST_CASE("JSONL is read line by line, numbers as they are written") {
  CHECK(parsed("{\"a\": 1.50, \"b\": \"x\\n\\u00e9\\ud83d\\ude00\\\"\"}\r\n\n{\"b\":[1,{\"c\":\"]\"}],\"a\":null}",
               false) == "'1.50','x\n\xc3\xa9\xf0\x9f\x98\x80\"'|'[1,{\"c\":\"]\"}]','null'");
  CHECK(parsed("[1]\n{\"a\":}\nx\n{\"a\":true}", false) ==
        "!not a JSON object|!not a JSON object|!not a JSON object|'true'");
}

TEST_CASE("types are inferred from what every value fits as it is written") {
  const std::string root = new_directory();
  put(root + "/t.csv",
      "i,n,z,b,d,ts,tz,s,none,mixed\n1,1.5,007,true,2026-01-01,2026-01-01 10:00:00,2026-01-01T10:00:00Z,x,,1\n"
      "-20,2,1,false,2026-12-31,2026-01-01,2026-01-01 10:00:00+02,,,y\n");
  put(root + "/j.jsonl",
      "{\"i\":1,\"n\":1,\"s\":\"2026-01-01\",\"b\":true,\"o\":{\"a\":1},\"m\":1,\"x\":null}\n"
      "{\"i\":20,\"n\":1.50,\"s\":\"\",\"b\":false,\"l\":[1],\"m\":\"1\",\"big\":123456789012345678901}\n");
  auto files = source({{"path", root}});
  const auto catalog = run(runtime(), files->discover());
  CHECK(
      shape(find_stream(catalog, "", "t")) ==
      "i bigint, n numeric, z text, b boolean, d date, ts timestamp without time zone, tz timestamp with time zone, s "
      "text, none text, mixed text");
  CHECK(shape(find_stream(catalog, "", "j")) ==
        "i bigint, n numeric, s text, b boolean, o jsonb, m jsonb, x text, l jsonb, big numeric");
  CHECK(rows_of(*files, c::StreamName("", "j")) ==
        "(1,1,2026-01-01,t,\"{\"\"a\"\": 1}\",1,,,) (20,1.50,\"\",f,,\"\"\"1\"\"\",,[1],123456789012345678901)");
  auto given = source(
      {{"path", root + "/t.csv"}, {"columns", {{{"name", "z"}, {"type", "int4"}}, {{"name", "s"}, {"type", "text"}}}}});
  CHECK(rows_of(*given, c::StreamName("", "t")) == "(1,) (7,x)");
}

TEST_CASE("directories, files and patterns name the streams") {
  const std::string root = new_directory();
  for (const char* file : {"a.csv", "b.jsonl.gz", "sales/orders/1.csv", "sales/orders/2.csv", "x/1.csv", "x/notes.txt",
                           ".hidden/1.csv", "_tmp/1.csv"})
    put(root + "/" + file, std::string(file).ends_with("gz") ? "{\"id\":1}\n" : "id\n1\n",
        std::string(file).ends_with("gz") ? fl::Compression::gzip : fl::Compression::none);
  CHECK((names(run(runtime(), source({{"path", root}})->discover())) ==
         std::vector<std::string>{"a", "b", "x", "sales.orders"}));
  CHECK((names(run(runtime(), source({{"path", root + "/a.csv"}})->discover())) == std::vector<std::string>{"a"}));
  CHECK((names(run(runtime(), source({{"path", root + "/**/*.csv"}, {"stream", "all"}})->discover())) ==
         std::vector<std::string>{"all"}));
  CHECK(rows_of(*source({{"path", root + "/**/*.csv"}, {"stream", "all"}}), c::StreamName("", "all")) ==
        "(1) (1) (1) (1)");
  CHECK((names(run(runtime(), source({{"path", root + "/sales/orders/[12].csv"}})->discover())) ==
         std::vector<std::string>{"orders"}));
}

TEST_CASE("a row that does not fit stops the stream by file and line, or is put aside once") {
  const std::string root = new_directory(), rejects = new_directory();
  put(root + "/t/1.csv", "id,n\n1,2\n2,x\n3\n4,5\n");
  const json columns = {{{"name", "id"}, {"type", "bigint"}}, {{"name", "n"}, {"type", "integer"}}};
  auto strict = source({{"path", root}, {"columns", columns}});
  CHECK(code_of([&] { rows_of(*strict, c::StreamName("", "t")); }) == "files.bad_row");
  auto lenient = source({{"path", root}, {"columns", columns}, {"rejects", rejects}});
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(rows_of(*lenient, c::StreamName("", "t")) == "(1,2) (4,5)");
    std::ifstream in(rejects + "/t-0000.jsonl");
    std::string line;
    REQUIRE(std::getline(in, line));
    const json first = json::parse(line);
    CHECK(first["line"] == 3);
    CHECK(first["reason"] == "column n: no integer: x");
    CHECK(first["items"] == json({{"id", "2"}, {"n", "x"}}));
    REQUIRE(std::getline(in, line));
    CHECK(json::parse(line)["text"] == "3");
    CHECK_FALSE(std::getline(in, line));
  }
}

TEST_CASE("every type goes from PostgreSQL to files and back with no difference") {
  const std::string from = new_database();
  cluster().psql(
      from,
      "create table t (id int primary key, b boolean, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, "
      "n2 "
      "numeric(12,2), s text, c char(5), y bytea, u uuid, j json, jb jsonb, x xml, d date, tm time, tz timetz, ts "
      "timestamp, tstz timestamptz, iv interval, ia int[], ta text[], na numeric[], ja jsonb[], tsa timestamptz[], ip "
      "inet, ma macaddr, bi bit(4), o oid, p point, tv tsvector, r int4range, \"Odd, \"\"n\" text);"
      "insert into t (id) values (0);"
      "insert into t values (1, true, -32768, -9223372036854775808, 3.4028235e38, -0.0, repeat('9', 1000)::numeric / "
      "7, "
      "-12.50, E'line\\nbreak,\\ttab \"quote\" \\\\ ', 'ab', '\\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', "
      "E'{\"a\" :\\n 1.50 }', '{\"b\": [1, null, 1e3]}', '<a>b</a>', '0044-03-15 BC', '24:00', '04:05:06.789+05:30', "
      "'4713-01-01 00:00:00 BC', '2026-03-29 01:30:00.000001+01', '1 year -2 mons 3 days 04:05:06.789', "
      "'[0:2]={1,NULL,3}', '{a,\"b c\",NULL,\"NULL\",\"\",\"q\\\"\"}', '{{1.50,NaN},{2,3}}', '{null,\"{}\",NULL}', "
      "'{\"2026-01-01 00:00:00+00\"}', '2001:db8::/32', '08:00:2b:01:02:03', '0101', 4294967295, '(1.5,-2)', 'a:1 "
      "b:2', "
      "'[1,10)', '');"
      "insert into t (id, s, c, f4, f8, n, jb, j, d, ts, tstz, ia, ta) values (2, '', '', 'NaN', 'Infinity', 'NaN', "
      "'null', '\"007\"', 'infinity', '-infinity', 'infinity', '{}', '{}'), (3, '\\N', '', '-Infinity', 1e-300, "
      "'-0.000100', '\"x\"', '1.50', '5874897-12-31', '294276-12-31 23:59:59.999999', null, '{{1,2},{3,4}}', null);");
  // A line of JSONL can't hold the line break between two parts of a json document: there it is a space.
  const std::string rows =
      "set timezone = 'UTC'; select string_agg(replace(t::text, E':\\n 1.50', ':  1.50'), E'\\n' order by id) from t";
  const std::string types =
      "select string_agg(format_type(atttypid, atttypmod), ',' order by attnum) from pg_attribute where attrelid = "
      "'t'::regclass and attnum > 0";
  for (const json& way :
       {json{{"format", "jsonl"}}, json{{"format", "csv"}, {"compression", "zstd"}},
        json{{"format", "csv"}, {"delimiter", "tab"}, {"null_value", "\\N"}, {"compression", "gzip"}}}) {
    INFO(way);
    const std::string root = new_directory(), to = new_database();
    json configuration = way;
    configuration["path"] = root;
    auto pg = postgres_source(from);
    auto there = destination(configuration);
    const auto stream = find_stream(run(runtime(), pg->discover()), "public", "t");
    auto target = target_of(stream, "public", "t", 0);
    CHECK(sync(*pg, *there, target, configured(stream)) == 4);
    auto back = source(configuration);
    auto pg_to = postgres_destination(to);
    const auto again = find_stream(run(runtime(), back->discover()), "public", "t");
    auto target_back = target_of(again, "public", "t", 0);
    CHECK(sync(*back, *pg_to, target_back, configured(again)) == 4);
    CHECK(cluster().query(to, rows) == cluster().query(from, rows));
    CHECK(cluster().query(to, types) == cluster().query(from, types));
  }
}

TEST_CASE("an overwrite swaps the directory whole, an append adds files, each load once") {
  const std::string root = new_directory(), made = new_directory();
  put(made + "/t.csv", "id,name\n1,a\n2,b\n");
  auto from = source({{"path", made}});
  auto to = destination({{"path", root}, {"format", "csv"}});
  const auto stream = find_stream(run(runtime(), from->discover()), "", "t");
  auto target = target_of(stream, "", "t", 0);
  sync(*from, *to, target, configured(stream));
  CHECK(content(root + "/t") == "1:a,2:b");
  put(made + "/t.csv", "id,name\n3,c\n");
  sync(*from, *to, target, configured(stream));
  CHECK(content(root + "/t") == "3:c");
  CHECK(content(root + "/.millrace/" + fs::directory_iterator(root + "/.millrace")->path().filename().string() +
                "/former") == "1:a,2:b");
  target.sync_mode = c::SyncMode::full_refresh_append;
  put(made + "/t.csv", "id,name\n4,d\n");
  sync(*from, *to, target, configured(stream));
  CHECK(content(root + "/t") == "3:c,4:d");
  // A publication that was cut off before its note was written is found done.
  ++target.generation;
  auto writer = run(runtime(), to->open_stream(target, "x", 1));
  const auto plan = run(runtime(), from->plan(configured(stream), c::PlanOptions()));
  run(runtime(), copy_split(runtime().runtime(), *from, *writer, configured(stream), plan.splits.at(0)));
  run(runtime(), writer->finish({"0000"}, 1));
  const std::string state =
      root + "/.millrace/" + fs::directory_iterator(root + "/.millrace")->path().filename().string();
  const std::string before = fl::read_whole(state + "/load.json");
  CHECK_FALSE(run(runtime(), to->publish(target)).already_done);
  fl::write_whole(state + "/load.json", before);
  CHECK_FALSE(run(runtime(), to->publish(target)).already_done);
  CHECK(run(runtime(), to->publish(target)).already_done);
  CHECK(std::distance(fs::directory_iterator(root + "/t"), fs::directory_iterator()) ==
        4);  // three loads, the manifest
}

TEST_CASE("a directory of files is refreshed, undone, cleared and looked at") {
  const std::string root = new_directory(), made = new_directory();
  put(made + "/t.csv", "id,name\n1,a\n");
  auto from = source({{"path", made}});
  auto to = destination({{"path", root}});
  const auto stream = find_stream(run(runtime(), from->discover()), "", "t");
  auto target = target_of(stream, "x/y", "_t", 0);
  const std::string directory = root + "/x%2Fy/%5Ft";
  target.sync_mode = c::SyncMode::full_refresh_append;
  CHECK(run(runtime(), to->preview(target)).action == "create");
  sync(*from, *to, target, configured(stream));
  put(made + "/t.csv", "id,name\n2,b\n");
  sync(*from, *to, target, configured(stream));
  CHECK(content(directory) == "1:a,2:b");
  CHECK(run(runtime(), to->preview(target)).action == "write");
  auto undo = target;
  undo.generation = 3;
  const auto back = run(runtime(), to->undo(undo, 2));
  CHECK(back.rows == 1);
  CHECK(back.newest);
  CHECK(run(runtime(), to->undo(undo, 2)).newest);  // an attempt whose answer was lost
  CHECK(content(directory) == "1:a");

  target.generation = target.load_id = 3;
  target.replace = true;
  sync(*from, *to, target, configured(stream));
  CHECK(content(directory) == "2:b");
  undo.generation = 5;
  undo.replace = true;
  CHECK(run(runtime(), to->undo(undo, 4)).rows == 1);
  CHECK(content(directory) == "1:a");
  const auto owned = run(runtime(), to->owned_tables("connection-1"));
  REQUIRE(owned.size() == 1);
  CHECK((owned[0].ns == "x/y" && owned[0].name == "_t"));
  auto clear = target;
  clear.generation = 6;
  CHECK(run(runtime(), to->clear(clear)) == 1);
  CHECK(run(runtime(), to->clear(clear)) == 0);
  CHECK(content(directory).empty());
  CHECK(code_of([&] { run(runtime(), to->open_stream(target, "x", 1)); }) == "destination.fenced");
}

TEST_CASE("an incremental read of files takes those that are new or changed") {
  const std::string root = new_directory();
  put(root + "/t/1.csv", "id\n1\n");
  auto files = source({{"path", root}, {"file_columns", true}});
  const auto found = find_stream(run(runtime(), files->discover()), "", "t");
  CHECK(shape(found) == "id bigint, _ab_source_file_url text, _ab_source_file_last_modified timestamp with time zone");
  auto stream = configured(found);
  stream.sync_mode = c::SyncMode::incremental_append;
  stream.cursor_field = found.cursor_candidates;
  const auto bounds = [&] {
    const auto plan = run(runtime(), files->plan(stream, c::PlanOptions()));
    stream.state = plan.state;
    std::string out;
    for (const auto& split : plan.splits) {
      const json parsed_bounds = json::parse(split.bounds);
      for (const auto& file : parsed_bounds["files"])
        out += fs::path(file["path"].get<std::string>()).filename().string() + " ";
    }
    return out;
  };
  CHECK(bounds() == "1.csv ");
  CHECK(bounds().empty());
  put(root + "/t/2.csv", "id\n2\n");
  CHECK(bounds() == "2.csv ");
  put(root + "/t/1.csv", "id\n1\n3\n");
  CHECK(bounds() == "1.csv ");
  const auto plain = find_stream(run(runtime(), source({{"path", root}})->discover()), "", "t");
  CHECK(plain.sync_modes.size() == 3);
}

TEST_CASE("check of files says what is wrong") {
  const std::string root = new_directory();
  const auto of_source = [](json j) { return run(runtime(), source(std::move(j))->check()); };
  const auto of_destination = [](const std::string& path) {
    return run(runtime(), destination({{"path", path}})->check());
  };
  CHECK(of_source({{"path", "data"}}).code == "path.not_absolute");
  CHECK(of_source({{"path", root + "/none.csv"}}).code == "path.missing");
  CHECK(of_source({{"path", root + "/*.csv"}}).code == "path.missing");
  CHECK(of_source({{"path", root}}).ok);
  CHECK(of_source({{"path", root}}).warnings.size() == 1);
  CHECK(of_destination("data").code == "path.not_absolute");
  CHECK(of_destination(root + "/no/such").code == "path.missing");
  CHECK(of_destination(root + "/new").ok);
  put(root + "/bad.csv.gz", "not gzip");
  CHECK(code_of([&] { run(runtime(), source({{"path", root + "/bad.csv.gz"}})->discover()); }) ==
        "files.bad_compression");
  const std::string whole = fl::compressed(lines(0, 1000, true), fl::Compression::zstd);
  std::ofstream(root + "/cut.csv.zst", std::ios::binary) << whole.substr(0, whole.size() / 2);
  auto cut = source({{"path", root + "/cut.csv.zst"}, {"columns", {{{"name", "id"}, {"type", "int8"}}}}});
  CHECK(code_of([&] { rows_of(*cut, c::StreamName("", "cut")); }) == "files.bad_compression");
  CHECK(code_of([&] { fl::source_config(R"({"path":"/x","delimiter":"ab"})"); }) == "connector.config_invalid");
  CHECK(code_of([&] { fl::source_config(R"({"path":"/x","columns":[{"name":"a","type":"nope"}]})"); }) ==
        "connector.config_invalid");
}

}  // namespace millrace::test
