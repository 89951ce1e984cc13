// The crash points of the engine, each hit by name. Those of the schedules, of retention and of batches are in their
// own tests; a torn tail, a full disk and two processes on one directory are the store's (tests/state).
#include "tests/engine/crash_points.h"

namespace millrace::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

StartRequest start_of(const std::string& type, const std::string& id = "w") {
  StartRequest r;
  r.type = type;
  r.workflow_id = id;
  r.request_id = "start-" + id;
  return r;
}

// Starts "w" and waits for its end, whatever run it is in by then.
asio::awaitable<void> start_and_wait(Engine* engine, CrashLedgerPtr ledger, Runtime) {
  const StartResult started = co_await engine->start_workflow(start_of("w"));
  if (!ledger->answers.contains("start")) ledger->answers["start"] = started.run_id;
  REQUIRE(ledger->answers["start"] == started.run_id);
  for (;;) {
    const Execution e = co_await engine->wait_closed("w", {}, hours(1'000));
    if (e.status == ExecutionStatus::continued_as_new) continue;
    ledger->answers["result"] = e.result;
    ledger->answers["status"] = std::string(to_string(e.status));
    co_return;
  }
}

Workflow<Payload> two_steps(Context& ctx, Payload) {
  const StepOptions options;
  const Payload a = co_await ctx.step("work", "1", options);
  const Payload b = co_await ctx.step("work", "2", options);
  co_return a + b;
}

void with_two_steps(Registry& registry, CrashLedgerPtr ledger) {
  add_counted_step(registry, "work", std::move(ledger), milliseconds(10));
  registry.add_workflow("w", two_steps);
}

void is_12(Engine&, SimRuntime&, const CrashLedger& ledger) { REQUIRE(ledger.answers.at("result") == "12"); }

CrashStory two_step_story() {
  CrashStory story;
  story.code = with_two_steps;
  story.client = start_and_wait;
  story.end = is_12;
  return story;
}

}  // namespace

TEST_CASE("crash point 1: before the sync of a start, and after it") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) { return disk.runs.empty(); };
  hit_crash_point(story);
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return disk.run("w") != nullptr && !disk.has("w", "ACTIVITY_TASK_COMPLETED");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 2: a start is synced and its caller has no answer; the same request gets the same run") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.run("w") != nullptr && !ledger.answers.contains("start");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 3: a turn has decided and its batch is not written") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return ledger.finished("w work-1 1") && disk.has("w", "ACTIVITY_TASK_SCHEDULED") &&
           !disk.has("w", "ACTIVITY_TASK_SCHEDULED", 2);
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 4: the batch is written and its step has not begun") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.has("w", "ACTIVITY_TASK_SCHEDULED", 2) && !ledger.ran("w work-2 1");
  };
  hit_crash_point(story);
}

