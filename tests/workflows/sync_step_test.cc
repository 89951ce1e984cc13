// The step sync against ends whose every failure is chosen.
#include <catch2/catch.hpp>

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/metrics.h"
#include "common/task_group.h"
#include "tests/workflows/fakes.h"
#include "workflows/steps.h"
#include "workflows/stream_failure.h"

using namespace millrace;
using namespace millrace::test;
using namespace millrace::workflows;
using nlohmann::json;

namespace {

class SyncFixture {
 public:
  SyncFixture() : ctx(real.runtime()) {
    options.streams_parallel = 2;
    options.splits_parallel = 1;
  }

  // What one attempt came to.
  struct Outcome {
    std::optional<json> result;
    std::optional<engine::Failure> failure;
    bool suspended = false;
    bool cancelled = false;
    std::string status(const std::string& name) const {
      for (const auto& s : (*result)["streams"])
        if (s["namespace"].get<std::string>() + "." + s["name"].get<std::string>() == name) return s["status"];
      return "missing";
    }
  };

  Outcome attempt(std::function<asio::awaitable<void>()> beside = nullptr) {
    auto endpoints = std::make_shared<Endpoints>();
    endpoints->connection_name = "test";
    endpoints->make_source = [w = world] { return make_fake_source(w); };
    endpoints->make_destination = [w = world] { return make_fake_destination(w); };
    auto plan = std::make_shared<SyncPlan>();
    for (const auto& [name, _] : world->tables) {
      StreamPlan s;
      s.target.source_name = connectors::StreamName(name.substr(0, name.find('.')), name.substr(name.find('.') + 1));
      s.target.name = s.target.source_name.name;
      s.target.schema = std::make_shared<const connectors::Schema>(fake_schema());
      plan->streams.push_back(std::move(s));
    }
    Outcome outcome;
    real.run_until_done(run(endpoints, plan, outcome, std::move(beside)));
    return outcome;
  }
  asio::awaitable<void> run(std::shared_ptr<const Endpoints> endpoints, std::shared_ptr<const SyncPlan> plan,
                            Outcome& outcome, std::function<asio::awaitable<void>()> beside) {
    TaskGroup group(real.runtime());
    running = &group;
    group.spawn("attempt", one(endpoints, plan, outcome));
    if (beside) co_await beside();
    co_await group.join();
    running = nullptr;
  }
  asio::awaitable<void> one(std::shared_ptr<const Endpoints> endpoints, std::shared_ptr<const SyncPlan> plan,
                            Outcome& outcome) {
    try {
      outcome.result = json::parse(co_await run_sync(ctx, endpoints, plan, options));
    } catch (const engine::Suspended&) {
      outcome.suspended = true;
    } catch (const engine::FailureError& e) {
      outcome.failure = e.failure();
    } catch (...) {
      if (!is_cancelled(std::current_exception())) throw;
      outcome.cancelled = true;
    }
  }

  RealRuntime real;
  WorldPtr world = std::make_shared<FakeWorld>();
  FakeContext ctx;
  SyncOptions options;
  TaskGroup* running = nullptr;
};

}  // namespace

TEST_CASE_METHOD(SyncFixture, "a sync loads all splits of all streams and says what it did") {
  world->tables["public.a"] = {3, 10, true};
  world->tables["public.b"] = {1, 0, true};
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  CHECK(outcome.status("public.a") == "loaded");
  CHECK(outcome.status("public.b") == "loaded");
  const auto& a = (*outcome.result)["streams"][0];
  CHECK(a["rowsRead"] == 30);
  CHECK(a["rowsCommitted"] == 30);
  CHECK(a["splits"] == json({{"total", 3}, {"complete", 3}}));
  CHECK(a["consistency"] == "key_ranges");
  CHECK((*outcome.result)["targets"].size() == 2);
  CHECK(world->stored["public.a"].finished);
  CHECK(world->closed.size() == 4);
  CHECK(json::parse(*ctx.last_heartbeat())["streams"].size() == 2);
}

TEST_CASE_METHOD(SyncFixture, "several workers share the splits of a stream, each read once") {
  world->tables["public.a"] = {9, 50, true};
  options.splits_parallel = 4;
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  CHECK((*outcome.result)["streams"][0]["rowsCommitted"] == 450);
  for (int i = 0; i < 9; ++i) CHECK(world->read_times("public.a/000" + std::to_string(i)) == 1);
}

TEST_CASE_METHOD(SyncFixture, "the plan is durable before the first row is read") {
  world->tables["public.a"] = {2, 5, true};
  bool durable = true;
  world->before_read = [&](const std::string&, const std::string&) {
    durable = durable && ctx.kept().contains("plan/public.a");
  };
  REQUIRE(attempt().result);
  CHECK(durable);
}

