// Jobs through the engine, over the in-memory store, against ends whose every failure is chosen.
#include "common/metrics.h"
#include "state/memory_store.h"
#include "tests/workflows/fakes.h"
#include "tests/workflows/server_in_process.h"

using namespace millrace;
using namespace millrace::test;
using nlohmann::json;
using resources::Kind;
using workflows::JobRequest;

namespace {

class JobsFixture {
 public:
  JobsFixture() {
    world->tables["public.a"] = {2, 10, true};
    world->tables["public.b"] = {1, 10, true};
    store = std::make_shared<state::MemoryStore>(real.runtime());
    auto registry = std::make_shared<connectors::Registry>();
    registry->add(fake_sync_connector(world));
    server = std::make_unique<ServerInProcess>(real, store, registry, dir.file("key"));
    const json configuration = {{"password", "s3cret-value"}};
    source = server->create(Kind::source, {{"name", "s"}, {"connector", "fake"}, {"configuration", configuration}});
    destination =
        server->create(Kind::destination, {{"name", "d"}, {"connector", "fake"}, {"configuration", json::object()}});
    connection = server->create(Kind::connection, {{"name", "c"}, {"source", "s"}, {"destination", "d"}});
  }
  ~JobsFixture() {
    server.reset();
    store->close();
  }

  JobRequest sync() {
    JobRequest request;
    request.connection_id = connection;
    return request;
  }
  std::string code_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.code());
    }
    return "none";
  }
  std::string status_of(const json& job, const std::string& stream) {
    for (const auto& s : job["streams"])
      if (s["name"] == stream) return s["status"];
    return "missing";
  }
  // Holds every read until release().
  void hold() {
    world->in_read = [this](std::string, std::string) -> asio::awaitable<void> {
      reading.set();
      co_await released.wait();
    };
  }

  RealRuntime real;
  TempDir dir;
  WorldPtr world = std::make_shared<FakeWorld>();
  Event reading, released;
  std::shared_ptr<state::MemoryStore> store;
  std::unique_ptr<ServerInProcess> server;
  std::string source, destination, connection;
};

}  // namespace

TEST_CASE_METHOD(JobsFixture, "a sync job runs its five steps, and its view has the contract's fields") {
  const auto id = server->start(sync());
  const auto job = server->finish(id);
  INFO(job.dump(2));
  CHECK(job["jobId"] == id);
  CHECK(job["status"] == "succeeded");
  CHECK(job["jobType"] == "sync");
  CHECK(job["connectionId"] == connection);
  CHECK(job["rowsSynced"] == 30);
  CHECK(job["bytesSynced"].get<int>() > 0);
  CHECK(job["partial"] == false);
  CHECK(job["failure"].is_null());
  CHECK(job["workflowId"] == "job-" + std::to_string(id));
  CHECK(job["duration"].get<std::string>().starts_with("PT"));
  CHECK(job["revisions"]["source"] == json({{"id", source}, {"revision", 1}}));
  std::string steps;
  for (const auto& s : job["steps"]) {
    steps += s["name"].get<std::string>() + " ";
    CHECK(s["status"] == "succeeded");
    CHECK(s["attempts"].size() == 1);
  }
  CHECK(steps == "get_spec check discover sync normalize ");
  REQUIRE(job["streams"].size() == 2);
  for (const char* field : {"namespace", "name", "status", "rowsRead", "rowsCommitted", "bytesRead", "bytesCommitted",
                            "rowsQuarantined", "rate", "consistency", "splits", "state", "failure"})
    CHECK(job["streams"][0].contains(field));
  CHECK(status_of(job, "a") == "complete");
  CHECK(world->stored["public.a"].published);
}