TEST_CASE("crash points 5 and 9: a step is backing off; its next attempt is started and nobody knows") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr ledger) {
    registry.add_step("flaky", [ledger](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
      ++ledger->began["flaky " + std::to_string(ctx.token().attempt)];
      if (ctx.token().attempt < 3) throw std::runtime_error("not yet");
      co_return "1";
    });
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      co_return co_await ctx.step("flaky", "", options);
    });
  };
  story.client = start_and_wait;
  story.end = [](Engine&, SimRuntime&, const CrashLedger& ledger) { REQUIRE(ledger.answers.at("result") == "1"); };
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return std::any_of(disk.timers.begin(), disk.timers.end(),
                       [](const auto& t) { return t.second.kind == TimerKind::retry; });
  };
  hit_crash_point(story);
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return !ledger.ran("flaky 2") && disk.attempts.size() == 2 && disk.attempts[1].outcome == AttemptOutcome::running;
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 6: a step has done its work and its completion is not written") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return ledger.finished("w work-2 1") && !disk.has("w", "ACTIVITY_TASK_COMPLETED", 2);
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 7: a completion is synced and who waits for it has not woken") {
  CrashStory story = two_step_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.has("w", "WORKFLOW_EXECUTION_COMPLETED") && !ledger.answers.contains("result");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 8: while a heartbeat is being written; the next attempt finds the last that was") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr ledger) {
    registry.add_step("counts", [ledger](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
      ++ledger->began["counts " + std::to_string(ctx.token().attempt)];
      int n = std::stoi(ctx.last_heartbeat().value_or("0"));
      while (n < 5) {
        ctx.heartbeat(std::to_string(++n));
        co_await ctx.runtime().sleep_for(seconds(2));
      }
      co_return std::to_string(n);
    });
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      co_return co_await ctx.step("counts", "", options);
    });
  };
  story.client = start_and_wait;
  story.end = [](Engine&, SimRuntime&, const CrashLedger& ledger) { REQUIRE(ledger.answers.at("result") == "5"); };
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return !disk.attempts.empty() && disk.attempts[0].heartbeat && *disk.attempts[0].heartbeat < "5";
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 10: a timer is due and its firing is not written") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr) {
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      const WallTime due = ctx.now() + seconds(60);
      co_await ctx.timer(seconds(60));
      co_return std::to_string(to_micros(ctx.now()) - to_micros(due));
    });
  };
  story.client = start_and_wait;
  story.end = [](Engine&, SimRuntime&, const CrashLedger& ledger) {
    REQUIRE(std::stoll(ledger.answers.at("result")) >= 0);
  };
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime now) {
    return !disk.timers.empty() && disk.timers[0].second.kind == TimerKind::user && disk.timers[0].first <= now;
  };
  hit_crash_point(story);
}

namespace {

CrashStory child_story() {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr ledger) {
    add_counted_step(registry, "work", std::move(ledger), milliseconds(10));
    registry.add_workflow("child", [](Context& ctx, Payload input) -> Workflow<Payload> {
      const StepOptions options;
      co_return co_await ctx.step("work", std::move(input), options);
    });
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      ChildOptions options;
      options.workflow_id = "c";
      Context::Child child = ctx.start_child("child", "12", options);
      co_await child.started;
      co_return co_await child.result;
    });
  };
  story.client = start_and_wait;
  story.end = is_12;
  return story;
}

}  // namespace

TEST_CASE("crash point 11: a child is asked for and the message has not left") {
  CrashStory story = child_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return disk.sends(OutboxKind::start_child) && disk.run("c") == nullptr;
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 12: a child has started and its parent does not know") {
  CrashStory story = child_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return disk.run("c") != nullptr && !disk.has("w", "CHILD_WORKFLOW_EXECUTION_STARTED");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 13: a child has closed and its parent is not told") {
  CrashStory story = child_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return disk.run("c") != nullptr && !disk.is_open("c") && !disk.has("w", "CHILD_WORKFLOW_EXECUTION_COMPLETED");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 14: a parent has closed and its close policy has reached one child of two") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr) {
    registry.add_workflow("child", [](Context& ctx, Payload) -> Workflow<Payload> {
      co_await ctx.timer(hours(10'000));
      co_return "";
    });
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      std::vector<Context::Child> children;
      for (const char* id : {"c1", "c2"}) {
        ChildOptions options;
        options.workflow_id = id;
        children.push_back(ctx.start_child("child", "", options));
      }
      for (Context::Child& child : children) co_await child.started;
      co_return "12";
    });
  };
  story.client = [](Engine* engine, CrashLedgerPtr ledger, Runtime runtime) -> asio::awaitable<void> {
    co_await start_and_wait(engine, ledger, runtime);
    for (const char* id : {"c1", "c2"}) {
      const Execution e = co_await engine->wait_closed(id, {}, hours(100));
      REQUIRE(e.status == ExecutionStatus::terminated);
    }
  };
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    return disk.run("w") != nullptr && !disk.is_open("w") && (disk.is_open("c1") || disk.is_open("c2")) &&
           disk.sends(OutboxKind::parent_closed);
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 15: continue-as-new ends a run and begins the next in one batch, or neither") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr ledger) {
    registry.add_step("work", [ledger](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      ++ledger->began[ctx.token().text()];
      co_return input;
    });
    registry.add_workflow("w", [](Context& ctx, Payload input) -> Workflow<Payload> {
      const StepOptions options;
      const Payload done = co_await ctx.step("work", input + "1", options);
      if (done.size() < 3) throw ContinueAsNew(done);
      co_return "12";
    });
  };
  story.client = start_and_wait;
  story.end = [](Engine& engine, SimRuntime& sim, const CrashLedger& ledger) {
    is_12(engine, sim, ledger);
    std::size_t runs = 0;
    sim.run_until_done([](Engine* e, std::size_t* n) -> asio::awaitable<void> {
      *n = (co_await e->list(ListFilter())).executions.size();
    }(&engine, &runs));
    REQUIRE(runs == 3);
  };
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) {
    std::size_t open = 0;
    for (const auto& r : disk.runs) open += engine::is_open(r.record.status) ? 1 : 0;
    if (!disk.runs.empty()) CHECK(open <= 1);
    return disk.runs.size() == 2 && open == 1;
  };
  hit_crash_point(story);
}

