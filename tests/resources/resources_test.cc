#include "resources/connection_lock.h"
#include "state/keys.h"
#include "tests/resources/resources_fixture.h"

using namespace millrace;
using namespace millrace::test;
using nlohmann::json;
using resources::Kind;

namespace {
const json kConnection = {{"name", "c"}, {"source", "shop"}, {"destination", "warehouse"}};
}

TEST_CASE_METHOD(ResourcesFixture, "each change is a revision, and the former ones stay readable") {
  const auto made = create(Kind::source, shop_body());
  CHECK(made.revision == 1);
  const auto changed = update(Kind::source, made.id, {{"configuration", {{"port", 6000}}}, {"name", "renamed"}});
  CHECK(changed.revision == 2);
  CHECK(update(Kind::source, made.id, {{"configuration", {{"port", 6000}}}}).revision == 2);  // nothing changed
  CHECK(run(resources->revisions(Kind::source, made.id)).size() == 2);
  CHECK(shown(run(resources->get_revision(Kind::source, made.id, 1)))["configuration"]["port"] == 5432);
  CHECK(run(resources->get_by_name(Kind::source, "renamed")).id == made.id);
  CHECK(code_of([&] { run(resources->get_by_name(Kind::source, "shop")); }) == "resource.not_found");
  CHECK(code_of([&] { run(resources->get_revision(Kind::source, made.id, 3)); }) == "resource.not_found");
  CHECK(code_of([&] { run(resources->get(Kind::destination, made.id)); }) == "resource.not_found");
}

TEST_CASE_METHOD(ResourcesFixture, "what was read can be sent back whole without changing anything") {
  const auto made = create(Kind::source, shop_body());
  CHECK(update(Kind::source, made.id, shown(made), resources::UpdateMode::put).revision == 1);
  create(Kind::destination, warehouse_body());
  const auto c = create(Kind::connection, kConnection);
  CHECK(update(Kind::connection, c.id, shown(c), resources::UpdateMode::put).revision == 1);
}

TEST_CASE_METHOD(ResourcesFixture, "a name is unique in its kind, also when it is changed") {
  create(Kind::source, shop_body());
  create(Kind::destination, shop_body());
  CHECK(code_of([&] { create(Kind::source, shop_body()); }) == "resource.name_taken");
  auto other = shop_body();
  other["name"] = "other";
  const auto made = create(Kind::source, other);
  CHECK(code_of([&] { update(Kind::source, made.id, {{"name", "shop"}}); }) == "resource.name_taken");
}

TEST_CASE_METHOD(ResourcesFixture,
                 "a request id makes one resource: the same body the same answer, another body a refusal") {
  const auto made = create(Kind::source, shop_body(), "key-1");
  CHECK(create(Kind::source, shop_body(), "key-1").id == made.id);
  auto other = shop_body();
  other["name"] = "other";
  CHECK(code_of([&] { create(Kind::source, other, "key-1"); }) == "idempotency.mismatch");
  CHECK(run(resources->list(Kind::source, 10, "")).items.size() == 1);
  update(Kind::source, made.id, {{"name", "renamed"}});
  CHECK(create(Kind::source, shop_body(), "key-1").name == "shop");
}

TEST_CASE_METHOD(ResourcesFixture, "a source in use can't be removed, and goes with its secrets when it can") {
  const auto s = create(Kind::source, shop_body());
  const auto d = create(Kind::destination, warehouse_body());
  const auto c = create(Kind::connection, kConnection);
  CHECK(code_of([&] { run(resources->remove(Kind::source, s.id, resources::Principal())); }) == "resource.in_use");
  run(resources->remove(Kind::connection, c.id, resources::Principal()));
  run(resources->remove(Kind::source, s.id, resources::Principal()));
  run(resources->remove(Kind::destination, d.id, resources::Principal()));
  CHECK(run(store->scan(state::Range("", ""))).empty());
}

