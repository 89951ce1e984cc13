#include "resources/stream_selection.h"
#include "tests/resources/resources_fixture.h"

using namespace millrace;
using namespace millrace::test;
using nlohmann::json;
using resources::Kind;

TEST_CASE_METHOD(ResourcesFixture, "all faults of a configuration are told at once, with pointers") {
  auto body = shop_body();
  body["configuration"] = {
      {"host", "UPPER"}, {"port", "5432"}, {"color", "blue"}, {"ssl_mode", {{"mode", "require"}, {"extra", 1}}}};
  body["configuraton"] = 1;
  const auto faults = faults_of([&] { create(Kind::source, body); });
  CHECK(holds(faults, "/configuraton is not a known field of a source"));
  CHECK(holds(faults, "/configuration/database is required"));
  CHECK(holds(faults, "/configuration/port must be of type integer"));
  CHECK(holds(faults, "/configuration/host does not match"));
  CHECK(holds(faults, "/configuration/color must be one of \"red\", \"green\", not \"blue\""));
  CHECK(holds(faults, "/configuration/ssl_mode/extra is not a known field"));
}

TEST_CASE_METHOD(ResourcesFixture, "a branch that does not exist is told with those that do") {
  auto body = shop_body();
  body["configuration"]["ssl_mode"] = {{"mode", "none"}};
  CHECK(holds(faults_of([&] { create(Kind::source, body); }),
              "/configuration/ssl_mode/mode must be one of \"require\", \"verify-ca\", not "));
  body["configuration"]["ssl_mode"] = "require";
  CHECK(holds(faults_of([&] { create(Kind::source, body); }), "/configuration/ssl_mode must be an object"));
  body["configuration"]["ssl_mode"] = json::object();
  CHECK(holds(faults_of([&] { create(Kind::source, body); }), "/configuration/ssl_mode needs the field \"mode\""));
}