namespace {

// Two signals, the second while the first's batch is on its way; then an update.
Workflow<Payload> listens(Context& ctx, Payload) {
  ctx.on_update("add", {}, [](Context&, Payload in) -> Workflow<Payload> {
    return [](Payload x) -> Workflow<Payload> { co_return x; }(std::move(in));
  });
  const Payload a = co_await ctx.next_signal("s");
  const Payload b = co_await ctx.next_signal("s");
  co_await ctx.next_signal("end");
  co_return a + b;
}

asio::awaitable<void> talks(Engine* engine, CrashLedgerPtr ledger, Runtime runtime) {
  co_await engine->start_workflow(start_of("w"));
  for (const char* s : {"1", "2"}) {
    const std::string id = std::string("signal-") + s;
    co_await engine->signal("w", {}, "s", s, id);
    ledger->answers[id] = "told";
  }
  UpdateRequest update;
  update.workflow_id = "w";
  update.name = "add";
  update.input = "5";
  update.update_id = "u";
  ledger->answers["update asked"] = "yes";
  const UpdateResult done = co_await engine->update(std::move(update));
  REQUIRE(done.value == "5");
  ledger->answers["update"] = done.value;
  co_await engine->signal("w", {}, "end", "", "end");
  co_await start_and_wait(engine, ledger, runtime);
}

CrashStory listening_story() {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr) { registry.add_workflow("w", listens); };
  story.client = talks;
  story.faults.commit_delay = milliseconds(5);
  story.end = [](Engine& engine, SimRuntime& sim, const CrashLedger& ledger) {
    is_12(engine, sim, ledger);
    std::vector<EventView> history;
    sim.run_until_done([](Engine* e, std::vector<EventView>* h) -> asio::awaitable<void> {
      *h = co_await e->history("w", {}, 0, 1'000);
    }(&engine, &history));
    const auto count = [&](const char* type) {
      return std::count_if(history.begin(), history.end(), [&](const EventView& e) { return e.type == type; });
    };
    REQUIRE(count("WORKFLOW_EXECUTION_SIGNALED") == 3);
    REQUIRE(count("WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1);
    REQUIRE(count("WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 1);
  };
  return story;
}

}  // namespace

TEST_CASE("crash point 17: a signal is synced and its sender has no answer; the same request signals once") {
  CrashStory story = listening_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.has("w", "WORKFLOW_EXECUTION_SIGNALED", 2) && !ledger.answers.contains("signal-2");
  };
  hit_crash_point(story);
}

TEST_CASE("crash point 18: an update has come in and is not accepted") {
  CrashStory story = listening_story();
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return ledger.answers.contains("update asked") && !disk.has("w", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED");
  };
  hit_crash_point(story);
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.has("w", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED") && !ledger.answers.contains("update");
  };
  hit_crash_point(story);
}

TEST_CASE(
    "crash point 19: a reset ends one run and begins another in one batch; its children are not handed over yet") {
  CrashStory story;
  story.code = [](Registry& registry, CrashLedgerPtr) {
    registry.add_step("b", [](StepContext&, Payload in) -> asio::awaitable<Payload> { co_return in; });
    registry.add_workflow("child",
                          [](Context& ctx, Payload) -> Workflow<Payload> { co_return co_await ctx.next_signal("go"); });
    registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
      ChildOptions options;
      options.workflow_id = "c";
      Context::Child child = ctx.start_child("child", "", options);
      co_await child.started;
      const StepOptions step;
      co_await ctx.step("b", "1", step);
      co_return co_await child.result;
    });
  };
  story.client = [](Engine* engine, CrashLedgerPtr ledger, Runtime runtime) -> asio::awaitable<void> {
    co_await engine->start_workflow(start_of("w"));
    // Until its step is behind it.
    for (bool ready = ledger->answers.contains("ready"); !ready;) {
      const ExecutionDetail w = co_await engine->describe("w", {});
      ready = !w.steps.empty() && w.steps[0].state == StepState::completed;
      if (!ready) co_await runtime.sleep_for(milliseconds(10));
    }
    ledger->answers["ready"] = "yes";
    ResetRequest reset;
    reset.workflow_id = "w";
    reset.run_id = (co_await engine->start_workflow(start_of("w"))).run_id;
    reset.point.kind = ResetPoint::Kind::step;
    reset.point.step = "b";
    reset.request_id = "reset";
    const ResetResult made = co_await engine->reset(std::move(reset));
    if (!ledger->answers.contains("run")) ledger->answers["run"] = made.run_id;
    REQUIRE(ledger->answers["run"] == made.run_id);
    co_await engine->signal("c", {}, "go", "12", "go");
    const Execution e = co_await engine->wait_closed("w", made.run_id, hours(1'000));
    ledger->answers["result"] = e.result;
  };
  story.end = is_12;
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger& ledger, WallTime) {
    return disk.sends(OutboxKind::adopt_child) && !ledger.answers.contains("run");
  };
  hit_crash_point(story);
}

TEST_CASE(
    "crash point 21: the clock jumps an hour, forth or back, before the next life; no timer fires early by its own "
    "clock") {
  for (const int by : {1, -1}) {
    CrashStory story;
    story.code = [](Registry& registry, CrashLedgerPtr ledger) {
      add_counted_step(registry, "work", std::move(ledger));
      registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
        const StepOptions options;
        co_await ctx.step("work", "1", options);
        const WallTime due = ctx.now() + seconds(600);
        co_await ctx.timer(seconds(600));
        if (ctx.now() < due) co_return "\"early\"";
        co_await ctx.step("work", "2", options);
        co_return "12";
      });
    };
    story.client = start_and_wait;
    story.end = is_12;
    story.between_lives = [by](SimRuntime& sim) { sim.jump_wall_clock(hours(by)); };
    story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) { return !disk.timers.empty(); };
    hit_crash_point(story);
  }
}

