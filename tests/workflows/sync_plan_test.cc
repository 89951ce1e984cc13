#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "workflows/sync_plan.h"

using namespace millrace;
using namespace millrace::workflows;
using connectors::StreamName;
using nlohmann::json;

namespace {

connectors::Stream stream(std::string ns, std::string name, std::vector<std::string> fields = {"id", "v"},
                          std::vector<std::string> key = {"id"}) {
  connectors::Stream s;
  s.name = StreamName(std::move(ns), std::move(name));
  for (auto& f : fields) {
    connectors::Field field;
    field.name = f;
    s.schema.fields.push_back(std::move(field));
  }
  s.primary_key = std::move(key);
  s.sync_modes = {connectors::SyncMode::full_refresh_overwrite, connectors::SyncMode::full_refresh_append};
  return s;
}

PlanInput input(json spec, std::vector<connectors::Stream> streams) {
  PlanInput in;
  in.connection_id = "c";
  in.connection_spec = spec.dump();
  in.default_namespace = "raw";
  in.catalog.streams = std::move(streams);
  in.job_id = 7;
  in.started_us = 1'000;
  return in;
}

// "a.t -> raw.t" or "a.t !stream.not_found", one a line
std::string told(const SyncPlan& plan) {
  std::string out;
  for (const auto& s : plan.streams)
    out += s.target.source_name.text() +
           (s.failure ? " !" + s.failure->type : " -> " + StreamName(s.target.ns, s.target.name).text()) + "\n";
  return out;
}

json entry(json fields) { return {{"configurations", {{"streams", json::array({std::move(fields)})}}}}; }

}  // namespace