TEST_CASE_METHOD(ResourcesFixture,
                 "long strings meet no pattern: 60 KB are matched in linear time, 100 KB are refused") {
  auto body = shop_body();
  body["configuration"]["host"] = std::string(60'000, 'a');
  create(Kind::source, body);
  body["name"] = "other";
  body["configuration"]["host"] = std::string(100'000, 'a');
  CHECK(holds(faults_of([&] { create(Kind::source, body); }), "/configuration/host has 100000 bytes"));
}

TEST_CASE_METHOD(ResourcesFixture, "malformed, huge and deeply nested bodies are refused") {
  const auto code = [&](std::string text) {
    return code_of([&] { run(resources->create(Kind::source, text, resources::Principal(), "")); });
  };
  CHECK(code("{\"name\": ") == "resource.invalid_json");
  CHECK(code("[]") == "resource.invalid");
  CHECK(code(std::string(5 << 20, ' ')) == "resource.invalid_json");
  CHECK(code(std::string(1'000'000, '[') + std::string(1'000'000, ']')) == "resource.invalid_json");
  CHECK(code("{\"name\":\"\\ud800\"}") == "resource.invalid_json");
}

TEST_CASE_METHOD(ResourcesFixture, "references to the outside are refused by the server") {
  for (const char* reference : {"${env:X}", "a${file:/etc/passwd}", "${secret:db}"}) {
    auto body = shop_body();
    body["configuration"]["password"] = reference;
    CHECK(holds(faults_of([&] { create(Kind::source, body); }, "resource.unexpanded_reference"),
                "/configuration/password"));
  }
}

TEST_CASE_METHOD(ResourcesFixture,
                 "a connector is named by connector, definitionId or sourceType, and they must agree") {
  auto body = shop_body();
  body.erase("connector");
  CHECK(holds(faults_of([&] { create(Kind::source, body); }), "/connector is required"));
  body["configuration"]["sourceType"] = "fake";
  const auto made = create(Kind::source, body);
  CHECK(shown(made)["definitionId"] == fake_connector().definition_id);
  CHECK(shown(made)["sourceType"] == "fake");
  CHECK_FALSE(shown(made)["configuration"].contains("sourceType"));
  body["name"] = "b";
  body["definitionId"] = "nothing";
  CHECK(holds(faults_of([&] { create(Kind::source, body); }),
              "/definitionId is not a source connector of this build: fake"));
}

namespace {
json connection_body() { return {{"name", "c"}, {"source", "shop"}, {"destination", "warehouse"}}; }
}  // namespace

TEST_CASE_METHOD(ResourcesFixture, "a connection has the contract's defaults") {
  const auto s = create(Kind::source, shop_body());
  const auto d = create(Kind::destination, warehouse_body());
  const auto c = shown(create(Kind::connection, connection_body()));
  CHECK(c["sourceId"] == s.id);
  CHECK(c["destinationId"] == d.id);
  CHECK(c["status"] == "active");
  CHECK(c["schedule"] == json({{"scheduleType", "manual"}}));
  CHECK(c["namespaceDefinition"] == "destination");
  CHECK(c["nonBreakingSchemaUpdatesBehavior"] == "propagate_columns");
  CHECK(c["metadataColumns"] == "minimal");
  CHECK(c["configurations"] == json::object());
  CHECK_FALSE(c.contains("warnings"));
}

TEST_CASE_METHOD(ResourcesFixture, "what a connection may not say, and why") {
  create(Kind::source, shop_body());
  create(Kind::destination, warehouse_body());
  struct Row {
    json patch;
    const char* fault;
  };
  const Row rows[] = {
      {{{"status", "deprecated"}}, "/status must be one of active, inactive, not \"deprecated\""},
      {{{"unknown", 1}}, "/unknown is not a known field of a connection"},
      {{{"metadataColumns", "airbyte"}}, "/metadataColumns airbyte is not available in this version"},
      {{{"namespaceDefinition", "custom_format"}}, "/namespaceFormat is required"},
      {{{"tags", json::array({"a"})}}, "/tags"},
      {{{"schedule", {{"scheduleType", "cron"}}}}, "/schedule/cronExpression is required"},
      {{{"schedule", {{"scheduleType", "cron"}, {"cronExpression", "61 * * * *"}}}},
       "the minute field: 61 is not within 0 and 59"},
      {{{"schedule", {{"scheduleType", "basic"}, {"basicTiming", "sometimes"}}}},
       "/schedule/basicTiming must have the form"},
      {{{"schedule", {{"scheduleType", "manual"}, {"basicTiming", "Every 1 hours"}}}},
       "/schedule/basicTiming is not a known field"},
      {{{"configurations", {{"streams", json::array()}}}},
       "/configurations/streams must be an array with at least one"},
      {{{"configurations", {{"stream", json::array()}}}}, "/configurations/stream is not a known field"},
      {{{"configurations", {{"streams", {{{"syncMode", "full_refresh_append"}}}}}}},
       "/configurations/streams/0/name is required"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"syncMode", "incremental_soft_delete"}}}}}}},
       "/configurations/streams/0/syncMode incremental_soft_delete is a mode for data activation"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"syncMode", "nonsense"}}}}}}},
       "/configurations/streams/0/syncMode must be one of"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"syncMode", "incremental_append"}}}}}}},
       "incremental_append can't be done by the source connector fake"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"syncMode", "full_refresh_overwrite_deduped"}}}}}}},
       "can't be done by the destination connector fake"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"filter", "x > (select 1)"}}}}}}},
       "/configurations/streams/0/filter at character"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"mappers", {{{"type", "twist"}}}}}}}}}},
       "/configurations/streams/0/mappers/0 there is no mapper"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"keepHistory", true}}}}}}},
       "/configurations/streams/0/keepHistory is of syncMode incremental_deduped_history"},
      {{{"configurations", {{"streams", {{{"name", "a"}, {"primaryKey", json::array({json::array({"a", "b"})})}}}}}}},
       "/configurations/streams/0/primaryKey/0 must be a path of one field"},
      {{{"configurations", {{"streams", {{{"name", "a*"}, {"destinationObjectName", "b"}}}}}}},
       "/configurations/streams/0/destinationObjectName can't be given to a pattern"},
  };
  for (const auto& row : rows) {
    auto body = connection_body();
    body.update(row.patch);
    INFO(row.patch.dump());
    const auto faults = faults_of([&] { create(Kind::connection, body); });
    std::string all;
    for (const auto& f : faults) all += f + "\n";
    INFO(all);
    CHECK(holds(faults, row.fault));
  }
  CHECK(run(resources->list(Kind::connection, 10, "")).items.empty());
}

