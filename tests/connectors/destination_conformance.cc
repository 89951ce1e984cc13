#include "tests/connectors/destination_conformance.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/task_group.h"
#include "tests/support/run.h"

namespace millrace::test {
namespace {

using namespace connectors;

class Suite {
 public:
  Suite(RealRuntime& runtime, const DestinationUnderTest& subject) : runtime_(runtime), subject_(subject) {}

  void overwrite_is_invisible_until_published_and_replaces_all() {
    auto d = subject_.make();
    auto t = target("overwritten", 1);
    auto w = open(*d, t, "a", 1);
    CHECK_FALSE(w->finished());
    CHECK(w->committed().empty());
    CHECK(write(*w, "0000", {1, 2}) == 2);
    CHECK(write(*w, "0001", {3}) == 1);
    CHECK(content(t) == "missing");
    CHECK(code([&] { publish(*d, t); }) == "destination.incomplete");
    finish(*w, {"0000", "0001"}, 3);
    finish(*w, {"0000", "0001"}, 3);
    CHECK(content(t) == "missing");
    const auto first = publish(*d, t);
    CHECK(first.rows == 3);
    CHECK_FALSE(first.already_done);
    CHECK(content(t) == "1:n1,2:n2,3:n3");
    CHECK(publish(*d, t).already_done);
    CHECK(publish(*subject_.make(), t).already_done);

    t = target("overwritten", 2);
    auto next = open(*d, t, "b", 1);
    CHECK(next->committed().empty());
    CHECK(write(*next, "0000", {9}) == 1);
    CHECK(content(t) == "1:n1,2:n2,3:n3");
    finish(*next, {"0000"}, 1);
    CHECK(publish(*d, t).rows == 1);
    CHECK(content(t) == "9:n9");
    const auto older = target("overwritten", 1);
    CHECK(code([&] { publish(*d, older); }) == "destination.fenced");
    CHECK(code([&] { open(*d, older, "c", 7); }) == "destination.fenced");
    CHECK(content(t) == "9:n9");
    // A later attempt at the same, published generation finds it done.
    auto late = open(*d, t, "d", 2);
    CHECK(late->finished());
    CHECK(publish(*d, t).already_done);
  }

  void an_empty_stream_becomes_an_empty_table() {
    auto d = subject_.make();
    const auto t = target("empty", 1);
    auto w = open(*d, t, "a", 1);
    CHECK(write(*w, "0000", {}) == 0);
    finish(*w, {"0000"}, 0);
    publish(*d, t);
    CHECK(content(t).empty());
  }

  void a_later_attempt_goes_on_where_the_last_commit_stood() {
    const auto t = target("resumed", 1);
    {
      auto dying = subject_.make();
      auto w = open(*dying, t, "a", 1);
      write(*w, "0000", {1, 2});
      auto s = run(runtime_, w->open_split("0001"));
      send(*s, {3, 4});
      run(runtime_, s->commit(checkpoint("0001", 2, false)));
      send(*s, {5});  // never committed
    }
    auto d = subject_.make();
    auto w = open(*d, t, "b", 2);
    REQUIRE(w->committed().size() == 2);
    CHECK(w->committed().at("0000").complete);
    CHECK(w->committed().at("0000").rows == 2);
    CHECK_FALSE(w->committed().at("0001").complete);
    CHECK(w->committed().at("0001").rows == 2);
    CHECK(w->committed().at("0001").state == "{\"at\":2}");
    auto s = run(runtime_, w->open_split("0001"));
    send(*s, {5, 6});
    CHECK(run(runtime_, s->commit(checkpoint("0001", 4, true))).rows == 4);
    finish(*w, {"0000", "0001"}, 6);
    publish(*d, t);
    CHECK(content(t) == "1:n1,2:n2,3:n3,4:n4,5:n5,6:n6");
  }

  void an_older_attempt_can_neither_commit_nor_finish() {
    const auto t = target("fenced", 1);
    auto old_d = subject_.make();
    auto old_w = open(*old_d, t, "a", 1);
    auto idle = run(runtime_, old_w->open_split("0000"));
    auto writing = run(runtime_, old_w->open_split("0001"));
    send(*writing, {1});
    auto d = subject_.make();
    auto w = open(*d, t, "b", 2);  // ends what the old attempt holds open
    CHECK(w->committed().empty());
    CHECK(code([&] {
            send(*idle, {7});
            run(runtime_, idle->commit(checkpoint("0000", 1, true)));
          }) == "destination.fenced");
    CHECK_FALSE(code([&] { run(runtime_, writing->commit(checkpoint("0001", 1, true))); }).empty());
    CHECK(code([&] { finish(*old_w, {}, 0); }) == "destination.fenced");
    CHECK(code([&] { run(runtime_, old_w->restart()); }) == "destination.fenced");
    CHECK(code([&] { open(*old_d, t, "a", 1); }) == "destination.fenced");
    write(*w, "0000", {8});
    finish(*w, {"0000"}, 1);
    publish(*d, t);
    CHECK(content(t) == "8:n8");
  }

