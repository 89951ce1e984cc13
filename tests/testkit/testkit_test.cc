// Each test workflow gives what README.md says, in process.
#include <catch2/catch.hpp>

#include <cstdio>
#include <fstream>
#include <set>

#include <unistd.h>

#include "state/keys.h"
#include "tests/engine/fixture.h"
#include "tests/testkit/testkit.h"

namespace millrace::testkit {
namespace {

using engine::EngineFixture;
using engine::Execution;
using engine::ExecutionStatus;

struct Kit : EngineFixture {
  explicit Kit(const std::string& behaviour = "a") {
    TestkitOptions o;
    o.behaviour = behaviour;
    register_testkit(registry, o);
    std::remove(ledger.c_str());
    boot();
  }
  ~Kit() { std::remove(ledger.c_str()); }
  std::vector<std::string> lines() const {
    std::ifstream in(ledger);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line.substr(line.find(' ') + 1));
    return out;
  }
  std::string input(const std::string& more) const {
    return "{\"ledger\":\"" + ledger + "\"" + (more.empty() ? "" : "," + more) + "}";
  }
  const std::string ledger = "/tmp/millrace-testkit-" + std::to_string(::getpid());
};

}  // namespace

TEST_CASE("test.steps runs its steps one after the other") {
  Kit k;
  CHECK(k.run_workflow("test.steps", "w", k.input("\"n\":4,\"stepMs\":5")).result == "{\"sum\":10}");
  CHECK(k.lines() == std::vector<std::string>{"work-1 1", "work-2 1", "work-3 1", "work-4 1"});
  CHECK(k.run_workflow("test.steps", "big", k.input("\"n\":2,\"payloadBytes\":200000")).result == "{\"sum\":3}");
}

TEST_CASE("test.parallel runs its steps at once") {
  Kit k;
  const auto before = k.sim.runtime().mono();
  CHECK(k.run_workflow("test.parallel", "w", k.input("\"n\":50,\"stepMs\":1000")).result == "{\"sum\":1275}");
  CHECK(k.sim.runtime().mono() - before < std::chrono::seconds(2));
  CHECK(k.lines().size() == 50);
}

TEST_CASE("test.retry counts its attempts") {
  Kit k;
  CHECK(k.run_workflow("test.retry", "w", k.input("\"failures\":3")).result == "{\"attempts\":4}");
  CHECK(k.lines().size() == 4);
  const Execution e = k.run_workflow("test.retry", "n", k.input("\"failures\":3,\"nonRetryable\":true"));
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(e.failure->type == "TestFailure");
}

TEST_CASE("test.timeouts fails with the time-out that it is asked for") {
  Kit k;
  for (const auto& [kind, type] : {std::pair{"scheduleToStart", "TimeoutScheduleToStart"},
                                   {"startToClose", "TimeoutStartToClose"},
                                   {"heartbeat", "TimeoutHeartbeat"},
                                   {"scheduleToClose", "TimeoutScheduleToClose"}}) {
    const Execution e = k.run_workflow(
        "test.timeouts", kind, std::string("{\"kind\":\"") + kind + "\",\"retryPolicy\":{\"maximumAttempts\":2}}");
    CHECK(e.status == ExecutionStatus::failed);
    REQUIRE(e.failure);
    CHECK(e.failure->type == type);
  }
}

