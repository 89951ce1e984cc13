#include <catch2/catch.hpp>

#include "common/errors.h"
#include "tests/connectors/postgres_fixture.h"

namespace millrace::test {
namespace {

// One stream (id bigint, name text) into dw.t of a database of its own.
class Load {
 public:
  explicit Load(std::string user = "", bool keys = false) : db_(new_database()) {
    cluster().psql(db_, "create schema dw");
    if (!user.empty()) {
      cluster().psql("postgres", "drop role if exists " + user + "; create role " + user + " login");
      cluster().psql(
          db_, "grant create on database " + db_ + " to " + user + "; grant usage, create on schema dw to " + user);
    }
    auto config = c::postgres::destination_config(configuration(db_));
    if (!user.empty()) config.parameters.user = user;
    destination_ = std::make_unique<c::postgres::PostgresDestination>(runtime().runtime(), config);
    c::Field id, name;
    id.name = "id";
    id.type = c::Type(c::Kind::int64, "bigint");
    name.name = "name";
    stream_.name = c::StreamName("src", "t");
    stream_.schema.fields = {id, name};
    keys_ = keys;
  }
  ~Load() { run(runtime(), destination_->close()); }

  c::StreamTarget target(std::int64_t generation) const {
    auto t = target_of(stream_, "dw", "t", generation);
    t.primary_key = {"id"};
    t.add_keys = keys_;
    t.adopt = adopt;
    return t;
  }
  std::unique_ptr<c::StreamWriter> open(std::int64_t generation, std::uint32_t attempt = 1) {
    return run(runtime(),
               destination_->open_stream(
                   target(generation), "token-" + std::to_string(generation) + "-" + std::to_string(attempt), attempt));
  }
  c::RowBatch batch(std::int64_t from, std::int64_t to) const {
    c::RowBatch rows(std::make_shared<const c::Schema>(stream_.schema), {});
    for (std::int64_t i = from; i <= to; ++i) {
      c::RowWriter row(rows);
      row.begin_row(2);
      row.integer(i);
      row.text("n" + std::to_string(i));
      row.end_row();
    }
    return rows;
  }
  c::Checkpoint checkpoint(const std::string& id, std::int64_t rows) const {
    c::Checkpoint c;
    c.id = id;
    c.state = "{}";
    c.rows = rows;
    c.complete = true;
    return c;
  }
  // Loads rows 1..n as a generation, ready to publish.
  void load(std::int64_t generation, std::int64_t n) {
    auto w = open(generation);
    auto s = run(runtime(), w->open_split("0000"));
    const auto rows = batch(1, n);
    run(runtime(), s->write(rows));
    run(runtime(), s->commit(checkpoint("0000", n)));
    run(runtime(), w->finish({"0000"}, n));
  }
  c::PublishResult publish(std::int64_t generation) {
    return run(runtime(), destination_->publish(target(generation)));
  }
  c::PublishResult load_and_publish(std::int64_t generation, std::int64_t n) {
    load(generation, n);
    return publish(generation);
  }
  void sql(const std::string& text) { cluster().psql(db_, text); }
  std::string query(const std::string& text) { return cluster().query(db_, text); }
  bool noted(const c::PublishResult& result, const std::string& text) const {
    return std::any_of(result.notes.begin(), result.notes.end(),
                       [&](const std::string& n) { return n.find(text) != std::string::npos; });
  }
  const std::string& db() const { return db_; }
  bool adopt = false;

