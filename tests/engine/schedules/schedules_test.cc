// Durable schedules: overlap, catch-up, pause, triggers, backfill; and a crash at every durable write.
#include <catch2/catch.hpp>

#include <iostream>
#include <set>

#include <boost/asio/co_spawn.hpp>

#include "engine/schedules/schedules.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using nlohmann::json;
using state::CrashPoint;
using state::DurableImage;
using state::MemoryStore;

Registry registry_of() {
  Registry r;
  r.add_workflow("nap", [](Context& ctx, Payload input) -> Workflow<Payload> {
    co_await ctx.timer(std::chrono::seconds(std::stoll(input)));
    co_return "1";
  });
  r.add_workflow("fail", [](Context&, Payload) -> Workflow<Payload> {
    Failure f;
    f.type = "broken";
    f.message = "it broke";
    throw FailureError(f);
    co_return "";
  });
  return r;
}

Schedule every(std::int64_t seconds, const std::string& type, int nap, Overlap overlap = Overlap::skip) {
  Schedule s;
  s.id = "s";
  s.spec = {{"intervals", {{{"everySeconds", seconds}}}}};
  s.action = {{"kind", "workflow"}, {"type", type}, {"workflowId", "w"}, {"input", nap}};
  s.overlap = overlap;
  return s;
}

struct ScheduleFixture : EngineFixture {
  ScheduleFixture() { registry = registry_of(); }
  ~ScheduleFixture() {
    if (schedules) run(schedules->stop());
    schedules.reset();
  }
  void up() {
    boot();
    schedules =
        std::make_unique<Schedules>(sim.runtime(), store, std::shared_ptr<Engine>(engine.get(), [](Engine*) {}));
    run(schedules->start());
  }
  void down() {
    run(schedules->stop());
    schedules.reset();
    stop();
  }
  void make(Schedule s) { get(schedules->create(std::move(s))); }
  Schedule now() { return get(schedules->get("s")); }
  void pass(std::int64_t seconds) { run(idle(sim.runtime(), std::chrono::seconds(seconds))); }
  static asio::awaitable<void> idle(Runtime runtime, Duration d) { co_await runtime.sleep_for(d); }
  std::vector<Execution> executions() {
    ListFilter filter;
    filter.limit = 10'000;
    return get(engine->list(filter)).executions;
  }
  std::uint64_t count(const std::string& counter) {
    const Schedule s = now();
    return s.counters.contains(counter) ? s.counters.at(counter) : 0;
  }
  std::unique_ptr<Schedules> schedules;
};

}  // namespace

TEST_CASE("a schedule fires each of its times, under an id that holds the time") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 1));
  f.pass(600);
  CHECK(f.count("started") == 10);
  std::set<std::string> ids;
  for (const auto& e : f.executions()) {
    ids.insert(e.workflow_id);
    CHECK(e.workflow_id.starts_with("w-"));
    CHECK(e.workflow_id.ends_with(":00Z"));
    CHECK(e.memo.find("scheduledTime") != std::string::npos);
  }
  CHECK(ids.size() == 10);
  CHECK(f.now().recent.front().status == "Completed");
  CHECK(f.now().missed.empty());
}

TEST_CASE("skip: a time that comes while a run is open starts nothing, and is told") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 90));
  f.pass(600);
  CHECK(f.count("started") == 5);
  CHECK(f.count("overlap") == 5);
  CHECK(f.now().missed.back().detail.find("was running") != std::string::npos);
}

TEST_CASE("buffer_one: one waits and starts when the run has ended") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 200, Overlap::buffer_one));
  f.pass(659);
  // The first after 40 s, the next as each has ended: after 240, 440 and 640.
  CHECK(f.count("started") == 4);
  CHECK(f.count("buffered") > 3);
}

TEST_CASE("buffer_all: all wait, one after the other") {
  ScheduleFixture f;
  f.up();
  auto s = every(60, "nap", 100, Overlap::buffer_all);
  s.spec["endAt"] = format_time(f.sim.runtime().now() + std::chrono::seconds(300));
  f.make(s);
  f.pass(1'000);
  CHECK(f.count("started") == 5);
  CHECK(f.now().missed.empty());
}

TEST_CASE("allow_all: runs overlap") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 1'000, Overlap::allow_all));
  f.pass(301);
  CHECK(f.count("started") == 5);
  CHECK(f.now().running.size() == 5);
}

