// A Resources over the in-memory store, with one connector "fake" whose specification has all that is hard: a secret, a
// oneOf told apart by a constant, a pattern.
#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/runtime.h"
#include "resources/resources.h"
#include "resources/validation_error.h"
#include "state/memory_store.h"

namespace millrace::test {

inline const char* kFakeSpec = R"({
  "type": "object", "required": ["host", "port", "database"], "additionalProperties": true,
  "properties": {
    "host": {"type": "string", "pattern": "^([a-z0-9]|-|\\.)*$"},
    "port": {"type": "integer", "minimum": 0, "maximum": 65536},
    "database": {"type": "string"},
    "password": {"type": "string", "airbyte_secret": true},
    "color": {"type": "string", "enum": ["red", "green"]},
    "ssl_mode": {"type": "object", "oneOf": [
      {"title": "require", "required": ["mode"], "additionalProperties": false,
       "properties": {"mode": {"type": "string", "const": "require"}}},
      {"title": "verify-ca", "required": ["mode", "ca_certificate"], "additionalProperties": false,
       "properties": {"mode": {"type": "string", "const": "verify-ca"},
                      "ca_certificate": {"type": "string", "airbyte_secret": true}}}]}
  }})";

inline connectors::Connector fake_connector() {
  connectors::Connector c;
  c.name = "fake";
  c.definition_id = "11111111-1111-4111-8111-111111111111";
  c.title = "Fake";
  c.source_spec = kFakeSpec;
  c.destination_spec = kFakeSpec;
  c.source_modes = {connectors::SyncMode::full_refresh_overwrite, connectors::SyncMode::full_refresh_append};
  c.destination_modes = {connectors::SyncMode::full_refresh_overwrite, connectors::SyncMode::full_refresh_append,
                         connectors::SyncMode::incremental_append};
  return c;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Runs coroutines to their end on the test's thread.
class ResourcesFixture {
 public:
  ResourcesFixture() {
    auto registry = std::make_shared<connectors::Registry>();
    registry->add(fake_connector());
    store = std::make_shared<state::MemoryStore>(real.runtime());
    resources = std::make_shared<resources::Resources>(real.runtime(), store, registry,
                                                       resources::SecretBox::open(dir.file("key")));
  }
  ~ResourcesFixture() { store->close(); }

  template <class T>
  T run(asio::awaitable<T> work) {
    std::optional<T> result;
    real.run_until_done(keep(std::move(work), result));
    return std::move(*result);
  }
  void run(asio::awaitable<void> work) { real.run_until_done(std::move(work)); }

  // The faults of a call that must be refused, as "pointer detail" lines.
  template <class F>
  std::vector<std::string> faults_of(F call, std::string code = "resource.invalid") {
    try {
      call();
    } catch (const resources::ValidationError& e) {
      CHECK(std::string(e.code()) == code);
      std::vector<std::string> out;
      for (const auto& f : e.faults()) out.push_back(f.pointer + " " + f.detail);
      return out;
    }
    FAIL("no fault was found");
    return {};
  }
  template <class F>
  std::string code_of(F call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.code());
    }
    return "none";
  }

  resources::Resource create(resources::Kind kind, const nlohmann::json& body, std::string request_id = "") {
    return run(resources->create(kind, body.dump(), resources::Principal(), std::move(request_id)));
  }
  resources::Resource update(resources::Kind kind, const std::string& id, const nlohmann::json& body,
                             resources::UpdateMode mode = resources::UpdateMode::patch) {
    return run(resources->update(kind, id, body.dump(), mode, resources::Principal()));
  }
  nlohmann::json shown(const resources::Resource& r) { return nlohmann::json::parse(resources->public_json(r)); }

  // Every byte of the store, to look for what must not be in it.
  std::string everything_stored() {
    std::string all;
    const auto rows = run(store->scan(state::Range("", "")));
    for (const auto& row : rows) all += row.key + "\n" + row.value + "\n";
    return all;
  }

  TempDir dir;
  RealRuntime real;
  std::shared_ptr<state::MemoryStore> store;
  std::shared_ptr<resources::Resources> resources;

 private:
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& result) {
    result.emplace(co_await std::move(work));
  }
};

inline nlohmann::json shop_body() {
  return {
      {"name", "shop"},
      {"connector", "fake"},
      {"configuration", {{"host", "db.internal"}, {"port", 5432}, {"database", "shop"}, {"password", "s3cret-value"}}}};
}
inline nlohmann::json warehouse_body() {
  return {{"name", "warehouse"},
          {"connector", "fake"},
          {"configuration", {{"host", "dw"}, {"port", 5432}, {"database", "dw"}, {"password", "other-secret"}}}};
}

inline bool holds(const std::vector<std::string>& lines, const std::string& part) {
  for (const auto& l : lines)
    if (l.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace millrace::test