 private:
  std::string db_;
  std::unique_ptr<c::postgres::PostgresDestination> destination_;
  c::Stream stream_;
  bool keys_ = false;
};

}  // namespace

TEST_CASE("a swap keeps owner, grants, comments, indexes, constraints, options, views and foreign keys") {
  Load t;
  t.load_and_publish(1, 3);
  const auto relation = t.query("select 'dw.t'::regclass::oid");
  t.sql(
      "drop role if exists reader; create role reader; drop role if exists owner_x; create role owner_x; grant all on "
      "schema dw to owner_x; "
      "alter table dw.t owner to owner_x; grant select on dw.t to reader; grant update (name) on dw.t to reader; grant "
      "select on dw.t to public; "
      "comment on table dw.t is 'the ''t'''; comment on column dw.t.name is 'its name'; alter table dw.t add "
      "constraint t_key primary key (id); "
      "create index t_name on dw.t (lower(name)) where id > 1; alter table dw.t add constraint positive check (id > "
      "0); alter table dw.t set (fillfactor = 70); "
      "create view dw.v with (security_barrier = true) as select id, name from dw.t; create view dw.vv as select "
      "count(*) n from dw.v; grant select on dw.v to reader; "
      "create table dw.child (id bigint references dw.t (id) on delete cascade); insert into dw.child values (2)");
  const auto result = t.load_and_publish(2, 5);
  CHECK(result.rows == 5);
  CHECK(t.query("select 'dw.t'::regclass::oid") != relation);
  CHECK(t.query("select count(*) from dw.t") == "5");
  CHECK(t.query("select count(*) from dw.v") == "5");
  CHECK(t.query("select n from dw.vv") == "5");
  CHECK(t.query("select pg_get_userbyid(relowner) from pg_class where oid = 'dw.t'::regclass") == "owner_x");
  CHECK(
      t.query(
          "select has_table_privilege('reader', 'dw.t', 'select'), has_column_privilege('reader', 'dw.t', 'name', "
          "'update'), "
          "has_column_privilege('reader', 'dw.t', 'id', 'update'), has_table_privilege('reader', 'dw.v', 'select')") ==
      "t|t|f|t");
  CHECK(t.query("select relacl::text like '%=r/%' from pg_class where oid = 'dw.t'::regclass") == "t");
  CHECK(t.query("select obj_description('dw.t'::regclass), col_description('dw.t'::regclass, 2)") ==
        "the 't'|its name");
  CHECK(t.query("select string_agg(indexname, ',' order by indexname) from pg_indexes where schemaname = 'dw' and "
                "tablename = 't'") == "t_key,t_name");
  CHECK(t.query("select indexdef from pg_indexes where indexname = 't_name'") ==
        "CREATE INDEX t_name ON dw.t USING btree (lower(name)) WHERE (id > 1)");
  CHECK(t.query(
            "select string_agg(conname, ',' order by conname) from pg_constraint where conrelid = 'dw.t'::regclass") ==
        "positive,t_key");
  CHECK(t.query("select reloptions::text from pg_class where oid = 'dw.t'::regclass") == "{fillfactor=70}");
  CHECK(t.query("select reloptions::text from pg_class where oid = 'dw.v'::regclass") == "{security_barrier=true}");
  CHECK(t.query("select confrelid::regclass from pg_constraint where conrelid = 'dw.child'::regclass") == "dw.t");
  CHECK(t.query("select count(*) from dw.child") == "1");
  CHECK(t.noted(result, "dw.v was re-created"));
  CHECK(t.noted(result, "foreign key"));
  CHECK(t.query("select count(*) from information_schema.tables where table_schema = 'millrace' and table_name like "
                "'former_%'") == "1");
  CHECK(t.query("select sum(n_live_tup) is not null, count(*) > 0 from pg_stats, pg_stat_user_tables where tablename = "
                "'t'") == "t|t");

  // Once more: the former table makes way, and all is still there.
  t.load_and_publish(3, 4);
  CHECK(t.query("select (select count(*) from dw.t), (select n from dw.vv), (select count(*) from pg_indexes where "
                "schemaname = 'dw' and tablename = 't')") == "4|4|2");
  CHECK(t.query("select count(*) from information_schema.tables where table_schema = 'millrace' and (table_name like "
                "'former_%' or table_name like 'stage_%')") == "1");
}

TEST_CASE("a swap keeps NOT NULL, and says which columns of the former table it leaves") {
  Load t;
  t.load_and_publish(1, 3);
  t.sql("alter table dw.t alter name set not null; alter table dw.t add mine int; update dw.t set mine = 7");
  auto result = t.load_and_publish(2, 5);
  CHECK(t.noted(result, "columns that the stream does not have are not in the new table: \"mine\""));
  CHECK(
      t.query("select string_agg(attname || attnotnull::text, ',' order by attnum) from pg_attribute where attrelid = "
              "'dw.t'::regclass and attnum > 0") == "idfalse,nametrue");
  const auto former = t.query(
      "select table_name from information_schema.tables where table_schema = 'millrace' and "
      "table_name like 'former_%'");
  CHECK(t.query("select sum(mine) from millrace.\"" + former + "\"") == "21");

  // Inside the table, where something can't follow to another one, the column stays.
  t.sql("alter table dw.t add mine int default 7");
  result = t.load_and_publish(3, 4);
  CHECK(t.noted(result, "column default"));
  CHECK(t.noted(result, "columns that the stream does not have"));
  CHECK(t.query("select count(*), sum(mine) from dw.t") == "4|28");
}

TEST_CASE("a foreign key whose rows would vanish stops the swap, and the former table stands") {
  Load t;
  t.load_and_publish(1, 3);
  t.sql(
      "alter table dw.t add primary key (id); create table dw.child (id bigint references dw.t (id)); insert into "
      "dw.child values (3)");
  t.load(2, 2);
  CHECK(code_of([&] { t.publish(2); }) == "destination.dependants");
  CHECK(t.query("select count(*) from dw.t") == "3");
  t.sql("delete from dw.child");
  CHECK(t.publish(2).rows == 2);
  CHECK(t.query("select count(*) from dw.t") == "2");
}

TEST_CASE("what can't follow to another table makes the rows change inside it") {
  Load t;
  t.load_and_publish(1, 3);
  const auto relation = t.query("select 'dw.t'::regclass::oid");
  std::string what, reason;
  SECTION("a materialized view") {
    what = "create materialized view dw.m as select * from dw.t";
    reason = "materialized view";
  }
  SECTION("a trigger") {
    what =
        "create function dw.f() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before "
        "insert on dw.t for each row execute function dw.f()";
    reason = "trigger tr";
  }
  SECTION("row level security") {
    what = "alter table dw.t enable row level security; create policy p on dw.t using (true)";
    reason = "row level security";
  }
  SECTION("a publication") {
    what = "create publication pub_" + t.db() + " for table dw.t";
    reason = "publication";
  }
  SECTION("a function that returns its rows") {
    what = "create function dw.g() returns setof dw.t language sql as 'select * from dw.t'";
    reason = "function";
  }
  t.sql(what);
  const auto result = t.load_and_publish(2, 7);
  CHECK(result.rows == 7);
  CHECK(t.query("select 'dw.t'::regclass::oid") == relation);
  CHECK(t.query("select count(*) from dw.t") == "7");
  CHECK(t.noted(result, reason));
  CHECK(t.noted(result, "not kept"));
  CHECK(t.publish(2).already_done);
}

TEST_CASE("keys are added before the swap; rows that do not fit them stop it") {
  Load t("", true);
  t.load_and_publish(1, 3);
  CHECK(t.query("select pg_get_constraintdef(oid), conname from pg_constraint where conrelid = 'dw.t'::regclass") ==
        "PRIMARY KEY (id)|t_pkey");
  t.load_and_publish(2, 4);
  t.load_and_publish(3, 5);
  CHECK(t.query("select pg_get_constraintdef(oid), conname from pg_constraint where conrelid = 'dw.t'::regclass") ==
        "PRIMARY KEY (id)|t_pkey");
  auto w = t.open(4);
  auto s = run(runtime(), w->open_split("0000"));
  const auto rows = t.batch(1, 2);
  run(runtime(), s->write(rows));
  run(runtime(), s->write(rows));
  run(runtime(), s->commit(t.checkpoint("0000", 4)));
  run(runtime(), w->finish({"0000"}, 4));
  CHECK(code_of([&] { t.publish(4); }) == "destination.key_violated");
  CHECK(t.query("select count(*) from dw.t") == "5");
}

TEST_CASE("an ordinary role without superuser rights can load, swap and adopt its own table") {
  Load t("loader");
  t.load_and_publish(1, 3);
  t.sql(
      "drop role if exists reader2; create role reader2; grant select on dw.t to reader2; create view dw.theirs as "
      "select * from dw.t");  // postgres owns the view
  const auto result = t.load_and_publish(2, 4);
  CHECK(t.query("select count(*) from dw.t") == "4");
  CHECK(t.query("select count(*) from dw.theirs") ==
        "4");  // whichever way: a view that reads the former table would say 3
  CHECK(t.query("select has_table_privilege('reader2', 'dw.t', 'select')") == "t");
  CHECK(t.noted(result, "inside the table"));
}

TEST_CASE("an adopted table is kept as __before, with its rows and indexes") {
  Load t;
  t.sql(
      "create table dw.t (id bigint primary key, other text); insert into dw.t values (77, 'x'); create table "
      "dw.t__before (x int)");
  CHECK(code_of([&] { t.open(1); }) == "destination.not_ours");
  t.adopt = true;
  const auto result = t.load_and_publish(1, 3);
  CHECK(t.query("select count(*) from dw.t") == "3");
  CHECK(t.query("select id, other from dw.t__before2") == "77|x");
  CHECK(t.noted(result, "t__before2"));
  CHECK(t.query("select count(*) from pg_indexes where schemaname = 'dw' and tablename = 't__before2'") == "1");
}

TEST_CASE("a table that somebody put in place of ours is not overwritten") {
  Load t;
  t.load_and_publish(1, 3);
  t.load(2, 4);
  t.sql("drop table dw.t; create table dw.t (id bigint, name text)");
  CHECK(code_of([&] { t.publish(2); }) == "destination.not_ours");
  CHECK(t.query("select count(*) from dw.t") == "0");
}

// traps.md, "A dead client's COMMIT still commits": a slow deferred trigger on the checkpoint table makes the window.
TEST_CASE("a COMMIT of a dead attempt that is still on its way is waited for and counted once") {
  Load t;
  auto old = t.open(1, 1);
  t.sql(
      "create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(1.5); return null; "
      "end'; "
      "create constraint trigger slow after insert on millrace.checkpoints deferrable initially deferred for each row "
      "execute function public.slow()");
  auto s = run(runtime(), old->open_split("0000"));
  const auto rows = t.batch(1, 3);
  run(runtime(), s->write(rows));
  // The attempt dies with its COMMIT sent: the wait is cut, the server goes on.
  auto dying = [](c::SplitWriter& writer, c::Checkpoint checkpoint) -> asio::awaitable<void> {
    co_await writer.commit(checkpoint);
  };
  auto die = [&dying](PgCluster& pg, std::string db, c::SplitWriter& writer,
                      c::Checkpoint checkpoint) -> asio::awaitable<void> {
    TaskGroup group(runtime().runtime());
    group.spawn("commit", dying(writer, checkpoint));
    while (co_await runtime().runtime().blocking([&] {
      return pg.query(db, "select count(*) from pg_stat_activity where query = 'COMMIT' and state = 'active'");
    }) != "1") {
    }
    co_await group.stop();
  };
  run(runtime(), die(cluster(), t.db(), *s, t.checkpoint("0000", 3)));
  CHECK(t.query("select count(*) from millrace.checkpoints") == "0");  // not there yet

  auto next = t.open(1, 2);
  REQUIRE(next->committed().size() == 1);
  CHECK(next->committed().at("0000").complete);
  CHECK(next->committed().at("0000").rows == 3);
  run(runtime(), next->finish({"0000"}, 3));
  t.publish(1);
  CHECK(t.query("select count(*), count(distinct id) from dw.t") == "3|3");
}

TEST_CASE("readers see the whole old or the whole new table while tables are swapped") {
  Load t;
  t.load_and_publish(1, 1'000);
  t.sql(
      "create table public.seen (n bigint); create table public.stop (x int); create procedure public.look() language "
      "plpgsql as "
      "'declare n bigint; begin loop select count(*) into n from dw.t; insert into public.seen values (n); commit; "
      "exit when exists (select from public.stop); end loop; end'");
  // The reader has a runtime and a thread of its own, the swaps run here.
  RealRuntime other;
  auto look = [](PgCluster& pg, std::string db) { pg.psql(db, "call public.look()"); };
  auto thread = other.runtime().start_thread("reader", [&] { look(cluster(), t.db()); });
  for (std::int64_t g = 2; g <= 7; ++g) t.load_and_publish(g, g % 2 == 1 ? 1'000 : 2'000);
  t.sql("insert into public.stop values (1)");
  thread.reset();
  CHECK(t.query("select count(*) from public.seen where n not in (1000, 2000)") == "0");
  CHECK(t.query("select count(distinct n) from public.seen") == "2");
}

TEST_CASE("append fills its metadata columns, and adds columns that the source got") {
  const auto db = new_database();
  auto destination = postgres_destination(db);
  c::Stream stream;
  stream.name = c::StreamName("src", "t");
  c::Field id, extra;
  id.name = "id";
  id.type = c::Type(c::Kind::int64, "bigint");
  extra.name = "extra";
  stream.schema.fields = {id};
  auto append = [&](std::int64_t generation, bool with_extra) {
    auto target = target_of(stream, "dw", "t", generation);
    target.sync_mode = c::SyncMode::full_refresh_append;
    auto w = run(runtime(), destination->open_stream(target, "t" + std::to_string(generation), 1));
    auto s = run(runtime(), w->open_split("0000"));
    c::RowBatch rows(target.schema, {});
    c::RowWriter row(rows);
    row.begin_row(with_extra ? 2 : 1);
    row.integer(generation);
    if (with_extra) row.null();
    row.end_row();
    run(runtime(), s->write(rows));
    c::Checkpoint done;
    done.id = "0000";
    done.rows = 1;
    done.complete = true;
    run(runtime(), s->commit(done));
    run(runtime(), w->finish({"0000"}, 1));
    run(runtime(), destination->publish(target));
  };
  append(1, false);
  stream.schema.fields.push_back(extra);
  append(2, true);
  CHECK(cluster().query(
            db, "set timezone = 'UTC'; select id, _load_id, _extracted_at, extra is null from dw.t order by id") ==
        "1|1|2023-11-14 22:13:20.123456+00|t\n2|2|2023-11-14 22:13:20.123456+00|t");
}

}  // namespace millrace::test
