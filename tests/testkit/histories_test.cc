// Golden histories: tests/histories/ holds one of each feature, recorded by an earlier build. Each later build must
// agree with all of them, or runs that were begun under the earlier one would be blocked.
//
// A new feature gets a new file:  build/tests/testkit/testkit_test '[record]'  writes those that are missing and leaves
// the others as they are. A file is never changed or removed.
#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include <unistd.h>

#include "tests/engine/fixture.h"
#include "tests/testkit/replay_file.h"
#include "tests/testkit/testkit.h"

namespace millrace::testkit {
namespace {

namespace fs = std::filesystem;
using engine::EngineFixture;

struct Recorder : EngineFixture {
  explicit Recorder(std::uint64_t seed) : EngineFixture(seed) {
    register_testkit(registry);
    boot();
  }
  void write(const std::string& name, const std::string& workflow_id, const std::string& run_id = {}) {
    const fs::path path = fs::path(MILLRACE_HISTORIES) / (name + ".jsonl");
    if (fs::exists(path)) return;
    std::ofstream out(path, std::ios::binary);
    out << engine::export_header_line(engine::export_header_of(get(engine->describe(workflow_id, run_id)).execution))
        << '\n';
    for (const auto& event : get(engine->history(workflow_id, run_id, 0, 1'000'000)))
      out << engine::export_event_line(event) << '\n';
  }
};

struct Example {
  const char* name;
  const char* type;
  const char* input;
  // Between the start and the end.
  void (*meanwhile)(Recorder&);
};

void cancel(Recorder& r) {
  r.sim.run_until_idle(std::chrono::seconds(1));
  r.run(r.engine->request_cancel("w", {}, "enough", "c-1"));
}
void terminate(Recorder& r) {
  r.sim.run_until_idle(std::chrono::seconds(1));
  r.run(r.engine->terminate("w", {}, "enough"));
}
void signals(Recorder& r) {
  r.get(r.engine->signal("w", {}, "unread", "4", ""));
  for (const char* n : {"1", "2", "3"}) r.get(r.engine->signal("w", {}, "s", n, std::string("s-") + n));
}
void updates(Recorder& r) {
  for (const char* by : {"{\"by\":3}", "{\"by\":4}"}) {
    engine::UpdateRequest u;
    u.workflow_id = "w";
    u.name = "add";
    u.input = by;
    r.get(r.engine->update(u));
  }
  r.get(r.engine->signal("w", {}, "finish", "", ""));
}

const Example kExamples[] = {
    {"steps", "test.steps", R"({"n":5})", nullptr},
    {"steps-with-blobs", "test.steps", R"({"n":2,"payloadBytes":70000})", nullptr},
    {"parallel", "test.parallel", R"({"n":8,"stepMs":5})", nullptr},
    {"retry", "test.retry", R"({"failures":2,"retryPolicy":{"initialMs":10}})", nullptr},
    {"retry-given-up", "test.retry", R"({"failures":9,"retryPolicy":{"initialMs":10,"maximumAttempts":3}})", nullptr},
    {"failure-not-retryable", "test.retry", R"({"failures":1,"nonRetryable":true})", nullptr},
    {"next-retry-delay", "test.retry", R"({"failures":1,"nextDelayMs":5})", nullptr},
    {"timeout-schedule-to-start", "test.timeouts", R"({"kind":"scheduleToStart"})", nullptr},
    {"timeout-start-to-close", "test.timeouts", R"({"kind":"startToClose","retryPolicy":{"maximumAttempts":2}})",
     nullptr},
    {"timeout-schedule-to-close", "test.timeouts", R"({"kind":"scheduleToClose"})", nullptr},
    {"timeout-heartbeat", "test.timeouts", R"({"kind":"heartbeat","retryPolicy":{"maximumAttempts":2}})", nullptr},
    {"heartbeat", "test.heartbeat", R"({"total":10,"everyMs":2})", nullptr},
    {"timer", "test.timer", R"({"seconds":2,"count":3})", nullptr},
    {"signals", "test.signals", R"({"count":3,"stepBetween":true})", signals},
    {"updates", "test.update", "{}", updates},
    {"children", "test.children", R"({"n":3,"type":"test.steps","input":{"n":1}})", nullptr},
    {"child-fails", "test.children", R"({"n":1,"type":"test.retry","input":{"failures":1,"nonRetryable":true}})",
     nullptr},
    {"child-not-started", "test.children", R"({"n":1,"type":"no.such.type"})", nullptr},
    {"child-cancelled", "test.children", R"({"n":1,"type":"test.timer","input":{"seconds":3600}})", cancel},
    {"cleanup-of-a-timer", "test.cleanup", R"({"seconds":3600})", cancel},
    {"cleanup-of-a-step", "test.cleanup", R"({"seconds":3600,"cancelMode":"wait"})", cancel},
    {"cleanup-of-a-step-tried", "test.cleanup", R"({"seconds":3600,"cancelMode":"try"})", cancel},
    {"cleanup-of-an-abandoned-step", "test.cleanup", R"({"seconds":5,"cancelMode":"abandon"})", cancel},
    {"terminated", "test.timer", R"({"seconds":3600})", terminate},
    {"saga", "test.saga", R"({"failAt":3})", nullptr},
    {"version", "test.version", "{}", nullptr},
    {"ring", "test.ring", R"({"nodes":3,"laps":2})", nullptr},
    {"values", "test.values", "{}", nullptr},
    {"local-steps", "test.local", R"({"n":2})", nullptr},
    {"race", "test.race", R"({"limitMs":50})", nullptr},
};

}  // namespace

TEST_CASE("golden histories are recorded", "[.][record]") {
  fs::create_directories(MILLRACE_HISTORIES);
  std::uint64_t seed = 1;
  for (const Example& example : kExamples) {
    Recorder r(seed++);
    r.start(example.type, "w", example.input);
    if (example.meanwhile != nullptr) example.meanwhile(r);
    r.wait("w");
    r.write(example.name, "w");
  }
  Recorder r(seed);
  const auto first = r.start("test.continue", "w", R"({"runs":2})");
  r.wait("w", std::chrono::seconds(10));
  r.sim.run_until_idle(std::chrono::seconds(10));
  r.write("continue-as-new", "w", first.run_id);
  r.write("continued", "w");
}

TEST_CASE("today's code agrees with every golden history") {
  engine::Registry registry;
  register_testkit(registry);
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(MILLRACE_HISTORIES)) {
    if (entry.path().extension() != ".jsonl") continue;
    INFO(entry.path().filename().string());
    const engine::ExportedHistory history = engine::read_export(read_file(entry.path()));
    const engine::WorkflowFunction* function = registry.workflow(history.header.type);
    REQUIRE(function != nullptr);
    const auto divergence = replay_against(history, *function);
    if (divergence)
      UNSCOPED_INFO("event " << divergence->event_id << ": " << divergence->expected << " / " << divergence->got);
    CHECK_FALSE(divergence);
    ++n;
  }
  CHECK(n >= std::size(kExamples) + 2);
}

