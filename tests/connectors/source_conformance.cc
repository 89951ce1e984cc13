#include "tests/connectors/source_conformance.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "common/errors.h"
#include "common/event.h"
#include "tests/connectors/copy_stream.h"
#include "tests/support/run.h"

namespace millrace::test {
namespace {

using namespace connectors;

Stream discovered(RealRuntime& runtime, Source& source, const StreamName& name) {
  const Catalog catalog = run(runtime, source.discover());
  CHECK(std::is_sorted(catalog.streams.begin(), catalog.streams.end(),
                       [](const Stream& a, const Stream& b) { return a.name < b.name; }));
  const auto it =
      std::find_if(catalog.streams.begin(), catalog.streams.end(), [&](const Stream& s) { return s.name == name; });
  REQUIRE(it != catalog.streams.end());
  return *it;
}

ConfiguredStream configured_stream(const Stream& stream) {
  ConfiguredStream out;
  out.name = stream.name;
  out.schema = std::make_shared<const Schema>(stream.schema);
  out.primary_key = stream.primary_key;
  return out;
}

// Each row's bytes, ordered: the same rows in any order compare equal.
std::vector<std::string> sorted_rows(const CollectingSink& sink) {
  std::vector<std::string> rows;
  int unchanged = 0;  // fields that only a change could have
  for (const RowBatch& batch : sink.batches) {
    RowReader reader(batch);
    std::vector<RowReader::FieldView> fields;
    while (reader.next(fields)) {
      std::string row;
      for (const auto& f : fields) {
        unchanged += f.length == kUnchangedField ? 1 : 0;
        append_big_endian(row, f.length);
        row.append(f.bytes);
      }
      rows.push_back(std::move(row));
    }
  }
  CHECK(unchanged == 0);
  std::sort(rows.begin(), rows.end());
  return rows;
}

void check_sink(const CollectingSink& sink, const Split& split, std::int64_t before) {
  REQUIRE(!sink.checkpoints.empty());
  CHECK(sink.empty_batches == 0);
  CHECK_FALSE(sink.after_checkpoint);
  const auto complete =
      std::count_if(sink.checkpoints.begin(), sink.checkpoints.end(), [](const Checkpoint& c) { return c.complete; });
  CHECK(complete == 1);
  CHECK(sink.checkpoints.back().complete);
  CHECK(sink.checkpoints.back().id == split.id);
  CHECK(sink.checkpoints.back().scope == Checkpoint::Scope::split);
  CHECK(sink.checkpoints.back().rows == before + sink.rows);
}

// Takes nothing: a write waits until it is cancelled.
class BlockedSink final : public BatchSink {
 public:
  asio::awaitable<void> write(RowBatch) override {
    entered.set();
    co_await never.wait();
  }
  asio::awaitable<void> checkpoint(Checkpoint) override { co_await never.wait(); }
  std::vector<char> buffer() override { return {}; }
  Event entered, never;
};

asio::awaitable<void> cancel_a_read(Runtime runtime, Source& source, ConfiguredStream stream, Split split) {
  BlockedSink sink;
  TaskGroup group(runtime);
  auto body = [](Source& from, ConfiguredStream what, Split part, BlockedSink& into) -> asio::awaitable<void> {
    co_await from.read(what, part, std::nullopt, into);
  };
  group.spawn("read", body(source, stream, split, sink));
  co_await sink.entered.wait();
  co_await group.stop();
}

asio::awaitable<void> read_all_at_once(Runtime runtime, Source& source, ConfiguredStream stream, SplitPlan plan,
                                       std::vector<CollectingSink>& sinks) {
  TaskGroup group(runtime);
  auto body = [](Source& from, ConfiguredStream what, Split part, CollectingSink& into) -> asio::awaitable<void> {
    co_await from.read(what, part, std::nullopt, into);
  };
  for (std::size_t i = 0; i < plan.splits.size(); ++i)
    group.spawn("read", body(source, stream, plan.splits[i], sinks[i]));
  co_await group.join();
}

}  // namespace

void source_conformance(RealRuntime& runtime, const SourceUnderTest& subject) {
  auto source = subject.make();
  const CheckResult checked = run(runtime, source->check());
  CHECK(checked.ok);
  CHECK(checked.code.empty());

  const Stream stream = discovered(runtime, *source, subject.stream);
  const ConfiguredStream whole = configured_stream(stream);
  REQUIRE(!stream.schema.fields.empty());
  std::set<std::string> names;
  for (const Field& f : stream.schema.fields) CHECK(names.insert(f.name).second);
  for (const auto& key : stream.primary_key) CHECK(names.contains(key));
  CHECK(!stream.sync_modes.empty());

  // A plan is a partition of the rows; it survives its JSON.
  const SplitPlan plan = run(runtime, source->plan(whole, subject.several));
  REQUIRE(plan.splits.size() > 1);
  std::set<std::string> ids;
  for (const Split& s : plan.splits) CHECK(ids.insert(s.id).second);
  const SplitPlan back = split_plan_from_json(to_json(plan));
  REQUIRE(back.splits.size() == plan.splits.size());
  CHECK(back.resumable == plan.resumable);
  CHECK(back.consistency == plan.consistency);
  std::vector<CollectingSink> sinks(plan.splits.size());
  run(runtime, read_all_at_once(runtime.runtime(), *source, whole, back, sinks));
  std::int64_t total = 0;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    check_sink(sinks[i], plan.splits[i], 0);
    total += sinks[i].rows;
    const auto rows = sorted_rows(sinks[i]);
    CHECK(static_cast<std::int64_t>(rows.size()) == sinks[i].rows);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  CHECK(total == subject.rows);
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());