TEST_CASE("cancel_other and terminate_other: the later run takes the place of the earlier") {
  for (const auto& [overlap, word] :
       {std::pair(Overlap::cancel_other, "Canceled"), std::pair(Overlap::terminate_other, "Terminated")}) {
    ScheduleFixture f;
    f.up();
    f.make(every(60, "nap", 1'000, overlap));
    f.pass(310);
    CHECK(f.count("started") == 5);
    CHECK(f.now().running.size() == 1);
    std::size_t ended = 0;
    for (const auto& e : f.executions()) ended += std::string(to_string(e.status)) == word;
    CHECK(ended == 4);
  }
}

TEST_CASE("a pause starts nothing; what it passed over is told when it ends") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 1));
  f.get(f.schedules->pause("s", "holidays"));
  f.pass(300);
  CHECK(f.count("started") == 0);
  CHECK(f.now().note == "holidays");
  f.get(f.schedules->unpause("s", ""));
  CHECK(f.count("paused") == 5);
  f.pass(60);
  CHECK(f.count("started") == 1);
}

TEST_CASE("a failure pauses a schedule that asks for it, and says why") {
  ScheduleFixture f;
  f.up();
  auto s = every(60, "fail", 1);
  s.pause_on_failure = true;
  f.make(s);
  f.pass(300);
  CHECK(f.count("started") == 1);
  CHECK(f.now().paused);
  CHECK(f.now().note.find("it broke") != std::string::npos);
}

TEST_CASE("limited actions end a schedule after so many starts") {
  ScheduleFixture f;
  f.up();
  auto s = every(60, "nap", 1);
  s.remaining = 3;
  f.make(s);
  f.pass(600);
  CHECK(f.count("started") == 3);
  CHECK(f.count("exhausted") == 7);
}