TEST_CASE_METHOD(JobsFixture, "a finished job can be verified against today's code, and its log read") {
  const auto id = server->start(sync());
  server->finish(id);
  const auto report = json::parse(run(real, server->jobs->verify_json(id)));
  CHECK(report["divergence"].is_null());
  CHECK(report["eventsChecked"].get<int>() > 10);
  const auto logs = json::parse(run(real, server->jobs->logs_json(id, 0, 100)));
  CHECK(logs["data"].size() > 5);
  CHECK(logs["ended"] == true);
  CHECK(logs.dump().find("20 rows loaded") != std::string::npos);
}

TEST_CASE_METHOD(JobsFixture, "no secret is in any history, row or log") {
  server->finish(server->start(sync()));
  CHECK(server->everything_stored().find("s3cret-value") == std::string::npos);
}

TEST_CASE_METHOD(JobsFixture,
                 "a connection runs one job at a time: another start is refused with its number, or attaches") {
  hold();
  const auto id = server->start(sync());
  run(real, reading.wait());
  std::int64_t told = 0;
  try {
    server->start(sync());
  } catch (const workflows::JobConflict& e) {
    told = e.job_id;
  }
  CHECK(told == id);
  auto attach = sync();
  attach.attach = true;
  CHECK(server->start(attach) == id);
  CHECK(code_of([&] { run(real, server->resources->remove(Kind::connection, connection, resources::Principal())); }) ==
        "resource.in_use");
  const auto running = server->job(id);
  CHECK(running["status"] == "running");
  released.set();
  CHECK(server->finish(id)["status"] == "succeeded");
  const auto second = server->start(sync());
  CHECK(second > id);
  CHECK(server->finish(second)["status"] == "succeeded");
}

TEST_CASE_METHOD(JobsFixture, "when a connection last succeeded is told again after a restart") {
  const auto shown = [] {
    const std::string text = render_metrics();
    const std::string name = "millrace_sync_last_success_timestamp_seconds{connection=\"c\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? 0. : std::stod(text.substr(at + name.size()));
  };
  REQUIRE(server->finish(server->start(sync()))["status"] == "succeeded");
  const double succeeded = shown();
  CHECK(succeeded > 1.6e9);
  world->before_open = [](const std::string&) { throw Error("stream.not_found", "gone"); };
  world->stored.clear();
  REQUIRE(server->finish(server->start(sync()))["status"] == "failed");

  metric_gauge("millrace_sync_last_success_timestamp_seconds", "", {{"connection", "c"}}).set(0);
  run(real, server->jobs->restore_metrics());
  CHECK(shown() == Approx(succeeded).margin(5));
}

TEST_CASE_METHOD(JobsFixture, "a stream that a pattern meets later is taken or left out as the schema policy says") {
  const auto change = [&](const char* field, const char* value) {
    const json body = {{field, value}};
    run(real, server->resources->update(Kind::connection, connection, body.dump(), resources::UpdateMode::patch,
                                        resources::Principal()));
  };
  const auto connection_field = [&](const char* field) {
    return json::parse(run(real, server->resources->get(Kind::connection, connection)).spec)[field];
  };
  const auto log_of = [&](const json& job) { return run(real, server->jobs->logs_json(job["jobId"], 0, 1000)); };
  const auto job = [&] { return server->finish(server->start(sync())); };

  // The default, propagate_columns: what the pattern met first is taken, what comes later is left out and said.
  CHECK(job()["streams"].size() == 2);
  world->tables["public.later"] = {1, 10, true};
  json ended = job();
  CHECK(ended["status"] == "succeeded");
  CHECK(status_of(ended, "later") == "missing");
  CHECK(log_of(ended).find("public.later") != std::string::npos);
  CHECK(status_of(job(), "later") == "missing");

  change("nonBreakingSchemaUpdatesBehavior", "propagate_fully");
  CHECK(status_of(job(), "later") == "complete");
  change("nonBreakingSchemaUpdatesBehavior", "ignore");
  CHECK(status_of(job(), "later") == "complete");

  change("nonBreakingSchemaUpdatesBehavior", "disable_connection");
  world->tables["public.last"] = {1, 10, true};
  const auto reads = world->read_times("public.a/0000");
  ended = job();
  CHECK(ended["status"] == "failed");
  CHECK(ended["failure"]["code"] == "sync.schema_changed");
  CHECK(ended["failure"].dump().find("public.last") != std::string::npos);
  CHECK(world->read_times("public.a/0000") == reads);
  CHECK(connection_field("status") == "inactive");
  change("status", "active");
  CHECK(status_of(job(), "last") == "complete");
  CHECK(connection_field("status") == "active");
  CHECK(job()["streams"].size() == 4);
}

