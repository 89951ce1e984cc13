// The doctor: finds nothing in what the engine wrote, and names each fault that is planted.
#include "engine/doctor.h"

#include <catch2/catch.hpp>

#include "engine/events/codec.h"
#include "engine/history.h"
#include "engine/records/outbox_row.h"
#include "engine/records/rows.h"
#include "engine/records/run_record.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

namespace keys = state::keys;

// A store with closed and open runs of all kinds, whose engine has stopped.
struct Patient : EngineFixture {
  Patient() {
    registry.add_step("echo", [](StepContext&, Payload input) -> asio::awaitable<Payload> { co_return input; });
    registry.add_step("flaky", [](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      co_await ctx.checkpoint("half", "1");
      ctx.log(LogLevel::info, "a line");
      if (ctx.token().attempt == 1) throw std::runtime_error("the first fails");
      co_return input;
    });
    registry.add_workflow("open", [](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      co_await ctx.step("flaky", "1", options);
      Future timer = ctx.timer(std::chrono::hours(1'000));
      ChildOptions child;
      Context::Child started = ctx.start_child("waits", "", child);
      co_await started.started;
      co_await timer;
      co_return Payload();
    });
    registry.add_workflow("waits", [](Context& ctx, Payload) -> Workflow<Payload> {
      co_await ctx.next_signal("never");
      co_return Payload();
    });
    registry.add_workflow("closed", [](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      co_await ctx.step("flaky", "\"" + std::string(100'000, 'x') + "\"", options);
      co_await ctx.timer(std::chrono::seconds(5));
      co_return co_await ctx.step("echo", "2", options);
    });
    boot();
    StartRequest request;
    request.type = "open";
    request.workflow_id = "open";
    request.run_timeout = std::chrono::hours(10'000);
    open = get(engine->start_workflow(request)).run_id;
    closed = start("closed", "closed").run_id;
    wait("closed");
    sim.run_until_idle(std::chrono::seconds(60));
    stop();
  }
  DoctorReport examined() {
    std::shared_ptr<state::Snapshot> view = store->snapshot();
    return get(examine(std::move(view), {}));
  }
  std::optional<std::string> read(std::string key) { return get(store->get(std::move(key))); }
  void write(state::Batch batch) { REQUIRE(get(store->commit(std::move(batch))) == state::Commit::done); }
  void erase(std::string key) {
    REQUIRE(read(key));
    state::Batch batch;
    batch.erase(std::move(key));
    write(std::move(batch));
  }
  void put(std::string key, std::string value) {
    state::Batch batch;
    batch.put(std::move(key), std::move(value));
    write(std::move(batch));
  }
  std::vector<state::KeyValue> rows(std::string prefix) { return get(store->scan(state::prefix_range(prefix))); }
  RunRecord record(const std::string& run) { return decode_record<RunRecord>(*read(keys::run(run))); }
  // The event of a type in a history, with the key of its batch.
  template <class T>
  std::pair<std::string, std::vector<HistoryEvent>> batch_with(const std::string& run) {
    for (const auto& row : rows(keys::history_prefix(run))) {
      auto events = decode_events(row.value);
      for (const HistoryEvent& e : events)
        if (std::holds_alternative<T>(e.attributes)) return {row.key, std::move(events)};
    }
    FAIL("no such event");
    return {};
  }
  // Exactly this check fires (beside others that follow from the same fault, where they are named).
  void finds(const std::string& check, const std::string& run, std::vector<std::string> beside = {}) {
    const DoctorReport report = examined();
    INFO(summary_of(report));
    CHECK(report.by_check.count(check) == 1);
    bool named = false;
    for (const StoreFault& fault : report.faults) {
      INFO(fault.check << " " << fault.run_id << " " << fault.detail);
      named = named || (fault.check == check && fault.run_id == run);
      const bool expected =
          fault.check == check || std::find(beside.begin(), beside.end(), fault.check) != beside.end();
      CHECK(expected);
    }
    CHECK(named);
  }
  std::string open, closed;
};

}  // namespace

TEST_CASE("the doctor finds nothing in what the engine wrote") {
  Patient p;
  const DoctorReport report = p.examined();
  for (const StoreFault& fault : report.faults)
    UNSCOPED_INFO(fault.check << " " << fault.run_id << " " << fault.detail);
  CHECK(report.fault_count == 0);
  CHECK(report.runs == 3);
  CHECK(report.events > 20);
  CHECK(summary_of(report).find("all hold together") != std::string::npos);
}

TEST_CASE("the doctor names a history that cannot be read") {
  Patient p;
  SECTION("a batch is missing: ids have a gap") {
    p.erase(p.batch_with<events::TimerFired>(p.closed).first);
    p.finds("history.unreadable", p.closed);
  }
  SECTION("a byte is wrong") {
    auto [key, events] = p.batch_with<events::TimerStarted>(p.closed);
    std::string bytes = *p.read(key);
    bytes[bytes.size() / 2] ^= 1;
    p.put(key, bytes);
    p.finds("history.unreadable", p.closed);
  }
  SECTION("a payload is missing") {
    p.erase(p.rows(keys::blobs_prefix(p.closed)).front().key);
    p.finds("history.unreadable", p.closed);
  }
}

TEST_CASE("the doctor names events that contradict each other") {
  Patient p;
  SECTION("a step that is closed twice") {
    auto [key, events] = p.batch_with<events::TimerFired>(p.closed);
    events::ActivityTaskCompleted twice;
    twice.scheduled_event_id = 0;
    for (const auto& row : p.rows(keys::history_prefix(p.closed)))
      for (const HistoryEvent& e : decode_events(row.value))
        if (twice.scheduled_event_id == 0 && std::holds_alternative<events::ActivityTaskScheduled>(e.attributes))
          twice.scheduled_event_id = e.id;
    for (HistoryEvent& e : events)
      if (std::holds_alternative<events::TimerFired>(e.attributes)) e.attributes = twice;
    p.put(key, encode_events(events, nullptr));
    p.finds("step.closed_twice", p.closed);
  }
  SECTION("a timer that fires without having been started") {
    auto [key, events] = p.batch_with<events::TimerFired>(p.closed);
    for (HistoryEvent& e : events)
      if (auto* fired = std::get_if<events::TimerFired>(&e.attributes)) fired->started_event_id = 1;
    p.put(key, encode_events(events, nullptr));
    p.finds("history.reference", p.closed);
  }
}

TEST_CASE("the doctor names a record that is missing or differs from its history") {
  Patient p;
  SECTION("another status") {
    RunRecord r = p.record(p.closed);
    r.status = ExecutionStatus::failed;
    p.put(keys::run(p.closed), encode_record(r));
    p.finds("record.differs", p.closed, {"index.missing", "index.stray"});
  }
  SECTION("another length") {
    RunRecord r = p.record(p.open);
    ++r.history_length;
    p.put(keys::run(p.open), encode_record(r));
    p.finds("record.differs", p.open);
  }
  SECTION("none") {
    p.erase(keys::run(p.closed));
    p.finds("record.missing", p.closed, {"index.stray", "current.wrong", "orphan"});
  }
}

TEST_CASE("the doctor names rows of lists that are missing or wrong") {
  Patient p;
  const RunRecord r = p.record(p.closed);
  SECTION("missing by status") {
    p.erase(keys::index_by_attribute("status", "Completed", r.started, p.closed));
    p.finds("index.missing", p.closed);
  }
  SECTION("missing by start") {
    p.erase(keys::index_by_start(r.started, p.closed));
    p.finds("index.missing", p.closed);
  }
  SECTION("a status it has not") {
    p.put(keys::index_by_attribute("status", "Running", r.started, p.closed), {});
    p.finds("index.stray", p.closed);
  }
  SECTION("a run that is not there") {
    p.put(keys::index_by_start(r.started, "ghost"), {});
    p.finds("index.stray", "ghost");
  }
}

TEST_CASE("the doctor names open rows and workflow ids that are wrong") {
  Patient p;
  SECTION("an open run that a restart would not see") {
    p.erase(keys::open_run(p.open));
    p.finds("open_row.missing", p.open);
  }
  SECTION("a closed run that it would see") {
    p.put(keys::open_run(p.closed), encode_record(OpenRow()));
    p.finds("open_row.stray", p.closed);
  }
  SECTION("a workflow id that means another's run") {
    CurrentRow row;
    row.run_id = p.closed;
    p.put(keys::current("open"), encode_record(row));
    p.finds("current.wrong", p.open);
  }
  SECTION("a workflow id of nothing") {
    CurrentRow row;
    row.run_id = "ghost";
    p.put(keys::current("x"), encode_record(row));
    p.finds("current.wrong", "ghost");
  }
}

TEST_CASE("the doctor names timers and messages that are missing or wrong") {
  Patient p;
  SECTION("a pending timer without its row") {
    for (const auto& row : p.rows(keys::timer_prefix()))
      if (decode_record<TimerRow>(row.value).kind == TimerKind::user) p.erase(row.key);
    p.finds("timer.missing", p.open);
  }
  SECTION("a run time-out without its row") {
    for (const auto& row : p.rows(keys::timer_prefix()))
      if (decode_record<TimerRow>(row.value).kind == TimerKind::run_timeout) p.erase(row.key);
    p.finds("timer.missing", p.open);
  }
  SECTION("a timer of a closed run") {
    TimerRow row;
    row.event_id = 3;
    p.put(keys::timer(p.record(p.closed).started, p.closed, timer_seq(row.kind, 3)), encode_record(row));
    p.finds("timer.stray", p.closed);
  }
  SECTION("a child that waits for a message that is not there") {
    auto [key, events] = p.batch_with<events::ChildStarted>(p.open);
    // As if the child had never been told to start: its STARTED becomes a signal.
    events::WorkflowExecutionSignaled signal;
    for (HistoryEvent& e : events)
      if (std::holds_alternative<events::ChildStarted>(e.attributes)) e.attributes = signal;
    p.put(key, encode_events(events, nullptr));
    p.finds("outbox.missing", p.open);
  }
  SECTION("a message that cannot be read") {
    p.put(keys::outbox(state::kEmbeddedShard, 7), "rubbish");
    p.finds("outbox.stray", "");
  }
}

TEST_CASE("the doctor names rows whose run is not there") {
  Patient p;
  LogRow line;
  p.put(keys::log("ghost", 1), encode_record(line));
  p.finds("orphan", "ghost");
}

}  // namespace millrace::engine