TEST_CASE("crash point 23: the disk is full at a commit; what waits is written when there is room again") {
  EngineFixture f;
  auto ledger = std::make_shared<CrashLedger>();
  with_two_steps(f.registry, ledger);
  f.boot();
  f.start("w", "w");
  state::MemoryFaults full;
  full.disk_full = true;
  f.store->set_faults(full);
  f.sim.run_until_idle(seconds(30));
  CHECK(f.describe("w").execution.status == ExecutionStatus::running);
  CHECK(ledger->finished("w work-1 1"));
  CHECK_FALSE(ledger->ran("w work-2 1"));
  f.store->set_faults(state::MemoryFaults());
  CHECK(f.wait("w").result == "12");
  for (const auto& [what, n] : ledger->began) CHECK(n == 1);
}

TEST_CASE(
    "crash point 25: another owner has written the run meanwhile; the old owner's batch fails and nothing of it is "
    "acted on") {
  EngineFixture f;
  auto ledger = std::make_shared<CrashLedger>();
  f.registry.add_workflow("w", listens);
  f.boot();
  const StartResult started = f.start("w", "w");
  const auto events = f.history("w").size();
  const std::string key = state::keys::run(started.run_id);
  f.run([](state::Store* store, std::string k) -> asio::awaitable<void> {
    auto record = decode_record<RunRecord>(*(co_await store->get(k)));
    ++record.version;
    state::Batch batch;
    batch.put(k, encode_record(record));
    co_await store->commit(std::move(batch));
  }(f.store.get(), key));
  CHECK_THROWS(f.get(f.engine->signal("w", {}, "s", "1", "r")));
  CHECK(f.history("w").size() == events);
  // The next owner has it.
  f.stop();
  f.boot();
  for (const char* s : {"1", "2"}) f.get(f.engine->signal("w", {}, "s", s, s));
  f.get(f.engine->signal("w", {}, "end", "", "e"));
  CHECK(f.wait("w").result == "12");
}