  void what_is_aborted_leaves_nothing() {
    const auto t = target("aborted", 1);
    auto d = subject_.make();
    auto w = open(*d, t, "a", 1);
    auto s = run(runtime_, w->open_split("0000"));
    send(*s, {1, 2, 3});
    run(runtime_, s->abort());
    run(runtime_, s->abort());
    write(*w, "0000", {4});
    finish(*w, {"0000"}, 1);
    publish(*d, t);
    CHECK(content(t) == "4:n4");
  }

  void counts_that_differ_commit_nothing() {
    const auto t = target("counted", 1);
    auto d = subject_.make();
    auto w = open(*d, t, "a", 1);
    auto s = run(runtime_, w->open_split("0000"));
    send(*s, {1, 2, 3});
    CHECK(code([&] { run(runtime_, s->commit(checkpoint("0000", 2, true))); }) == "destination.count_mismatch");
    run(runtime_, s->abort());
    w = open(*d, t, "b", 2);
    CHECK(w->committed().empty());
    write(*w, "0000", {1});
    CHECK_FALSE(code([&] { write(*w, "0000", {2}); }).empty());  // complete already
    finish(*w, {"0000"}, 1);
    publish(*d, t);
    CHECK(content(t) == "1:n1");
  }

  void finish_sees_that_all_is_there() {
    const auto t = target("unfinished", 1);
    auto d = subject_.make();
    auto w = open(*d, t, "a", 1);
    write(*w, "0000", {1});
    auto s = run(runtime_, w->open_split("0001"));
    send(*s, {2});
    run(runtime_, s->commit(checkpoint("0001", 1, false)));
    CHECK(code([&] { finish(*w, {"0000", "0001"}, 2); }) == "destination.incomplete");  // 0001 is not at its end
    CHECK(code([&] { finish(*w, {"0000", "0001", "0002"}, 2); }) == "destination.incomplete");
    run(runtime_, s->commit(checkpoint("0001", 1, true)));
    CHECK(code([&] { finish(*w, {"0000", "0001"}, 3); }) == "destination.incomplete");  // another sum
    CHECK(code([&] { finish(*w, {"0000"}, 1); }) == "destination.incomplete");          // a split too many
    CHECK(code([&] { publish(*d, t); }) == "destination.incomplete");
    finish(*w, {"0000", "0001"}, 2);
    publish(*d, t);
    CHECK(content(t) == "1:n1,2:n2");
  }

  void restart_forgets_this_generation() {
    const auto t = target("restarted", 1);
    auto d = subject_.make();
    auto w = open(*d, t, "a", 1);
    write(*w, "0000", {1, 2});
    run(runtime_, w->restart());
    CHECK(w->committed().empty());
    write(*w, "0000", {3});
    finish(*w, {"0000"}, 1);
    publish(*d, t);
    CHECK(content(t) == "3:n3");
  }

  void splits_are_written_at_once() {
    const auto t = target("parallel", 1);
    auto d = subject_.make();
    auto w = open(*d, t, "a", 1);
    auto all = [](Runtime runtime, StreamWriter& writer, Suite& suite) -> asio::awaitable<void> {
      TaskGroup group(runtime);
      auto one = [](StreamWriter& into, Suite& self, int n) -> asio::awaitable<void> {
        const std::string id = "000" + std::to_string(n);
        auto split = co_await into.open_split(id);
        for (int i = 0; i < 10; ++i) {
          const RowBatch rows = self.batch({n * 10 + i});
          co_await split->write(rows);
        }
        co_await split->commit(self.checkpoint(id, 10, true));
      };
      for (int n = 0; n < 4; ++n) group.spawn("split", one(writer, suite, n));
      co_await group.join();
    };
    run(runtime_, all(runtime_.runtime(), *w, *this));
    finish(*w, {"0000", "0001", "0002", "0003"}, 40);
    publish(*d, t);
    const std::string rows = content(t);
    CHECK(std::count(rows.begin(), rows.end(), ':') == 40);
  }

  void append_keeps_what_was_there(bool metadata) {
    auto d = subject_.make();
    auto t = appended(metadata, 1);
    auto w = open(*d, t, "a", 1);
    write(*w, "0000", {1});
    finish(*w, {"0000"}, 1);
    CHECK(publish(*d, t).rows == 1);
    CHECK(content(t) == "1:n1");
    t = appended(metadata, 2);
    w = open(*d, t, "b", 1);
    write(*w, "0000", {2, 3});
    run(runtime_, w->restart());  // takes back its own rows only
    write(*w, "0000", {4, 5});
    w = open(*d, t, "c", 2);
    REQUIRE(w->committed().size() == 1);
    finish(*w, {"0000"}, 2);
    publish(*d, t);
    CHECK(publish(*d, t).already_done);
    CHECK(content(t) == "1:n1,4:n4,5:n5");
  }