TEST_CASE("test.heartbeat goes on from the details it is handed") {
  Kit k;
  CHECK(k.run_workflow("test.heartbeat", "w", k.input("\"total\":20,\"everyMs\":10")).result ==
        "{\"startedFrom\":[0]}");
  // The server stops in the middle; another one goes on from the last durable heartbeat.
  k.start("test.heartbeat", "v", k.input("\"total\":20,\"everyMs\":1000"));
  k.sim.run_until_idle(std::chrono::milliseconds(10'500));
  k.stop();
  k.boot();
  const std::string result = k.wait("v").result;
  CHECK(result == "{\"startedFrom\":[0,10]}");
}

TEST_CASE("test.timer tells how late each timer was") {
  Kit k;
  const auto json = nlohmann::json::parse(k.run_workflow("test.timer", "w", R"({"seconds":1.5,"count":3})").result);
  REQUIRE(json["lateMs"].size() == 3);
  for (const auto& late : json["lateMs"]) CHECK(late.get<double>() >= 0);
}

TEST_CASE("test.cleanup ends cancelled, after its clean-up ran") {
  for (const std::string mode : {"", "wait", "try", "abandon"}) {
    Kit k;
    k.start("test.cleanup", "w",
            k.input("\"seconds\":1000" + (mode.empty() ? "" : ",\"cancelMode\":\"" + mode + "\"")));
    k.sim.run_until_idle(std::chrono::seconds(1));
    k.run(k.engine->request_cancel("w", {}, "enough", "r1"));
    const Execution e = k.wait("w", std::chrono::seconds(100));
    INFO(mode);
    CHECK(e.status == ExecutionStatus::canceled);
    const auto lines = k.lines();
    REQUIRE(!lines.empty());
    CHECK(lines.back() == "cleanup 1");
  }
}

TEST_CASE("test.saga undoes what was done, in reverse") {
  Kit k;
  const Execution e = k.run_workflow("test.saga", "w", k.input("\"failAt\":3"));
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(k.lines() == std::vector<std::string>{"do-1 1", "do-2 1", "do-3 1", "undo-2 1", "undo-1 1"});
}

TEST_CASE("test.version: another build diverges, a patched one agrees") {
  for (const auto& [behaviour, agrees] : {std::pair{"a", true}, {"b", false}, {"patched", true}}) {
    Kit k("a");
    CHECK(k.run_workflow("test.version", "w", k.input("")).result == "{\"order\":[\"first\",\"second\"]}");
    k.stop();
    k.registry = engine::Registry();
    TestkitOptions o;
    o.behaviour = behaviour;
    register_testkit(k.registry, o);
    k.boot();
    const auto report = k.get(k.engine->verify("w", {}));
    CHECK(!report.divergence == agrees);
    if (report.divergence) {
      CHECK(report.divergence->event_id == 3);
      CHECK(report.divergence->expected == "ACTIVITY_TASK_SCHEDULED first (test.work)");
      CHECK(report.divergence->got == "ACTIVITY_TASK_SCHEDULED second (test.work)");
    }
    if (behaviour == std::string("patched"))
      CHECK(k.run_workflow("test.version", "v", k.input("")).result == "{\"order\":[\"second\",\"first\"]}");
  }
}

TEST_CASE("test.signals gives the payloads in order, early ones too, and each request id once") {
  Kit k;
  k.start("test.signals", "w", k.input("\"count\":4,\"stepBetween\":true"));
  for (int i = 1; i <= 4; ++i) {
    k.get(k.engine->signal("w", {}, "s", std::to_string(i), "r" + std::to_string(i)));
    k.get(k.engine->signal("w", {}, "s", std::to_string(i), "r" + std::to_string(i)));
    if (i == 2) {
      k.stop();
      k.boot();
    }
  }
  CHECK(k.wait("w").result == "[1,2,3,4]");
  CHECK(k.error_of(k.engine->signal("w", {}, "s", "5", "")) == "workflow.closed");
  CHECK(!k.get(k.engine->verify("w", {})).divergence);
}

TEST_CASE("test.update adds what it is told, refuses negatives without a trace, and answers a repeat the same") {
  Kit k;
  k.start("test.update", "w", "{}");
  const auto add = [&](const std::string& by, const std::string& id) {
    engine::UpdateRequest u;
    u.workflow_id = "w";
    u.name = "add";
    u.input = "{\"by\":" + by + "}";
    u.update_id = id;
    return k.get(k.engine->update(u)).value;
  };
  CHECK(add("2", "u1") == "2");
  CHECK(add("3", "u2") == "5");
  CHECK(add("3", "u2") == "5");
  const auto before = k.history("w").size();
  CHECK_THROWS_AS(add("-1", "u3"), engine::FailureError);
  CHECK(k.history("w").size() == before);
  CHECK(k.get(k.engine->query("w", {}, "get", "")) == "5");
  k.stop();
  k.boot();
  CHECK(add("3", "u2") == "5");
  CHECK(add("1", "u4") == "6");
  CHECK(k.get(k.engine->query("w", {}, "get", "")) == "6");
  CHECK(k.error_of(k.engine->query("w", {}, "other", "")) == "workflow.query_unknown");
  k.get(k.engine->signal("w", {}, "finish", "", ""));
  CHECK(k.wait("w").result == "6");
  CHECK(k.get(k.engine->query("w", {}, "get", "")) == "6");  // closed: by replay
  CHECK(!k.get(k.engine->verify("w", {})).divergence);
}

TEST_CASE("test.continue goes on as new, under one workflow id, one run open at a time") {
  Kit k;
  const auto first = k.start("test.continue", "w", k.input("\"runs\":5"));
  k.sim.run_until_idle(std::chrono::seconds(10));
  const Execution last = k.wait("w");
  CHECK(last.status == ExecutionStatus::completed);
  CHECK(last.result == "{\"runs\":5}");
  CHECK(k.lines() == std::vector<std::string>{"work-1 1", "work-2 1", "work-3 1", "work-4 1", "work-5 1"});
  engine::ListFilter filter;
  filter.workflow_id = "w";
  CHECK(k.get(k.engine->list(filter)).executions.size() == 5);
  const auto before = k.get(k.engine->describe("w", first.run_id)).execution;
  CHECK(before.status == ExecutionStatus::continued_as_new);
  CHECK(k.engine->open_executions() == 0);
}

TEST_CASE("test.children gives its children's results in order, over a restart too") {
  Kit k;
  k.start("test.children", "w",
          "{\"n\":3,\"type\":\"test.steps\",\"input\":" + k.input("\"n\":3,\"stepMs\":1000") + "}");
  k.sim.run_until_idle(std::chrono::milliseconds(1'500));
  k.stop();
  k.boot();
  CHECK(k.wait("w").result == "[{\"sum\":6},{\"sum\":6},{\"sum\":6}]");
  CHECK(k.wait("w-c2").status == ExecutionStatus::completed);
  CHECK(!k.get(k.engine->verify("w", {})).divergence);
  CHECK(k.engine->open_executions() == 0);
  CHECK(k.get(k.store->scan(state::prefix_range(state::keys::outbox_prefix(0)))).empty());
}

TEST_CASE("when a parent closes, its children do as their policy says") {
  for (const auto& [policy, status] : {std::pair{"terminate", ExecutionStatus::terminated},
                                       {"requestCancel", ExecutionStatus::canceled},
                                       {"abandon", ExecutionStatus::running}}) {
    Kit k;
    k.run_workflow(
        "test.children", "w",
        std::string(
            "{\"n\":2,\"type\":\"test.timer\",\"wait\":false,\"input\":{\"seconds\":1000},\"parentClosePolicy\":\"") +
            policy + "\"}");
    k.sim.run_until_idle(std::chrono::seconds(5));
    INFO(policy);
    CHECK(k.describe("w-c1").execution.status == status);
    CHECK(k.describe("w-c2").execution.status == status);
  }
}

TEST_CASE("a cancel request reaches the children, and a child that fails fails its parent") {
  Kit k;
  k.start("test.children", "w", R"({"n":1,"type":"test.timer","input":{"seconds":1000}})");
  k.sim.run_until_idle(std::chrono::seconds(1));
  k.run(k.engine->request_cancel("w", {}, "", ""));
  CHECK(k.wait("w", std::chrono::seconds(10)).status == ExecutionStatus::canceled);
  CHECK(k.describe("w-c1").execution.status == ExecutionStatus::canceled);
  const Execution e =
      k.run_workflow("test.children", "v", R"({"n":1,"type":"test.retry","input":{"failures":9,"nonRetryable":true}})");
  CHECK(e.status == ExecutionStatus::failed);
  CHECK(e.failure->type == "TestFailure");
  const Execution u = k.run_workflow("test.children", "u", R"({"n":1,"type":"no.such.type"})");
  CHECK(u.failure->type == "workflow.type_unknown");
}

TEST_CASE("test.ring passes its token round and round") {
  Kit k;
  k.start("test.ring", "w", k.input("\"nodes\":4,\"laps\":5"));
  CHECK(k.wait("w", std::chrono::seconds(100)).result == "{\"laps\":5}");
  CHECK(k.lines().size() == 20);
  CHECK(!k.get(k.engine->verify("w", {})).divergence);
}

TEST_CASE("unknown input fields are refused at the start") {
  Kit k;
  engine::StartRequest r;
  r.type = "test.steps";
  r.input = R"({"n":1,"steps":2})";
  CHECK(k.error_of(k.engine->start_workflow(r)) == "workflow.input_invalid");
}

}  // namespace millrace::testkit