TEST_CASE("two triggers in one second are two runs, and a trigger follows the overlap policy") {
  ScheduleFixture f;
  f.up();
  f.make(every(3'600, "nap", 10, Overlap::allow_all));
  const auto one = f.get(f.schedules->trigger("s", {}));
  const auto two = f.get(f.schedules->trigger("s", {}));
  REQUIRE(one.started);
  REQUIRE(two.started);
  CHECK(one.started->workflow_id != two.started->workflow_id);
  const auto three = f.get(f.schedules->trigger("s", Overlap::skip));
  CHECK(three.missed);
}

TEST_CASE("a request that is repeated makes, triggers and fills nothing twice") {
  ScheduleFixture f;
  f.up();
  auto s = every(3'600, "nap", 10, Overlap::allow_all);
  s.request_id = "made";
  f.make(s);
  f.make(s);
  s.request_id = "other";
  CHECK(f.error_of(f.schedules->create(s)) == "schedule.exists");
  const auto one = f.get(f.schedules->trigger("s", {}, "t"));
  const auto two = f.get(f.schedules->trigger("s", {}, "t"));
  REQUIRE(one.started);
  REQUIRE(two.started);
  CHECK(one.started->run_id == two.started->run_id);
  const std::int64_t hour = seconds_floor(f.sim.runtime().now()) / 3'600 * 3'600;
  for (int i = 0; i < 2; ++i)
    f.get(f.schedules->backfill("s", from_seconds(hour), from_seconds(hour), Overlap::allow_all, "b"));
  f.pass(5);
  CHECK(f.count("started") == 2);
  CHECK(f.executions().size() == 2);
}

TEST_CASE("backfill runs the times of a range, both ends included, though the schedule is paused") {
  ScheduleFixture f;
  f.up();
  f.pass(36'000);
  auto s = every(60, "nap", 1);
  s.paused = true;
  f.make(s);
  const std::int64_t base = seconds_floor(f.sim.runtime().now()) / 60 * 60 - 36'000;
  f.get(f.schedules->backfill("s", from_seconds(base), from_seconds(base + 120), Overlap::allow_all));
  f.get(f.schedules->backfill("s", from_seconds(base + 600), from_seconds(base + 720), Overlap::allow_all));
  f.pass(10);
  CHECK(f.count("started") == 6);
  CHECK(f.now().backfills.empty());
}

TEST_CASE("a server that was down catches up within the window, and tells what lies before it") {
  ScheduleFixture f;
  f.up();
  auto s = every(60, "nap", 1, Overlap::allow_all);
  s.catch_up = std::chrono::seconds(150);
  f.make(s);
  f.down();
  f.pass(600);
  f.up();
  f.pass(5);
  CHECK(f.count("started") >= 2);
  CHECK(f.count("started") <= 3);
  CHECK(f.count("started") + f.count("catch_up") == 10);
}

TEST_CASE("what a schedule of seconds has missed in a year is counted whole, though in pieces and by calendars") {
  ScheduleFixture f;
  f.up();
  auto s = every(1, "nap", 1);
  s.catch_up = std::chrono::seconds(10);
  const std::int64_t start = seconds_floor(f.sim.runtime().now()) + 1;
  f.make(s);
  s.id = "c";
  s.action["workflowId"] = "c";
  s.spec.erase("intervals");
  s.spec["calendars"] = {{{"second", "*"}, {"minute", "*"}, {"hour", "*"}}};
  s.catch_up = std::chrono::seconds(20);
  f.make(s);
  f.down();
  f.pass(20'000);
  f.up();
  f.pass(1);
  for (const char* id : {"s", "c"}) {
    const Schedule now = f.get(f.schedules->get(id));
    std::uint64_t all = now.buffer.size() + now.counters.at("started");
    for (const auto& m : now.missed) all += m.count;
    INFO(id << " " << encode_schedule(now));
    CHECK(now.missed.front().reason == "catch_up");
    CHECK(now.mark >= start + 19'990);
    CHECK(all == std::uint64_t(now.mark - start + 1));
  }
}

TEST_CASE("new times of a schedule tell what they leave out of the old ones") {
  ScheduleFixture f;
  f.up();
  auto s = every(60, "nap", 1);
  s.paused = true;
  f.make(s);
  f.pass(601);
  f.get(f.schedules->update("s", [](Schedule& changed) { changed.note = "n"; }));
  CHECK(f.now().missed.empty());
  f.get(f.schedules->update("s", [](Schedule& changed) { changed.spec = {{"crons", {"0 0 * * *"}}}; }));
  CHECK(f.count("changed") == 10);
}

TEST_CASE("an update drops times before it and keeps counts; a deleted schedule fires no more") {
  ScheduleFixture f;
  f.up();
  f.make(every(60, "nap", 1));
  f.pass(61);
  f.get(f.schedules->update("s", [](Schedule& s) { s.spec = {{"intervals", {{{"everySeconds", 10}}}}}; }));
  f.pass(60);
  CHECK(f.count("started") == 7);
  f.run(f.schedules->remove("s"));
  f.pass(600);
  CHECK(f.executions().size() == 7);
  CHECK(f.error_of(f.schedules->get("s")) == "schedule.not_found");
  CHECK(f.error_of(f.schedules->trigger("s", {})) == "schedule.not_found");
}

TEST_CASE("the row of a schedule comes back as it was") {
  Schedule s = every(60, "nap", 1, Overlap::buffer_one);
  s.note = "n";
  s.remaining = 3;
  s.mark = 7;
  DueStart due;
  due.cause = Cause::backfill;
  due.nominal = 60;
  due.number = 2;
  due.overlap = Overlap::allow_all;
  s.buffer.push_back(due);
  StartedRun run;
  run.due = due;
  run.workflow_id = "w";
  run.run_id = "r";
  s.running.push_back(run);
  s.counters["started"] = 4;
  const std::string row = encode_schedule(s);
  CHECK(encode_schedule(decode_schedule(row)) == row);
  CHECK(
      row ==
      R"({"action":{"input":1,"kind":"workflow","type":"nap","workflowId":"w"},"backfills":[],"buffer":[{"actual":0,"cause":"backfill","nominal":60,"number":2,"overlap":"allow_all"}],"catchUp":31536000000000,"counters":{"started":4},"created":0,"id":"s","mark":7,"missed":[],"note":"n","numbers":0,"overlap":"buffer_one","owner":"","pauseOnFailure":false,"paused":false,"recent":[],"remaining":3,"running":[{"due":{"actual":0,"cause":"backfill","nominal":60,"number":2,"overlap":"allow_all"},"runId":"r","started":0,"status":"Running","workflowId":"w"}],"spec":{"intervals":[{"everySeconds":60}]},"updated":0,"v":1})");
  CHECK_THROWS(decode_schedule("{}"));
}

// ---- crashes ----

namespace {

struct Life {
  Life(DurableImage image, std::uint64_t seed)
      : sim(seed),
        store(std::make_shared<MemoryStore>(sim.runtime(), std::move(image))),
        engine(std::make_shared<Engine>(sim.runtime(), store, registry_of(), EngineOptions())),
        schedules(std::make_unique<Schedules>(sim.runtime(), store, engine)) {}
  SimRuntime sim;
  std::shared_ptr<MemoryStore> store;
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Schedules> schedules;
};
std::vector<std::unique_ptr<Life>>& graveyard() {
  // Never destroyed: what a dead process had under way is still there.
  static std::vector<std::unique_ptr<Life>>& lives = *std::make_unique<std::vector<std::unique_ptr<Life>>>().release();
  return lives;
}

constexpr int kTimes = 6;
constexpr int kFilled = 4;

// Six times of a schedule and a backfill of four: each must have its one execution in the end.
asio::awaitable<void> client(Life* life, std::vector<std::string>* out, bool* done) {
  co_await life->engine->start();
  co_await life->schedules->start();
  bool there = true;
  try {
    co_await life->schedules->get("s");
  } catch (const Error&) {
    there = false;
  }
  if (!there) {
    Schedule s = every(10, "nap", 1, Overlap::buffer_all);
    const std::int64_t start = (seconds_floor(life->sim.runtime().now()) / 10 + 1) * 10;
    s.spec["startAt"] = format_time(from_seconds(start));
    s.spec["endAt"] = format_time(from_seconds(start + 10 * (kTimes - 1)));
    s.mark = start - 1;
    co_await life->schedules->create(s);
  }
  const Schedule made = co_await life->schedules->get("s");
  if (made.numbers == 0) {
    const auto first = parse_time(made.spec.at("startAt").get<std::string>());
    co_await life->schedules->backfill("s", *first, *first + std::chrono::seconds(10 * (kFilled - 1)),
                                       Overlap::buffer_all);
  }
  for (;;) {
    const Schedule s = co_await life->schedules->get("s");
    const bool all = s.counters.contains("started") && s.counters.at("started") == kTimes + kFilled;
    if (all && s.running.empty()) break;
    co_await life->sim.runtime().sleep_for(std::chrono::seconds(1));
  }
  ListFilter filter;
  filter.limit = 1'000;
  const ListPage page = co_await life->engine->list(filter);
  for (const Execution& e : page.executions) out->push_back(e.workflow_id);
  *done = true;
}

bool live(Life& life, std::vector<std::string>* out) {
  bool done = false;
  std::exception_ptr error;
  asio::co_spawn(life.sim.runtime().executor(), client(&life, out, &done), [&](std::exception_ptr e) { error = e; });
  for (;;) {
    life.sim.run_ready();
    if (done || life.store->crashed()) break;
    REQUIRE(!error);
    REQUIRE(life.sim.advance_to_next_timer());
  }
  return done;
}

// False: there was no such write.
bool story(std::uint64_t write, CrashPoint point) {
  graveyard().push_back(std::make_unique<Life>(DurableImage(), 1));
  Life* life = graveyard().back().get();
  life->store->crash_at(write, point);
  std::vector<std::string> ids;
  const bool whole = live(*life, &ids);
  if (!whole) {
    auto image = life->store->take_durable_image();
    graveyard().push_back(std::make_unique<Life>(std::move(image), 2));
    REQUIRE(live(*graveyard().back(), &ids));
  }
  const std::set<std::string> each(ids.begin(), ids.end());
  CHECK(ids.size() == kTimes + kFilled);
  CHECK(each.size() == kTimes + kFilled);
  return !whole;
}

}  // namespace

TEST_CASE("crash points 20 and 21: after a crash at any durable write each nominal time has fired exactly once") {
  std::uint64_t crashes = 0;
  for (const CrashPoint point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after}) {
    std::uint64_t write = 1;
    while (story(write, point)) ++write;
    crashes += write - 1;
  }
  std::cout << "crashes at single durable writes of a schedule: " << crashes << "\n";
  CHECK(crashes > 60);
}

}  // namespace millrace::engine