TEST_CASE_METHOD(ResourcesFixture, "stream entries are stored in long form, both forms of selectedFields taken") {
  create(Kind::source, shop_body());
  create(Kind::destination, warehouse_body());
  auto body = connection_body();
  body["configurations"] = {
      {"streams",
       {{{"namespace", "public"}, {"name", "orders"}, {"primaryKey", {{"id"}}}, {"selectedFields", {"id", "total"}}},
        {{"name", "*"},
         {"syncMode", "full_refresh_append"},
         {"selectedFields", {{{"fieldPath", {"id"}}}}},
         {"mappers", json::array()}}}}};
  const auto c = shown(create(Kind::connection, body));
  const auto& streams = c["configurations"]["streams"];
  CHECK(streams[0]["selectedFields"] == json::parse(R"([{"fieldPath":["id"]},{"fieldPath":["total"]}])"));
  CHECK(streams[0]["primaryKey"] == json::parse(R"([["id"]])"));
  CHECK(streams[0]["syncMode"] == "full_refresh_overwrite");
  CHECK(streams[1]["selectedFields"] == json::parse(R"([{"fieldPath":["id"]}])"));
  CHECK_FALSE(streams[1].contains("mappers"));
}

TEST_CASE_METHOD(ResourcesFixture, "a cron schedule is stored with its time zone, UTC where none is given") {
  create(Kind::source, shop_body());
  create(Kind::destination, warehouse_body());
  auto body = connection_body();
  body["schedule"] = {{"scheduleType", "cron"}, {"cronExpression", "0 * * * *"}};
  const auto c = shown(create(Kind::connection, body));
  CHECK(c["schedule"]["cronTimeZone"] == "UTC");
  CHECK_FALSE(c.contains("warnings"));
}

TEST_CASE("streams are selected by pattern, a later entry beats an earlier one") {
  using connectors::StreamName;
  const std::vector<StreamName> streams = {StreamName("a", "t1"), StreamName("a", "t2"), StreamName("b", "t1"),
                                           StreamName("b", "x.y")};
  const auto entry = [](std::optional<std::string> ns, std::string name) {
    resources::StreamEntry e;
    e.ns = std::move(ns);
    e.name = std::move(name);
    return e;
  };
  const auto chosen = [&](std::vector<resources::StreamEntry> entries) {
    std::string text;
    const auto selection = resources::select_streams(entries, streams);
    for (const auto& m : selection.matches) text += streams[m.stream].text() + ":" + std::to_string(m.entry) + " ";
    for (auto e : selection.unmatched) text += "unmatched:" + std::to_string(e) + " ";
    for (auto e : selection.ambiguous) text += "ambiguous:" + std::to_string(e) + " ";
    return text;
  };
  CHECK(chosen({entry(std::nullopt, "*")}) == "a.t1:0 a.t2:0 b.t1:0 b.x.y:0 ");
  CHECK(chosen({entry("a", "*"), entry("a", "t2")}) == "a.t1:0 a.t2:1 ");
  CHECK(chosen({entry("a", "t2"), entry("a", "*")}) == "a.t1:1 a.t2:1 ");
  CHECK(chosen({entry(std::nullopt, "a.*")}) == "a.t1:0 a.t2:0 ");
  CHECK(chosen({entry(std::nullopt, "b.x.y")}) == "b.x.y:0 ");
  CHECK(chosen({entry(std::nullopt, "x.y")}) == "b.x.y:0 ");
  CHECK(chosen({entry(std::nullopt, "t1")}) == "ambiguous:0 ");
  CHECK(chosen({entry(std::nullopt, "t2")}) == "a.t2:0 ");
  CHECK(chosen({entry(std::nullopt, "nothing")}) == "unmatched:0 ");
  CHECK(chosen({entry("*", "t*")}) == "a.t1:0 a.t2:0 b.t1:0 ");
  CHECK(resources::matches_pattern("a*b*c", "aXbYc"));
  CHECK_FALSE(resources::matches_pattern("a*b*c", "aXbY"));
  CHECK(resources::matches_pattern("", ""));
}