TEST_CASE_METHOD(ResourcesFixture, "a connection that moves to another source frees the former one") {
  const auto s = create(Kind::source, shop_body());
  auto other = shop_body();
  other["name"] = "other";
  create(Kind::source, other);
  create(Kind::destination, warehouse_body());
  const auto c = create(Kind::connection, kConnection);
  update(Kind::connection, c.id, {{"source", "other"}});
  run(resources->remove(Kind::source, s.id, resources::Principal()));
  CHECK(run(resources->list(Kind::source, 10, "")).items.size() == 1);
}

TEST_CASE_METHOD(ResourcesFixture, "a connection whose job runs can't be removed") {
  create(Kind::source, shop_body());
  create(Kind::destination, warehouse_body());
  const auto c = create(Kind::connection, kConnection);
  resources::ConnectionLock lock;
  lock.job_id = 7;
  lock.workflow_id = "job-7";
  lock.run_id = "run";
  state::Batch batch;
  batch.put(state::keys::connection_lock(c.id), encode_lock(lock));
  batch.put(state::keys::open_run("run"), "1");
  run(store->commit(std::move(batch)));
  CHECK(code_of([&] { run(resources->remove(Kind::connection, c.id, resources::Principal())); }) == "resource.in_use");
  state::Batch ended;
  ended.erase(state::keys::open_run("run"));
  run(store->commit(std::move(ended)));
  run(resources->remove(Kind::connection, c.id, resources::Principal()));
}

TEST_CASE_METHOD(ResourcesFixture, "an unknown source of a connection is told by its own code") {
  create(Kind::destination, warehouse_body());
  CHECK(holds(faults_of([&] { create(Kind::connection, kConnection); }, "resource.unknown_reference"),
              "/source there is no source \"shop\""));
}

TEST_CASE_METHOD(ResourcesFixture, "lists go by name, in pages") {
  for (int i = 0; i < 5; ++i) {
    auto body = shop_body();
    body["name"] = "s" + std::to_string(4 - i);
    create(Kind::source, body);
  }
  std::string names;
  std::string page;
  do {
    const auto some = run(resources->list(Kind::source, 2, page));
    for (const auto& r : some.items) names += r.name + " ";
    page = some.next;
  } while (!page.empty());
  CHECK(names == "s0 s1 s2 s3 s4 ");
  CHECK(code_of([&] { run(resources->list(Kind::source, 2, "zz")); }) == "resource.invalid");
}

namespace {
json document(const char* kind, json spec) {
  const std::string name = spec["name"];
  spec.erase("name");
  return {{"apiVersion", "millrace/v1"}, {"kind", kind}, {"metadata", {{"name", name}}}, {"spec", spec}};
}
json shop_documents() {
  return {document("Connection", kConnection), document("Destination", warehouse_body()),
          document("Source", shop_body())};
}
}  // namespace

TEST_CASE_METHOD(ResourcesFixture, "plan changes nothing, apply does what it showed, and a second plan is empty") {
  const auto plan = [&](const json& d, bool prune = false) {
    return json::parse(run(resources->plan(d.dump(), prune)));
  };
  const auto documents = shop_documents();
  auto planned = plan(documents);
  CHECK(planned["changes"].size() == 3);
  CHECK(planned["changes"][0]["kind"] == "Source");
  CHECK(planned["changes"][2]["kind"] == "Connection");
  CHECK(planned["changes"][2]["action"] == "create");
  CHECK(planned["destructive"] == false);
  CHECK(run(store->scan(state::Range("", ""))).empty());
  CHECK(planned.dump().find("s3cret-value") == std::string::npos);

  run(resources->apply(documents.dump(), false, resources::Principal()));
  planned = plan(documents);
  for (const auto& change : planned["changes"]) CHECK(change["action"] == "none");

  auto changed = documents;
  changed[2]["spec"]["configuration"]["password"] = "new-secret";
  changed[2]["spec"]["configuration"]["port"] = 6000;
  planned = plan(changed);
  CHECK(planned["changes"][0]["action"] == "update");
  const json diff = {{{"path", "/configuration/password"}, {"before", "**********"}, {"after", "(changed)"}},
                     {{"path", "/configuration/port"}, {"before", 5432}, {"after", 6000}}};
  CHECK(planned["changes"][0]["diff"] == diff);
  CHECK(planned.dump().find("new-secret") == std::string::npos);
}

