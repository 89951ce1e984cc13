// Store, resources, engine and jobs in this process, as a server has them, without HTTP.
#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common/errors.h"
#include "connectors/registry.h"
#include "engine/engine.h"
#include "resources/resources.h"
#include "resources/validation_error.h"
#include "state/store.h"
#include "tests/support/run.h"
#include "workflows/jobs.h"

namespace millrace::test {

class ServerInProcess {
 public:
  // `store` is made by the caller; `key_file` is made if it is missing.
  ServerInProcess(RealRuntime& real, std::shared_ptr<state::Store> store,
                  std::shared_ptr<connectors::Registry> connectors, const std::string& key_file);
  ~ServerInProcess();

  std::string create(resources::Kind kind, const nlohmann::json& body);  // its id
  std::int64_t start(const workflows::JobRequest& request);
  // The job at its end.
  nlohmann::json finish(std::int64_t job_id);
  nlohmann::json job(std::int64_t job_id);
  nlohmann::json list(const workflows::JobFilter& filter);
  std::string everything_stored();

  RealRuntime& real;
  std::shared_ptr<state::Store> store;
  std::shared_ptr<resources::Resources> resources;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<workflows::Jobs> jobs;
};

class TempDir {
 public:
  TempDir();
  ~TempDir();
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace millrace::test