TEST_CASE_METHOD(JobsFixture, "a request id starts one job, also after its end") {
  auto request = sync();
  request.request_id = "key";
  const auto id = server->start(request);
  server->finish(id);
  CHECK(server->start(request) == id);
  request.streams.push_back(connectors::StreamName("public", "a"));
  CHECK(code_of([&] { server->start(request); }) == "idempotency.mismatch");
}

TEST_CASE_METHOD(JobsFixture, "a job with failed streams is partial, and the next one may take only those") {
  world->before_open = [](const std::string& stream) {
    if (stream == "public.b") throw Error("stream.not_found", "gone");
  };
  auto job = server->finish(server->start(sync()));
  INFO(job.dump(2));
  CHECK(job["status"] == "failed");
  CHECK(job["partial"] == true);
  CHECK(status_of(job, "a") == "complete");
  CHECK(status_of(job, "b") == "failed");
  CHECK(job["failure"]["code"] == "stream.not_found");
  CHECK(job["failure"]["remedy"].get<std::string>().size() > 5);

  world->before_open = [](const std::string&) {};
  world->stored.clear();
  auto again = sync();
  again.only_failed = true;
  job = server->finish(server->start(again));
  CHECK(job["status"] == "succeeded");
  REQUIRE(job["streams"].size() == 1);
  CHECK(job["streams"][0]["name"] == "b");
  CHECK(code_of([&] { server->start(again); }) == "job.nothing_to_do");
}

TEST_CASE_METHOD(JobsFixture, "a normalize job completes what a sync has loaded and could not publish") {
  world->before_publish = [](const std::string& stream) {
    if (stream == "public.b") throw Error("stream.not_found", "a view is in the way");
  };
  auto job = server->finish(server->start(sync()));
  CHECK(job["status"] == "failed");
  CHECK(job["partial"] == true);
  CHECK(status_of(job, "b") == "failed");
  CHECK_FALSE(world->stored["public.b"].published);

  world->before_publish = [](const std::string&) {};
  auto request = sync();
  request.job_type = "normalize";
  job = server->finish(server->start(request));
  INFO(job.dump(2));
  CHECK(job["status"] == "succeeded");
  CHECK(job["jobType"] == "normalize");
  CHECK(job["streams"].size() == 2);
  CHECK(status_of(job, "b") == "complete");
  CHECK(world->stored["public.b"].published);
  CHECK(world->read_times("public.b/0000") == 1);
}

TEST_CASE_METHOD(JobsFixture, "a failed attempt is shown as incomplete, is tried again, and the job succeeds") {
  std::atomic<int> left{1};
  world->before_read = [&](const std::string& stream, const std::string&) {
    if (stream == "public.b" && left.fetch_sub(1) > 0) throw Error("store.disk_full", "for a moment");
  };
  const auto job = server->finish(server->start(sync()));
  INFO(job.dump(2));
  CHECK(job["status"] == "succeeded");
  CHECK(job["steps"][3]["attempts"].size() == 2);
  CHECK(job["steps"][3]["attempts"][0]["failure"]["code"] == "store.disk_full");
  CHECK(world->read_times("public.a/0000") == 1);
}