TEST_CASE("crash point 26: three crashes in a row, also of the recovery itself") {
  CrashStory story = two_step_story();
  story.crashes = 3;
  story.is_there = [](const DiskAfterCrash& disk, const CrashLedger&, WallTime) { return disk.is_open("w"); };
  hit_crash_point(story);
}

TEST_CASE("crash point 27: a restart with thousands of open runs replays some at a time, and all go on") {
  EngineFixture f;
  f.options.recovery_at_once = 8;
  f.registry.add_workflow("w",
                          [](Context& ctx, Payload) -> Workflow<Payload> { co_return co_await ctx.next_signal("s"); });
  f.boot();
  constexpr int kRuns = 2'000;
  for (int i = 0; i < kRuns; ++i) f.start("w", "w" + std::to_string(i));
  f.stop();
  f.boot();
  CHECK(f.engine->open_executions() == kRuns);
  // One that somebody asks for comes before those that nobody waits for.
  f.get(f.engine->signal("w1999", {}, "s", "1", {}));
  CHECK(f.wait("w1999", seconds(1)).result == "1");
  for (int i = 0; i < kRuns - 1; ++i) f.get(f.engine->signal("w" + std::to_string(i), {}, "s", "1", {}));
  f.sim.run_until_idle(seconds(5));
  CHECK(f.engine->open_executions() == 0);
}

TEST_CASE("crash point 28: a build that differs and the old one again, with an open run: blocked, then it goes on") {
  EngineFixture f;
  auto ledger = std::make_shared<CrashLedger>();
  const auto build = [&](bool newer) {
    Registry r;
    add_counted_step(r, "work", ledger);
    add_counted_step(r, "other", ledger);
    r.add_workflow("w", [newer](Context& ctx, Payload) -> Workflow<Payload> {
      const StepOptions options;
      co_await ctx.step(newer ? "other" : "work", "1", options);
      co_await ctx.timer(hours(1));
      co_return co_await ctx.step("work", "12", options);
    });
    return r;
  };
  f.registry = build(false);
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(seconds(10));
  f.stop();
  f.registry = build(true);
  f.boot();
  f.sim.run_until_idle(hours(2));
  CHECK(f.describe("w").execution.blocked.has_value());
  CHECK_FALSE(ledger->ran("w other-1 1"));
  f.stop();
  f.registry = build(false);
  f.boot();
  CHECK(f.wait("w").result == "12");
}

TEST_CASE("crash point 30: a drain lets running steps finish or stop at a good place, and burns no attempt") {
  EngineFixture f;
  int runs = 0;
  f.registry.add_step("stops", [&runs](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
    ++runs;
    for (int i = 0; i < 100; ++i) {
      if (ctx.draining()) throw Suspended();
      co_await ctx.runtime().sleep_for(seconds(1));
    }
    co_return "12";
  });
  f.registry.add_workflow("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    StepOptions options;
    options.retry.maximum_attempts = 1;
    co_return co_await ctx.step("stops", "", options);
  });
  f.boot();
  f.start("w", "w");
  f.sim.run_until_idle(seconds(10));
  f.stop(seconds(30));
  f.boot();
  CHECK(f.wait("w").result == "12");
  CHECK(runs == 2);
}

}  // namespace millrace::engine