TEST_CASE("the golden histories hold every type of event that the test workflows can make") {
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(MILLRACE_HISTORIES)) {
    if (entry.path().extension() != ".jsonl") continue;
    for (const auto& event : engine::read_export(read_file(entry.path())).events)
      seen.insert(engine::view_of(event).type);
  }
  for (const char* type : {"WORKFLOW_EXECUTION_STARTED",
                           "WORKFLOW_EXECUTION_COMPLETED",
                           "WORKFLOW_EXECUTION_FAILED",
                           "WORKFLOW_EXECUTION_CANCELED",
                           "WORKFLOW_EXECUTION_TERMINATED",
                           "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
                           "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
                           "WORKFLOW_EXECUTION_SIGNALED",
                           "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
                           "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
                           "WORKFLOW_TASK_COMPLETED",
                           "ACTIVITY_TASK_SCHEDULED",
                           "ACTIVITY_TASK_STARTED",
                           "ACTIVITY_TASK_COMPLETED",
                           "ACTIVITY_TASK_FAILED",
                           "ACTIVITY_TASK_TIMED_OUT",
                           "ACTIVITY_TASK_CANCELED",
                           "ACTIVITY_TASK_CANCEL_REQUESTED",
                           "TIMER_STARTED",
                           "TIMER_FIRED",
                           "TIMER_CANCELED",
                           "MARKER_RECORDED",
                           "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
                           "START_CHILD_WORKFLOW_EXECUTION_FAILED",
                           "CHILD_WORKFLOW_EXECUTION_STARTED",
                           "CHILD_WORKFLOW_EXECUTION_COMPLETED",
                           "CHILD_WORKFLOW_EXECUTION_FAILED",
                           "CHILD_WORKFLOW_EXECUTION_CANCELED",
                           "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                           "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
                           "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"}) {
    INFO(type);
    CHECK(seen.count(type) == 1);
  }
}

}  // namespace millrace::testkit