TEST_CASE("without streams everything that was discovered is moved") {
  const auto plan = make_sync_plan(input(json::object(), {stream("a", "t"), stream("b", "u")}));
  CHECK(told(plan) == "a.t -> raw.t\nb.u -> raw.u\n");
  const auto& t = plan.streams[0].target;
  CHECK(t.generation == 7);
  CHECK(t.load_id == 7);
  CHECK(t.extracted_at_us == 1'000);
  CHECK(t.primary_key == std::vector<std::string>{"id"});
  CHECK_FALSE(t.add_keys);
  CHECK(t.metadata_columns);
  CHECK(t.schema->fields.size() == 2);
}

TEST_CASE("namespace, prefix and name of the destination's table") {
  struct Row {
    json spec;
    const char* target;
  };
  const Row rows[] = {
      {{{"namespaceDefinition", "destination"}}, "raw.t"},
      {{{"namespaceDefinition", "source"}}, "a.t"},
      {{{"namespaceDefinition", "custom_format"}, {"namespaceFormat", "x_${SOURCE_NAMESPACE}_y"}}, "x_a_y.t"},
      {{{"namespaceDefinition", "custom_format"}, {"namespaceFormat", "${SOURCE_NAMESPACE}${SOURCE_NAMESPACE}"}},
       "aa.t"},
      {{{"namespaceDefinition", "custom_format"}, {"namespaceFormat", " "}}, "raw.t"},
      {{{"prefix", "p_"}}, "raw.p_t"},
      {{{"prefix", "p_"},
        {"configurations", {{"streams", json::array({{{"name", "t"}, {"destinationObjectName", "other"}}})}}}},
       "raw.p_other"},
  };
  for (const auto& row : rows) {
    INFO(row.spec.dump());
    const auto plan = make_sync_plan(input(row.spec, {stream("a", "t")}));
    CHECK(told(plan) == std::string("a.t -> ") + row.target + "\n");
  }
  const auto none = make_sync_plan(input({{"namespaceDefinition", "source"}}, {stream("", "t")}));
  CHECK(told(none) == "t -> raw.t\n");
}

TEST_CASE("a stream that can't be moved is planned with its failure, the others go on") {
  CHECK(told(make_sync_plan(input(entry({{"namespace", "a"}, {"name", "gone"}}), {stream("a", "t")}))) ==
        "a.gone !stream.not_found\n");
  CHECK(told(make_sync_plan(input(entry({{"name", "t"}}), {stream("a", "t"), stream("b", "t")}))) ==
        "t !stream.ambiguous\n");
  CHECK(told(make_sync_plan(input(entry({{"name", "*"}, {"selectedFields", {{{"fieldPath", {"v"}}}}}}),
                                  {stream("a", "t"), stream("a", "u", {"id"})}))) ==
        "a.t -> raw.t\na.u !stream.field_unknown\n");
  CHECK(told(make_sync_plan(input(entry({{"name", "t"}, {"syncMode", "incremental_append"}}), {stream("a", "t")}))) ==
        "a.t !stream.mode_unsupported\n");
  CHECK(told(make_sync_plan(input(entry({{"name", "t"}, {"keys", true}}), {stream("a", "t", {"id"}, {})}))) ==
        "a.t !stream.key_missing\n");
  CHECK(told(make_sync_plan(input(entry({{"name", "t"}, {"primaryKey", json::array({json::array({"nope"})})}}),
                                  {stream("a", "t")}))) == "a.t !stream.field_unknown\n");
}

TEST_CASE("what is left out is no part of the plan unless the job asks for it by name") {
  auto in = input(json::object(), {stream("a", "t"), stream("b", "u")});
  REQUIRE(make_sync_plan(in).streams.size() > 1);
  const auto name = in.catalog.streams[0].name;
  in.left_out = {name};
  auto plan = make_sync_plan(in);
  CHECK(plan.streams.size() == in.catalog.streams.size() - 1);
  CHECK(plan.streams[0].target.source_name != name);
  REQUIRE(plan.notes.size() == 1);
  CHECK(plan.notes[0].find(name.text()) != std::string::npos);
  in.only = {name};
  plan = make_sync_plan(in);
  REQUIRE(plan.streams.size() == 1);
  CHECK_FALSE(plan.streams[0].failure);
}

TEST_CASE("two streams never write one table") {
  CHECK(told(make_sync_plan(input(json::object(), {stream("a", "t"), stream("b", "t"), stream("b", "u")}))) ==
        "a.t !stream.target_collision\nb.t !stream.target_collision\nb.u -> raw.u\n");
  // Also where this job is asked for one of them only.
  auto in = input(json::object(), {stream("a", "t"), stream("b", "t")});
  in.only = {StreamName("a", "t")};
  CHECK(told(make_sync_plan(in)) == "a.t !stream.target_collision\n");
}

TEST_CASE("selected fields keep the source's order, and a key that is not selected is no key") {
  auto plan =
      make_sync_plan(input(entry({{"name", "t"}, {"selectedFields", {{{"fieldPath", {"w"}}}, {{"fieldPath", {"v"}}}}}}),
                           {stream("a", "t", {"id", "v", "w"})}));
  REQUIRE(plan.streams[0].target.schema->fields.size() == 2);
  CHECK(plan.streams[0].target.schema->fields[0].name == "v");
  CHECK(plan.streams[0].target.primary_key.empty());
}

TEST_CASE("a job for some streams takes those, and says which the connection lacks") {
  auto in = input(json::object(), {stream("a", "t"), stream("a", "u")});
  in.only = {StreamName("a", "u"), StreamName("a", "x")};
  CHECK(told(make_sync_plan(in)) == "a.u -> raw.u\na.x !stream.not_found\n");
}

TEST_CASE("a pattern that fits nothing is noted, and a plan survives its JSON") {
  const auto plan = make_sync_plan(input(entry({{"namespace", "z"}, {"name", "*"}}), {stream("a", "t")}));
  CHECK(plan.streams.empty());
  CHECK(plan.notes == std::vector<std::string>{"no stream fits z.*"});
  const auto full =
      make_sync_plan(input(entry({{"name", "*"}, {"cursorField", {"v"}}}), {stream("a", "t"), stream("b", "t")}));
  CHECK(to_json(sync_plan_from_json(to_json(full))) == to_json(full));
}