TEST_CASE_METHOD(JobsFixture, "cancelling a running sync ends it within a second as cancelled") {
  hold();
  const auto id = server->start(sync());
  run(real, reading.wait());
  const auto before = real.runtime().mono();
  run(real, server->jobs->cancel(id, "enough"));
  const auto job = server->finish(id);
  CHECK(to_seconds(std::chrono::duration_cast<Duration>(real.runtime().mono() - before)) < 1.0);
  INFO(job.dump(2));
  CHECK(job["status"] == "cancelled");
  for (const auto& s : job["streams"]) CHECK(s["status"] == "cancelled");
  CHECK_FALSE(world->stored["public.a"].published);
  run(real, server->jobs->cancel(id, "again"));  // of what has ended: no harm
}

TEST_CASE_METHOD(JobsFixture, "a failed check is an answer to a check job, and ends a sync before anything is read") {
  world->check_fails = true;
  const auto check = run(real, server->jobs->start_check(Kind::source, source, resources::Principal()));
  CHECK(server->finish(check)["status"] == "succeeded");
  auto result = json::parse(run(real, server->jobs->result_json(check)));
  CHECK(result["status"] == "failed");
  CHECK(result["code"] == "postgres.auth_failed");
  CHECK(result["jobId"] == check);
  const auto job = server->finish(server->start(sync()));
  CHECK(job["status"] == "failed");
  CHECK(job["failure"]["code"] == "postgres.auth_failed");
  CHECK(job["steps"].size() == 2);
  CHECK(job["steps"][1]["attempts"].size() == 1);
  CHECK(world->reads.empty());
}

TEST_CASE_METHOD(JobsFixture, "the short jobs answer what they found") {
  const auto check = run(real, server->jobs->start_check(Kind::destination, destination, resources::Principal()));
  server->finish(check);
  CHECK(json::parse(run(real, server->jobs->result_json(check)))["status"] == "succeeded");
  const auto discover = run(real, server->jobs->start_discover(source, resources::Principal()));
  server->finish(discover);
  const auto found = json::parse(run(real, server->jobs->result_json(discover)));
  CHECK(found["catalog"]["streams"].size() == 2);
  CHECK(found["revision"] == 1);
  const auto spec = run(real, server->jobs->start_spec("fake", resources::Principal()));
  server->finish(spec);
  CHECK(json::parse(run(real, server->jobs->result_json(spec)))["sourceSpecification"]["type"] == "object");
  CHECK(code_of([&] { run(real, server->jobs->start_spec("nothing", resources::Principal())); }) ==
        "resource.unknown_reference");
}

TEST_CASE_METHOD(JobsFixture, "jobs are listed newest first, by connection, status and type, in pages") {
  for (int i = 0; i < 3; ++i) server->finish(server->start(sync()));
  server->finish(run(real, server->jobs->start_check(Kind::source, source, resources::Principal())));
  workflows::JobFilter filter;
  CHECK(server->list(filter)["data"].size() == 4);
  CHECK(server->list(filter)["data"][0]["jobType"] == "check");
  filter.connection_id = connection;
  filter.limit = 2;
  auto page = server->list(filter);
  REQUIRE(page["data"].size() == 2);
  CHECK(page["data"][0]["jobId"].get<int>() > page["data"][1]["jobId"].get<int>());
  CHECK(page["next"] == "2");
  filter.offset = 2;
  page = server->list(filter);
  CHECK(page["data"].size() == 1);
  CHECK(page["next"] == "");
  CHECK(page["previous"] == "0");
  filter = workflows::JobFilter();
  filter.status = "failed";
  CHECK(server->list(filter)["data"].empty());
  filter.status = "succeeded";
  filter.job_type = "sync";
  CHECK(server->list(filter)["data"].size() == 3);
  CHECK(code_of([&] { server->job(999); }) == "job.not_found");
}

TEST_CASE_METHOD(JobsFixture, "job types that don't exist yet are refused by name") {
  auto request = sync();
  request.job_type = "compare";
  CHECK(code_of([&] { server->start(request); }) == "job.type_unknown");
}
