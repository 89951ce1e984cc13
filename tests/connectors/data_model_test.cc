#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/task_group.h"
#include "connectors/pipe.h"
#include "connectors/postgres/split_writer.h"
#include "connectors/registry.h"
#include "connectors/source.h"
#include "tests/connectors/row_reader_check.h"
#include "tests/support/run.h"

namespace millrace::connectors {
namespace {

RealRuntime& runtime() {
  static RealRuntime instance;
  return instance;
}

SchemaPtr schema_of_width(std::size_t width) {
  auto s = std::make_shared<Schema>();
  for (std::size_t i = 0; i < width; ++i) {
    Field f;
    f.name = "f" + std::to_string(i);
    s->fields.push_back(f);
  }
  return s;
}

using Row = std::vector<std::optional<std::string>>;

RowBatch batch_of(const std::vector<Row>& rows, std::size_t width) {
  RowBatch batch(schema_of_width(width), {});
  RowWriter writer(batch);
  for (const Row& row : rows) {
    writer.begin_row(static_cast<std::uint16_t>(row.size()));
    for (const auto& value : row) {
      if (value)
        writer.bytes(*value);
      else
        writer.null();
    }
    writer.end_row();
  }
  return batch;
}

RowBatch batch_of_one(const std::string& value) { return batch_of({{value}}, 1); }

std::vector<Row> rows_of(const RowBatch& batch) {
  std::vector<Row> out;
  RowReader reader(batch);
  std::vector<RowReader::FieldView> fields;
  while (reader.next(fields)) {
    Row row;
    for (const auto& f : fields)
      row.push_back(f.length == kNullField ? std::nullopt : std::optional<std::string>(f.bytes));
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

TEST_CASE("what RowWriter writes RowReader reads, for any fields") {
  CHECK(rc::check("rows read back", [] {
    const auto width = *rc::gen::inRange<std::size_t>(0, 8);
    const auto field = rc::gen::maybe(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    std::vector<Row> rows;
    const auto maybe_rows = *rc::gen::container<std::vector<std::vector<rc::Maybe<std::string>>>>(
        rc::gen::container<std::vector<rc::Maybe<std::string>>>(width, field));
    for (const auto& r : maybe_rows) {
      Row row;
      for (const auto& f : r) row.push_back(f ? std::optional<std::string>(*f) : std::nullopt);
      rows.push_back(std::move(row));
    }
    const RowBatch batch = batch_of(rows, width);
    RC_ASSERT(batch.rows() == rows.size());
    RC_ASSERT(rows_of(batch) == rows);
  }));
}

TEST_CASE("RowReader takes any bytes: whole rows or connector.bad_row, never more") {
  CHECK(rc::check("any bytes", [] {
    const auto bytes = *rc::gen::container<std::string>(
        rc::gen::weightedOneOf<char>({{3, rc::gen::element<char>(0, 1, 2, -1)}, {1, rc::gen::arbitrary<char>()}}));
    test::check_row_reader(bytes);
  }));
}

TEST_CASE("golden bytes of a row") {
  const RowBatch batch = batch_of({{std::string("ab"), std::nullopt, std::string()}}, 3);
  CHECK(batch.bytes() == std::string_view("\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0", 16));
}

TEST_CASE("a row of another width than the schema's is refused") {
  const RowBatch batch = batch_of({{std::nullopt}}, 2);
  CHECK_THROWS_AS(rows_of(batch), Error);
}

TEST_CASE("widened tuples are the tuples with two fields more") {
  CHECK(rc::check("widened", [] {
    const auto values =
        *rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
    std::vector<Row> rows, wide;
    for (const auto& v : values) {
      rows.push_back({v, std::nullopt});
      wide.push_back({v, std::nullopt, std::string("12345678"), std::string("abcdefgh")});
    }
    std::vector<char> out;
    const RowBatch batch = batch_of(rows, 2);
    postgres::widen_tuples(batch.bytes(), batch.rows(),
                           std::string_view("\0\0\0\10"
                                            "12345678"
                                            "\0\0\0\10"
                                            "abcdefgh",
                                            24),
                           out);
    RC_ASSERT(std::string_view(out.data(), out.size()) == batch_of(wide, 4).bytes());
  }));
  std::vector<char> out;
  CHECK_THROWS_AS(postgres::widen_tuples(std::string_view("\0\1\0\0\0\5ab", 8), 1, "", out), Error);
}

namespace {

asio::awaitable<void> write_numbers(Pipe& pipe, int count, std::size_t size, int& written) {
  for (int i = 0; i < count; ++i) {
    RowBatch batch = batch_of_one(std::string(size, static_cast<char>('a' + i % 26)));
    co_await pipe.write(std::move(batch));
    written = i + 1;
  }
  Checkpoint done;
  done.id = "0000";
  done.rows = count;
  co_await pipe.checkpoint(done);
  pipe.close_writer();
}

asio::awaitable<int> read_all(Runtime rt, Pipe& pipe, int count, std::size_t size) {
  int written = 0, got = 0;
  TaskGroup group(rt);
  group.spawn("write", write_numbers(pipe, count, size, written));
  bool checkpoint_last = false;
  while (auto item = co_await pipe.read()) {
    checkpoint_last = std::holds_alternative<Checkpoint>(*item);
    if (checkpoint_last) continue;
    auto& batch = std::get<RowBatch>(*item);
    if (rows_of(batch)[0][0]->at(0) != 'a' + got % 26) throw std::runtime_error("out of order");
    ++got;
    pipe.recycle(std::move(batch));
  }
  co_await group.join();
  if (!checkpoint_last) throw std::runtime_error("the checkpoint is not last");
  co_return got;
}

}  // namespace

TEST_CASE("a pipe hands everything over in order, items larger than its bound too") {
  for (const std::size_t size : {1, 1'000, 100'000}) {
    Pipe pipe(runtime().runtime(), 10'000);
    CHECK(test::run(runtime(), read_all(runtime().runtime(), pipe, 300, size)) == 300);
  }
}

TEST_CASE("a writer waits while the bound is reached, and is let go when the reader closes") {
  Pipe pipe(10'000);
  int written = 0;
  auto body = [](Runtime rt, Pipe& p, int& n) -> asio::awaitable<bool> {
    TaskGroup group(rt);
    group.spawn_on(co_await asio::this_coro::executor, "write", write_numbers(p, 100, 4'000, n));
    while (n < 2) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    for (int i = 0; i < 100; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    const bool stopped_at_bound = n == 2;
    p.close_reader();
    co_await group.join();  // Cancelled is no failure
    co_return stopped_at_bound;
  };
  CHECK(test::run(runtime(), body(runtime().runtime(), pipe, written)));
  CHECK(written == 2);
}

TEST_CASE("a reader gets what is queued before the writer's error") {
  Pipe pipe;
  auto body = [](Pipe& p) -> asio::awaitable<std::string> {
    RowBatch one = batch_of_one("x");
    co_await p.write(std::move(one));
    p.close_writer(std::make_exception_ptr(Error("connector.snapshot_lost", "gone")));
    auto first = co_await p.read();
    if (!first) co_return "nothing";
    try {
      co_await p.read();
    } catch (const Error& e) {
      co_return std::string(e.code());
    }
    co_return "no error";
  };
  CHECK(test::run(runtime(), body(pipe)) == "connector.snapshot_lost");
}

TEST_CASE("plans and targets read back from their JSON") {
  StreamTarget t;
  t.connection_id = "c";
  t.source_name = StreamName("a", "b");
  t.ns = "n";
  t.name = "x\"y";
  t.schema = schema_of_width(2);
  t.sync_mode = SyncMode::full_refresh_append;
  t.primary_key = {"f0"};
  t.generation = 1LL << 60;
  t.load_id = 7;
  t.extracted_at_us = -5;
  t.adopt = true;
  const auto back = stream_target_from_json(to_json(t));
  CHECK(to_json(back) == to_json(t));
  CHECK(*back.schema == *t.schema);
  CHECK(back.generation == t.generation);
  CHECK_THROWS_AS(stream_target_from_json("{}"), Error);
  CHECK_THROWS_AS(split_plan_from_json(R"({"splits":[],"consistency":"?","resumable":true})"), Error);
}

TEST_CASE("the registry finds connectors by name, either definition id, and URL") {
  Registry registry;
  register_all(registry);
  const Connector* pg = registry.by_name("postgres");
  REQUIRE(pg != nullptr);
  CHECK(registry.by_definition_id("decd338e-5647-4c0b-adf4-da0e75f5a750") == pg);
  CHECK(registry.by_definition_id("25c5221d-dce2-4163-ade9-739ef790f503") == pg);
  CHECK(registry.by_url("postgres://h/d") == pg);
  CHECK(registry.by_url("datagen:?rows=5") == registry.by_name("datagen"));
  CHECK(registry.by_url("gopher://x") == nullptr);
  CHECK(registry.by_url("nothing") == nullptr);
  CHECK(registry.all().size() == 4);
  CHECK(registry.by_url("sqlite:a.db") == registry.by_name("sqlite"));
  CHECK(registry.by_url("file:///srv/a") == registry.by_name("files"));
}

}  // namespace millrace::connectors