TEST_CASE_METHOD(SyncFixture, "a later attempt reads only what is not complete, by the plan of the first") {
  world->tables["public.a"] = {3, 10, true};
  world->tables["public.b"] = {2, 10, true};
  world->before_read = [](const std::string& stream, const std::string& split) {
    if (stream == "public.a" && split == "0001") throw Error("store.disk_full", "for a while");
  };
  // The metric says what this process moved: found rows are none of it, whatever the stream's counters say.
  const auto moved = [](const char* stage) {
    const std::string text = render_metrics();
    const std::string name = std::string("millrace_sync_records_total{connection=\"test\",stage=\"") + stage + "\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? 0. : std::stod(text.substr(at + name.size()));
  };
  const double read_before = moved("read");
  const double committed_before = moved("committed");
  auto outcome = attempt();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->type == "store.disk_full");
  CHECK(outcome.failure->retryable);
  CHECK(world->stored["public.b"].finished);

  world->before_read = [](const std::string&, const std::string&) {};
  ctx.next_attempt();
  outcome = attempt();
  REQUIRE(outcome.result);
  CHECK(outcome.status("public.a") == "loaded");
  CHECK(outcome.status("public.b") == "loaded");
  CHECK((*outcome.result)["streams"][0]["rowsCommitted"] == 30);
  CHECK((*outcome.result)["streams"][1]["rowsCommitted"] == 20);
  CHECK(world->read_times("public.a/0000") == 1);
  CHECK(world->read_times("public.a/0001") == 2);
  CHECK(world->read_times("public.b/0000") == 1);
  CHECK(world->plans["public.a"] == 1);
  CHECK(moved("read") - read_before == 50);
  CHECK(moved("committed") - committed_before == 50);

  // All is loaded: an attempt that only finds it moves nothing.
  ctx.next_attempt();
  outcome = attempt();
  REQUIRE(outcome.result);
  CHECK((*outcome.result)["streams"][0]["rowsCommitted"] == 30);
  CHECK(moved("read") - read_before == 50);
}

TEST_CASE_METHOD(SyncFixture, "a plan that died with its snapshot is thrown away with the rows read by it") {
  world->tables["public.a"] = {2, 10, false};
  world->before_read = [](const std::string&, const std::string& split) {
    if (split == "0001") throw Error("store.disk_full");
  };
  REQUIRE(attempt().failure);
  CHECK(world->stored["public.a"].splits.size() == 1);
  world->before_read = [](const std::string&, const std::string&) {};
  ctx.next_attempt();
  REQUIRE(attempt().result);
  CHECK(world->stored["public.a"].restarts == 1);
  CHECK(world->plans["public.a"] == 2);
  CHECK(world->read_times("public.a/0000") == 2);
}

TEST_CASE_METHOD(SyncFixture,
                 "one stream's failure does not stop the others, and is not tried again if a retry can't mend it") {
  world->tables["public.a"] = {1, 10, true};
  world->tables["public.b"] = {1, 10, true};
  world->tables["public.c"] = {1, 10, true};
  world->before_open = [](const std::string& stream) {
    if (stream == "public.b") throw Error("stream.not_found", "it is gone");
  };
  world->before_read = [](const std::string& stream, const std::string&) {
    if (stream == "public.c") throw Error("store.disk_full");
  };
  auto outcome = attempt();
  REQUIRE(outcome.failure);  // since c may do better
  CHECK(outcome.failure->type == "store.disk_full");

  int opened = 0;
  world->before_open = [&](const std::string& stream) { opened += stream == "public.b"; };
  world->before_read = [](const std::string&, const std::string&) {};
  ctx.next_attempt();
  outcome = attempt();
  REQUIRE(outcome.result);
  CHECK(opened == 0);
  CHECK(outcome.status("public.a") == "loaded");
  CHECK(outcome.status("public.b") == "failed");
  CHECK(outcome.status("public.c") == "loaded");
  CHECK((*outcome.result)["targets"].size() == 2);
  CHECK((*outcome.result)["streams"][1]["failure"]["code"] == "stream.not_found");
}

TEST_CASE_METHOD(SyncFixture, "at the last attempt the result tells what failed instead of asking for another one") {
  world->tables["public.a"] = {1, 10, true};
  world->tables["public.b"] = {1, 10, true};
  world->before_read = [](const std::string& stream, const std::string&) {
    if (stream == "public.b") throw Error("store.disk_full");
  };
  ctx.last_attempt = true;
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  CHECK(outcome.status("public.a") == "loaded");
  CHECK(outcome.status("public.b") == "failed");
}