  void a_table_of_somebody_else_is_refused_unless_adopted() {
    auto t = target("foreign", 1);
    subject_.make_foreign_table(t.ns, t.name);
    auto d = subject_.make();
    CHECK(code([&] { open(*d, t, "a", 1); }) == "destination.not_ours");
    t.adopt = true;
    auto w = open(*d, t, "a", 1);
    write(*w, "0000", {1});
    finish(*w, {"0000"}, 1);
    publish(*d, t);
    CHECK(content(t) == "1:n1");
    CHECK(subject_.content(t.ns, "foreign__before") != "missing");
    auto other = target("foreign", 1);
    other.connection_id = "somebody else";
    CHECK(code([&] { open(*d, other, "a", 1); }) == "destination.not_ours");
  }

  void modes_it_cannot_do_are_refused() {
    auto d = subject_.make();
    const auto can = d->sync_modes();
    CHECK(!can.empty());
    for (const auto mode :
         {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
          SyncMode::incremental_append, SyncMode::incremental_deduped_history}) {
      if (std::find(can.begin(), can.end(), mode) != can.end()) continue;
      auto t = target("mode", 1);
      t.sync_mode = mode;
      CHECK(code([&] { open(*d, t, "a", 1); }) == "destination.mode_unsupported");
    }
    CHECK(run(runtime_, d->check()).ok);
    run(runtime_, d->close());
    run(runtime_, d->close());
  }

 private:
  SchemaPtr schema() const {
    auto s = std::make_shared<Schema>();
    Field id, name;
    id.name = "id";
    id.type = Type(Kind::int64, "bigint");
    name.name = "name";
    s->fields = {id, name};
    return s;
  }
  StreamTarget target(const std::string& name, std::int64_t generation) const {
    StreamTarget t;
    t.connection_id = "conformance";
    t.source_name = StreamName("src", name);
    t.ns = subject_.ns;
    t.name = name;
    t.schema = schema();
    t.generation = t.load_id = generation;
    return t;
  }
  StreamTarget appended(bool metadata, std::int64_t generation) const {
    StreamTarget t = target(metadata ? "appended" : "appended_bare", generation);
    t.sync_mode = SyncMode::full_refresh_append;
    t.metadata_columns = metadata;
    return t;
  }
  RowBatch batch(const std::vector<std::int64_t>& ids) const {
    RowBatch rows(schema(), {});
    for (const auto id : ids) {
      RowWriter row(rows);
      row.begin_row(2);
      row.integer(id);
      row.text("n" + std::to_string(id));
      row.end_row();
    }
    return rows;
  }
  Checkpoint checkpoint(const std::string& id, std::int64_t rows, bool complete) const {
    Checkpoint c;
    c.id = id;
    c.rows = rows;
    c.complete = complete;
    c.state = "{\"at\":" + std::to_string(rows) + "}";
    return c;
  }
  std::unique_ptr<StreamWriter> open(Destination& d, const StreamTarget& t, const std::string& token,
                                     std::uint32_t attempt) {
    return run(runtime_, d.open_stream(t, token, attempt));
  }
  void send(SplitWriter& s, const std::vector<std::int64_t>& ids) {
    const RowBatch rows = batch(ids);
    run(runtime_, s.write(rows));
  }
  std::int64_t write(StreamWriter& w, const std::string& id, const std::vector<std::int64_t>& ids) {
    auto s = run(runtime_, w.open_split(id));
    if (!ids.empty()) send(*s, ids);
    return run(runtime_, s->commit(checkpoint(id, static_cast<std::int64_t>(ids.size()), true))).rows;
  }
  void finish(StreamWriter& w, const std::vector<std::string>& splits, std::int64_t rows) {
    run(runtime_, w.finish(splits, rows));
  }
  PublishResult publish(Destination& d, const StreamTarget& t) { return run(runtime_, d.publish(t)); }
  std::string content(const StreamTarget& t) { return subject_.content(t.ns, t.name); }
  static std::string code(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& e) {
      return std::string(e.code());
    }
    return "";
  }

  RealRuntime& runtime_;
  const DestinationUnderTest& subject_;
};

}  // namespace

void destination_conformance(RealRuntime& runtime, const DestinationUnderTest& subject) {
  Suite suite(runtime, subject);
  suite.overwrite_is_invisible_until_published_and_replaces_all();
  suite.an_empty_stream_becomes_an_empty_table();
  suite.a_later_attempt_goes_on_where_the_last_commit_stood();
  suite.an_older_attempt_can_neither_commit_nor_finish();
  suite.what_is_aborted_leaves_nothing();
  suite.counts_that_differ_commit_nothing();
  suite.finish_sees_that_all_is_there();
  suite.restart_forgets_this_generation();
  suite.splits_are_written_at_once();
  suite.append_keeps_what_was_there(true);
  suite.append_keeps_what_was_there(false);
  suite.a_table_of_somebody_else_is_refused_unless_adopted();
  suite.modes_it_cannot_do_are_refused();
}

}  // namespace millrace::test
