// What paths mean: access, tokens, problems, idempotency, workflows - the whole App over a store in memory, over HTTP.
#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "api/app.h"
#include "common/errors.h"
#include "state/memory_store.h"
#include "tests/api/support.h"

namespace millrace::test {
namespace {

using Json = nlohmann::json;

class NoSecrets final : public resources::SecretBox {
 public:
  std::string seal(const std::string& plain) override { return plain; }
  std::string open_sealed(const std::string& sealed) override { return sealed; }
  std::string keyed_hash(const std::string& plain) override { return plain; }
};

asio::awaitable<engine::Payload> add_one(engine::StepContext&, engine::Payload input) {
  co_return std::to_string(std::stoi(input) + 1);
}
asio::awaitable<engine::Payload> fail_always(engine::StepContext&, engine::Payload) {
  engine::Failure failure;
  failure.type = "test.broken";
  failure.message = "it is broken";
  failure.retryable = false;
  throw engine::FailureError(failure);
  co_return "";
}

engine::Workflow<engine::Payload> count_to_three(engine::Context& ctx, engine::Payload) {
  engine::Payload n = "0";
  for (int i = 0; i < 3; ++i) n = co_await ctx.step("add_one", n, engine::StepOptions());
  co_return n;
}
engine::Workflow<engine::Payload> sleep_long(engine::Context& ctx, engine::Payload) {
  co_await ctx.timer(std::chrono::hours(1));
  co_return "1";
}
engine::Workflow<engine::Payload> break_down(engine::Context& ctx, engine::Payload input) {
  co_return co_await ctx.step("fail_always", input, engine::StepOptions());
}

constexpr const char* kToken = "mr_the-first-token";

struct Fixture {
  explicit Fixture(bool ready = true, bool no_auth = false) {
    const Runtime runtime = background.runtime();
    auto connectors = std::make_shared<connectors::Registry>();
    connectors::register_all(*connectors);
    store = std::make_shared<state::MemoryStore>(runtime);
    api::Services services(runtime);
    services.store = store;
    services.resources =
        std::make_shared<resources::Resources>(runtime, store, connectors, std::make_unique<NoSecrets>());
    engine::Registry registry;
    registry.add_step("add_one", add_one);
    registry.add_step("fail_always", fail_always);
    registry.add_workflow("count", count_to_three);
    registry.add_workflow("sleep", sleep_long);
    registry.add_workflow("break", break_down);
    workflows::register_all(registry, services.resources, runtime);
    services.engine = engine =
        std::make_shared<engine::Engine>(runtime, store, std::move(registry), engine::EngineOptions());
    services.jobs = std::make_shared<workflows::Jobs>(runtime, store, services.engine, services.resources);
    services.tokens = std::make_shared<api::Tokens>(runtime, store);
    services.tokens->set_first_token(kToken);
    background.await(engine->start());
    api::AppOptions options;
    options.no_auth = no_auth;
    options.access.allow_hosts = {"millrace.example"};
    app = std::make_shared<api::App>(std::move(services), std::move(options));
    if (ready) app->set_phase(api::ServerPhase::ready);
    server = std::make_unique<api::HttpServer>(runtime, app, api::HttpLimits());
    api::ListenOptions listen;
    listen.port = 0;
    port = server->start(listen);
  }
  ~Fixture() {
    background.await(server->stop(std::chrono::milliseconds(100)));
    background.await(engine->stop(std::chrono::milliseconds(100)));
    server.reset();
    app.reset();
    engine.reset();
    store->close();
  }