TEST_CASE_METHOD(SyncFixture, "counts that differ fail the stream for good") {
  world->tables["public.a"] = {2, 10, true};
  SECTION("the source says another number than came") { world->source_counts_wrong_by = 1; }
  SECTION("the destination holds another number than was sent") { world->destination_counts_wrong_by = -1; }
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  CHECK(outcome.status("public.a") == "failed");
  const auto& failure = (*outcome.result)["streams"][0]["failure"];
  CHECK(failure["code"] == "sync.count_mismatch");
  CHECK(failure["retryable"] == false);
  CHECK_FALSE(world->stored["public.a"].finished);
}

TEST_CASE_METHOD(SyncFixture, "a failed commit fails the stream and the split is read again") {
  world->tables["public.a"] = {3, 10, true};
  world->before_commit = [](const std::string&, const std::string& split) {
    if (split == "0001") throw Error("store.disk_full");
  };
  REQUIRE(attempt().failure);
  world->before_commit = [](const std::string&, const std::string&) {};
  ctx.next_attempt();
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  CHECK((*outcome.result)["streams"][0]["rowsCommitted"] == 30);
  CHECK(world->read_times("public.a/0000") == 1);
  CHECK(world->read_times("public.a/0001") == 2);
}

TEST_CASE_METHOD(SyncFixture, "a draining server stops a sync at the next split boundary, and it goes on from there") {
  world->tables["public.a"] = {5, 10, true};
  world->before_read = [&](const std::string&, const std::string& split) {
    if (split == "0001") ctx.draining_now = true;
  };
  auto outcome = attempt();
  CHECK(outcome.suspended);
  CHECK(world->stored["public.a"].splits.size() == 2);
  world->before_read = [](const std::string&, const std::string&) {};
  ctx.next_attempt();
  outcome = attempt();
  REQUIRE(outcome.result);
  CHECK((*outcome.result)["streams"][0]["rowsCommitted"] == 50);
  CHECK(world->read_times("public.a/0001") == 1);
}

TEST_CASE_METHOD(SyncFixture, "cancelling ends reading at once; what was committed stays") {
  world->tables["public.a"] = {3, 10, true};
  Event reached, never;
  world->in_read = [&](std::string, std::string split) -> asio::awaitable<void> {
    if (split != "0001") co_return;
    reached.set();
    co_await never.wait();
  };
  const auto outcome = attempt([&]() -> asio::awaitable<void> {
    co_await reached.wait();
    running->cancel();
  });
  CHECK(outcome.cancelled);
  CHECK_FALSE(world->stored["public.a"].finished);
  CHECK(world->closed.size() == 2);
}

TEST_CASE_METHOD(SyncFixture, "a stream that neither fails nor moves ends as stalled, with who was waited for") {
  world->tables["public.a"] = {2, 10, true};
  world->tables["public.b"] = {1, 10, true};
  options.stall_limit = std::chrono::milliseconds(200);
  Event never;
  world->in_read = [&](std::string stream, std::string split) -> asio::awaitable<void> {
    if (stream == "public.a" && split == "0001") co_await never.wait();
  };
  const auto outcome = attempt();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->type == "sync.stalled");
  CHECK(outcome.failure->message.find("the source gave none") != std::string::npos);
  CHECK(world->stored["public.a"].splits.size() == 1);
  CHECK(world->stored["public.b"].finished);
}

TEST_CASE_METHOD(SyncFixture,
                 "normalize publishes what is loaded, tells what was published before, and keeps failures apart") {
  world->tables["public.a"] = {1, 10, true};
  world->tables["public.b"] = {1, 10, true};
  const auto outcome = attempt();
  REQUIRE(outcome.result);
  std::vector<connectors::StreamTarget> targets;
  for (const auto& t : (*outcome.result)["targets"]) targets.push_back(connectors::stream_target_from_json(t.dump()));
  auto endpoints = std::make_shared<Endpoints>();
  endpoints->connection_name = "test";
  endpoints->make_destination = [w = world] { return make_fake_destination(w); };
  std::shared_ptr<const Endpoints> ends = endpoints;
  json published;
  const auto normalize = [&]() -> asio::awaitable<void> {
    published = json::parse(co_await run_normalize(ctx, ends, targets, true));
  };
  world->before_publish = [](const std::string& stream) {
    if (stream == "public.b") throw Error("stream.not_found", "not ours");
  };
  real.run_until_done(normalize());
  CHECK(published["streams"][0]["rows"] == 10);
  CHECK(published["streams"][0]["alreadyDone"] == false);
  CHECK(published["streams"][1]["failure"]["code"] == "stream.not_found");
  world->before_publish = [](const std::string&) {};
  real.run_until_done(normalize());
  CHECK(published["streams"][0]["alreadyDone"] == true);
  CHECK(published["streams"][1]["alreadyDone"] == false);
}