TEST_CASE_METHOD(ResourcesFixture, "export and apply is a round trip, and prune removes what is in no document") {
  run(resources->apply(shop_documents().dump(), false, resources::Principal()));
  const std::string exported = run(resources->export_all());
  auto planned = json::parse(run(resources->plan(exported, true)));
  for (const auto& change : planned["changes"]) CHECK(change["action"] == "none");

  // The long form: Airbyte's fields, no shorthand.
  for (const auto& d : json::parse(exported)) {
    CHECK(d["metadata"]["id"].get<std::string>().size() == 36);
    CHECK(d["spec"].contains("definitionId") == (d["kind"] != "Connection"));
    CHECK(d["spec"].contains("sourceId") == (d["kind"] == "Connection"));
    CHECK_FALSE(d["spec"].contains("source"));
    CHECK_FALSE(d["spec"].contains("connector"));
  }

  // Another server, where the ids are others: the documents stand for each other all the same.
  {
    auto registry = std::make_shared<connectors::Registry>();
    registry->add(fake_connector());
    auto other_store = std::make_shared<state::MemoryStore>(real.runtime());
    resources::Resources other(real.runtime(), other_store, registry, resources::SecretBox::open(dir.file("other")));
    std::string moved = exported;
    for (auto at = moved.find("**********"); at != std::string::npos; at = moved.find("**********", at))
      moved.replace(at, 10, "s3cret");
    planned = json::parse(run(other.apply(moved, false, resources::Principal())));
    for (const auto& change : planned["changes"]) CHECK(change["action"] == "create");
    planned = json::parse(run(other.plan(moved, true)));
    for (const auto& change : planned["changes"]) CHECK(change["action"] == "none");
    other_store->close();
  }

  const json only = {document("Source", shop_body())};
  planned = json::parse(run(resources->apply(only.dump(), true, resources::Principal())));
  CHECK(planned["destructive"] == true);
  CHECK(planned["changes"][1]["kind"] == "Connection");
  CHECK(run(resources->list(Kind::connection, 10, "")).items.empty());
  CHECK(run(resources->list(Kind::destination, 10, "")).items.empty());
  CHECK(run(resources->list(Kind::source, 10, "")).items.size() == 1);
}

TEST_CASE_METHOD(ResourcesFixture, "prune does not take what a document needs") {
  run(resources->apply(shop_documents().dump(), false, resources::Principal()));
  const json only = {document("Connection", kConnection)};
  CHECK(holds(faults_of([&] { run(resources->plan(only.dump(), true)); }), "would be removed"));
}

TEST_CASE_METHOD(ResourcesFixture, "all faults of all documents are told at once, with the place in the list") {
  auto documents = shop_documents();
  documents[0]["spec"]["status"] = "odd";
  documents[2]["spec"]["configuration"]["port"] = "x";
  documents.push_back(
      {{"apiVersion", "v2"}, {"kind", "source"}, {"metadata", {{"name", "n"}}}, {"spec", json::object()}, {"more", 1}});
  documents.push_back(documents[1]);
  const auto faults = faults_of([&] { run(resources->plan(documents.dump(), false)); });
  CHECK(holds(faults, "/0/spec/status must be one of"));
  CHECK(holds(faults, "/2/spec/configuration/port must be of type integer"));
  CHECK(holds(faults, "/3/apiVersion must be millrace/v1"));
  CHECK(holds(faults, "/3/kind must be one of Source, Destination, Connection"));
  CHECK(holds(faults, "/3/more is not a known field"));
  CHECK(holds(faults, "/4/metadata/name there is another Destination named"));
}