  RawAnswer ask(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& more = "", const std::string& token = kToken) {
    RawClient client(port);
    return client.ask(method, target, (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + more, body);
  }
  Json json(const std::string& method, const std::string& target, const std::string& body = "", int expected = 200) {
    const RawAnswer answer = ask(method, target, body);
    INFO(method << " " << target << ": " << answer.body);
    REQUIRE(answer.status == expected);
    return Json::parse(answer.body);
  }
  // The code of the problem, which must have all its members.
  std::string problem(const RawAnswer& answer, int status) {
    INFO(answer.body);
    CHECK(answer.status == status);
    CHECK(answer.headers.at("content-type") == "application/problem+json");
    const Json body = Json::parse(answer.body);
    for (const char* member :
         {"type", "title", "status", "detail", "instance", "code", "remedy", "documentationUrl", "data", "errors"}) {
      CHECK(body.contains(member));
    }
    CHECK(body.at("status") == status);
    return body.value("code", "");
  }

  BackgroundRuntime background;
  std::shared_ptr<state::MemoryStore> store;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<api::App> app;
  std::unique_ptr<api::HttpServer> server;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("health paths need no token, everything else does") {
  Fixture f;
  for (const char* path : {"/livez", "/readyz", "/readyz?verbose", "/version", "/metrics", "/openapi.json", "/docs",
                           "/docs/errors/internal", "/health", "/api/public/v1/health"}) {
    CHECK(f.ask("GET", path, "", "", "").status == 200);
  }
  for (const auto& route : f.app->router().routes()) {
    if (route->open || route->metrics) continue;
    std::string path = route->pattern;
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "1");
    const RawAnswer answer = f.ask(route->method, path, "", "", "");
    INFO(route->method << " " << path);
    CHECK(f.problem(answer, 401) == "auth.required");
    CHECK(answer.headers.contains("www-authenticate"));
  }
}

TEST_CASE("a token works as Bearer, as Basic password, and as client secret") {
  Fixture f;
  CHECK(f.ask("GET", "/v1/sources").status == 200);
  // base64("anyone:mr_the-first-token")
  CHECK(f.ask("GET", "/v1/sources", "", "Authorization: Basic YW55b25lOm1yX3RoZS1maXJzdC10b2tlbg==\r\n", "").status ==
        200);
  CHECK(f.problem(f.ask("GET", "/v1/sources", "", "", "wrong"), 401) == "auth.token_invalid");
  for (const char* path : {"/v1/applications/token", "/api/v1/applications/token", "/api/public/v1/applications/token",
                           "/applications/token"}) {
    const std::string form = std::string("grant_type=client_credentials&client_id=x&client_secret=") + kToken;
    const RawAnswer by_form = f.ask("POST", path, form, "Content-Type: application/x-www-form-urlencoded\r\n", "");
    const RawAnswer by_json = f.ask("POST", path, Json({{"client_id", "x"}, {"client_secret", kToken}}).dump(), "", "");
    for (const RawAnswer& answer : {by_form, by_json}) {
      REQUIRE(answer.status == 200);
      const Json body = Json::parse(answer.body);
      CHECK(body.at("token_type") == "bearer");
      CHECK(f.ask("GET", "/v1/sources", "", "", body.at("access_token")).status == 200);
      CHECK(f.ask("GET", "/v1/sources", "", "", body.at("access_token").get<std::string>() + "x").status == 401);
    }
    CHECK(f.ask("POST", path, "client_secret=wrong", "", "").status == 401);
  }
}

TEST_CASE("a made token has its scope, is kept as a hash, and can be revoked") {
  Fixture f;
  const Json reader = f.json("POST", "/v1/tokens", R"({"name":"r","scope":"read"})", 201);
  const Json meter = f.json("POST", "/v1/tokens", R"({"name":"m","scope":"metrics"})", 201);
  const std::string token = reader.at("token");
  CHECK(f.ask("GET", "/v1/sources", "", "", token).status == 200);
  CHECK(f.problem(f.ask("POST", "/v1/sources", "{}", "", token), 403) == "auth.forbidden");
  CHECK(f.problem(f.ask("GET", "/v1/tokens", "", "", token), 403) == "auth.forbidden");
  CHECK(f.problem(f.ask("GET", "/v1/sources", "", "", meter.at("token")), 403) == "auth.forbidden");
  CHECK(f.store->take_durable_image().log.find(token) == std::string::npos);
  CHECK(f.json("GET", "/v1/tokens").dump().find(token) == std::string::npos);
  CHECK(f.ask("DELETE", "/v1/tokens/" + reader.at("tokenId").get<std::string>()).status == 204);
  CHECK(f.ask("GET", "/v1/sources", "", "", token).status == 401);
  CHECK(f.problem(f.ask("DELETE", "/v1/tokens/none"), 404) == "auth.token_not_found");
}

TEST_CASE("without authentication nothing needs a token") {
  Fixture f(true, true);
  CHECK(f.ask("GET", "/v1/sources", "", "", "").status == 200);
}

TEST_CASE("foreign Host and Origin headers are refused") {
  Fixture f;
  CHECK(f.problem(f.ask("GET", "/livez", "", "Host: evil.example\r\n"), 403) == "request.foreign_host");
  CHECK(f.problem(f.ask("GET", "/livez", "", "Host: 10.0.0.1\r\n"), 403) == "request.foreign_host");
  CHECK(f.problem(f.ask("GET", "/livez", "", "Origin: http://evil.example\r\n"), 403) == "request.foreign_origin");
  CHECK(f.problem(f.ask("GET", "/livez", "", "Origin: null\r\n"), 403) == "request.foreign_origin");
  for (const char* good : {"Host: localhost\r\n", "Host: LOCALHOST:99\r\n", "Host: [::1]:8000\r\n",
                           "Host: millrace.example\r\n", "Origin: http://localhost:8000\r\n"}) {
    CHECK(f.ask("GET", "/livez", "", good).status == 200);
  }
  f.app->set_allow_hosts({"other.example"});
  CHECK(f.ask("GET", "/livez", "", "Host: millrace.example\r\n").status == 403);
  CHECK(f.ask("GET", "/livez", "", "Host: other.example\r\n").status == 200);
}

TEST_CASE("paths that are not ours are 404, other methods 405 with Allow") {
  Fixture f;
  for (const char* path : {"/v1", "/v1/nothing", "/../etc/passwd", "/v1/%2e%2e/x", "/v1//sources", "/v1/jobs/abc",
                           "/v1/jobs/99999999999999999999"}) {
    CHECK(f.problem(f.ask("GET", path), 404) == "request.not_found");
  }
  CHECK(f.problem(f.ask("GET", "/v1/%zz"), 400) == "request.malformed");
  const RawAnswer answer = f.ask("DELETE", "/v1/connectors");
  CHECK(f.problem(answer, 405) == "request.method_not_allowed");
  CHECK(answer.headers.at("allow") == "GET, HEAD");
  CHECK(f.ask("GET", "/v1/sources/").status == 200);
}

TEST_CASE("unknown parameters and fields are refused by name") {
  Fixture f;
  const RawAnswer answer = f.ask("GET", "/v1/sources?colour=green");
  CHECK(f.problem(answer, 400) == "request.invalid_parameter");
  CHECK(answer.body.find("colour") != std::string::npos);
  CHECK(f.problem(f.ask("GET", "/v1/jobs?limit=0"), 400) == "request.invalid_parameter");
  CHECK(f.problem(f.ask("GET", "/v1/jobs?limit=10001"), 400) == "request.invalid_parameter");
  const RawAnswer body = f.ask("POST", "/v1/workflows", R"({"typ":"count","colour":1,"workflowId":5})");
  CHECK(f.problem(body, 422) == "request.invalid");
  const Json errors = Json::parse(body.body).at("errors");
  CHECK(errors.size() == 4);  // type is missing, workflowId is no string, two unknown fields
  CHECK(f.ask("GET", "/api/public/v1/sources?colour=green").status == 200);
}

TEST_CASE("malformed and too deep JSON is refused with its place") {
  Fixture f;
  const RawAnswer answer = f.ask("POST", "/v1/workflows", "{\"type\": \"count\",\n  x}");
  CHECK(f.problem(answer, 400) == "request.malformed_json");
  CHECK(answer.body.find("line 2, column 3") != std::string::npos);
  CHECK(f.problem(f.ask("POST", "/v1/workflows", std::string(100'000, '[')), 400) == "request.malformed_json");
  CHECK(f.problem(f.ask("POST", "/v1/workflows", "[1]"), 422) == "request.invalid");
  CHECK(f.problem(f.ask("POST", "/v1/workflows", "{\"type\":\"\xff\"}"), 400) == "request.malformed_json");
}

TEST_CASE("a workflow is started once for a request id, and waited for") {
  Fixture f;
  const Json started = f.json("POST", "/v1/workflows?wait=true", R"({"type":"count","requestId":"r1"})", 201);
  CHECK(started.at("status") == "Completed");
  CHECK(started.at("result") == 3);
  const Json again = f.json("POST", "/v1/workflows", R"({"type":"count","requestId":"r1"})", 200);
  CHECK(again.at("runId") == started.at("runId"));
  const RawAnswer by_header = f.ask("POST", "/v1/workflows", R"({"type":"count"})", "Idempotency-Key: r1\r\n");
  CHECK(by_header.status == 200);
  CHECK(Json::parse(by_header.body).at("runId") == started.at("runId"));
  CHECK(f.problem(f.ask("POST", "/v1/workflows", R"({"type":"sleep","requestId":"r1"})"), 422) ==
        "idempotency.mismatch");
  const Json failed = f.json("POST", "/v1/workflows?wait=true", R"({"type":"break"})", 201);
  CHECK(failed.at("status") == "Failed");
  CHECK(failed.at("failure").dump().find("it is broken") != std::string::npos);
  const Json slow = f.json("POST", "/v1/workflows?wait=true&timeoutSeconds=0", R"({"type":"sleep"})", 202);
  CHECK(slow.at("status") == "Running");
  CHECK(f.ask("POST", "/v1/workflows", R"({"type":"none"})").status >= 400);
}

TEST_CASE("executions are listed, counted, shown, cancelled and terminated") {
  Fixture f;
  f.json("POST", "/v1/workflows?wait=true", R"({"type":"count","workflowId":"a"})", 201);
  f.json("POST", "/v1/workflows", R"({"type":"sleep","workflowId":"b/1"})", 201);
  f.json("POST", "/v1/workflows", R"({"type":"sleep","workflowId":"c"})", 201);
  CHECK(f.json("GET", "/v1/workflows").at("data").size() == 3);
  CHECK(f.json("GET", "/v1/workflows?query=Status%20%3D%20%27Running%27%20AND%20WorkflowType=%22sleep%22")
            .at("data")
            .size() == 2);
  CHECK(f.json("GET", "/v1/workflows/count?query=WorkflowId='a'").at("count") == 1);
  CHECK(f.problem(f.ask("GET", "/v1/workflows?query=StartTime%3E'x'"), 400) == "workflow.query_invalid");
  const Json page = f.json("GET", "/v1/workflows?limit=2");
  CHECK(page.at("data").size() == 2);
  CHECK(f.json("GET", "/v1/workflows?limit=2&next=" + page.at("next").get<std::string>()).at("data").size() == 1);
  const Json one = f.json("GET", "/v1/workflows/a");
  CHECK(one.at("steps").size() == 3);
  CHECK(one.at("steps")[0].at("attempts").size() == 1);
  CHECK(f.json("GET", "/v1/workflows/b%2F1").at("timers").size() == 1);
  const Json history = f.json("GET", "/v1/workflows/a/history");
  CHECK(history.at("data")[0].at("type") == "WORKFLOW_EXECUTION_STARTED");
  CHECK(f.json("GET", "/v1/workflows/a/history?after=1&limit=1").at("data")[0].at("id") == 2);
  CHECK(f.problem(f.ask("GET", "/v1/workflows/none"), 404) == "workflow.not_found");
  CHECK(f.ask("POST", "/v1/workflows/c/terminate", R"({"reason":"enough"})").status == 202);
  CHECK(f.json("GET", "/v1/workflows/c").at("status") == "Terminated");
  CHECK(f.ask("POST", "/v1/workflows/b%2F1/cancel", "").status == 202);
}

TEST_CASE("a history is followed to its end as server-sent events") {
  Fixture f;
  f.json("POST", "/v1/workflows?wait=true", R"({"type":"count","workflowId":"a"})", 201);
  const RawAnswer answer = f.ask("GET", "/v1/workflows/a/history?follow=true");
  CHECK(answer.headers.at("content-type") == "text/event-stream");
  CHECK(answer.body.find("event: event\nid: 1\ndata: {") != std::string::npos);
  CHECK(answer.body.find("event: end\ndata: {\"status\":\"Completed\"}") != std::string::npos);
}

TEST_CASE("the same Idempotency-Key gets the same answer, another body is refused") {
  Fixture f;
  const std::string key = "Idempotency-Key: k1\r\n";
  const RawAnswer first = f.ask("POST", "/v1/plan", R"({"documents":[]})", key);
  REQUIRE(first.status == 200);
  const RawAnswer again = f.ask("POST", "/v1/plan", R"({"documents":[]})", key);
  CHECK(again.body == first.body);
  CHECK(again.headers.contains("idempotency-replayed"));
  CHECK(f.problem(f.ask("POST", "/v1/plan", R"({"documents":[],"prune":true})", key), 422) == "idempotency.mismatch");
  CHECK(f.problem(f.ask("POST", "/v1/plan", "{}", "Idempotency-Key: " + std::string(300, 'k') + "\r\n"), 400) ==
        "request.invalid_parameter");
}

TEST_CASE("until recovery is done only open paths are served") {
  Fixture f(false);
  CHECK(f.ask("GET", "/livez").status == 200);
  const RawAnswer readiness = f.ask("GET", "/readyz?verbose");
  CHECK(readiness.status == 503);
  CHECK(readiness.body.find("[-]engine recovering") != std::string::npos);
  CHECK(f.problem(f.ask("GET", "/v1/sources"), 503) == "server.not_ready");
  f.app->set_phase(api::ServerPhase::stopping);
  CHECK(f.ask("GET", "/v1/sources").status == 200);
  CHECK(f.problem(f.ask("POST", "/v1/workflows", R"({"type":"count"})"), 503) == "server.stopping");
}

TEST_CASE("the OpenAPI document names every route that is not an alias") {
  Fixture f;
  const Json document = f.json("GET", "/openapi.json");
  CHECK(document.at("openapi") == "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : document.at("paths").items()) operations += methods.size();
  std::size_t routes = 0;
  for (const auto& route : f.app->router().routes()) routes += route->hidden ? 0 : 1;
  CHECK(operations == routes);
  // Every schema that is referred to exists.
  const std::string text = document.dump();
  const std::string mark = "#/components/schemas/";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::string name = text.substr(at + mark.size(), text.find('"', at) - at - mark.size());
    CHECK(document.at("components").at("schemas").contains(name));
  }
}

TEST_CASE("requests are counted by route, not by path") {
  Fixture f;
  f.ask("GET", "/v1/jobs/123456");
  f.ask("GET", "/nowhere/at/all");
  const std::string metrics = f.ask("GET", "/metrics").body;
  CHECK(metrics.find("route=\"/v1/jobs/{id:int}\"") != std::string::npos);
  CHECK(metrics.find("route=\"none\"") != std::string::npos);
  CHECK(metrics.find("123456") == std::string::npos);
}

TEST_CASE("error pages exist for every code of the catalogue") {
  Fixture f;
  RawClient client(f.port);
  for (const ErrorInfo& info : error_catalogue()) {
    CHECK(client.ask("GET", "/docs/errors/" + std::string(info.code)).status == 200);
  }
  CHECK(f.ask("GET", "/docs/errors/none").status == 404);
}

}  // namespace millrace::test