  // One split gives the same rows as several.
  const SplitPlan single = run(runtime, source->plan(whole, PlanOptions()));
  CollectingSink one;
  for (const Split& s : single.splits) run(runtime, source->read(whole, s, std::nullopt, one));
  CHECK((sorted_rows(one) == all));

  // A resumable plan belongs to nobody: another object reads the same split with the same result.
  if (plan.resumable) {
    auto later = subject.make();
    CollectingSink again;
    run(runtime, later->read(whole, plan.splits[1], std::nullopt, again));
    CHECK((sorted_rows(again) == sorted_rows(sinks[1])));
    run(runtime, later->close());
  }

  // From any intermediate checkpoint, exactly the rest comes.
  for (std::size_t i = 0; i < sinks.size(); ++i)
    for (const Checkpoint& c : sinks[i].checkpoints) {
      if (c.complete) continue;
      CollectingSink rest;
      run(runtime, source->read(whole, plan.splits[i], c.state, rest));
      check_sink(rest, plan.splits[i], c.rows);
      CHECK(c.rows + rest.rows == sinks[i].rows);
    }

  // A selection of fields, in another order.
  Stream narrow = stream;
  narrow.schema.fields = {stream.schema.fields.back(), stream.schema.fields.front()};
  const ConfiguredStream selected = configured_stream(narrow);
  const SplitPlan narrow_plan = run(runtime, source->plan(selected, PlanOptions()));
  CollectingSink few;
  for (const Split& s : narrow_plan.splits) run(runtime, source->read(selected, s, std::nullopt, few));
  CHECK(few.rows == subject.rows);
  CHECK(static_cast<std::int64_t>(sorted_rows(few).size()) == subject.rows);

  // A stream that is not there.
  ConfiguredStream missing = whole;
  missing.name.name = "no_such_stream";
  std::string code;
  try {
    run(runtime, source->plan(missing, PlanOptions()));
  } catch (const Error& e) {
    code = e.code();
  }
  CHECK(code == "connector.stream_missing");

  // A cancelled read ends and leaves the source fit for more.
  run(runtime, cancel_a_read(runtime.runtime(), *source, whole, plan.splits[0]));
  CollectingSink after;
  run(runtime, source->read(whole, plan.splits[0], std::nullopt, after));
  CHECK((sorted_rows(after) == sorted_rows(sinks[0])));

  run(runtime, source->close());
  run(runtime, source->close());
}

}  // namespace millrace::test
