#include "tests/workflows/server_in_process.h"

namespace millrace::test {

using nlohmann::json;

ServerInProcess::ServerInProcess(RealRuntime& r, std::shared_ptr<state::Store> s,
                                 std::shared_ptr<connectors::Registry> connectors, const std::string& key_file)
    : real(r), store(std::move(s)) {
  resources =
      std::make_shared<resources::Resources>(real.runtime(), store, connectors, resources::SecretBox::open(key_file));
  engine::Registry registry;
  workflows::register_all(registry, resources, real.runtime());
  engine::EngineOptions options;
  engine = std::make_shared<engine::Engine>(real.runtime(), store, std::move(registry), options);
  run(real, engine->start());
  jobs = std::make_shared<workflows::Jobs>(real.runtime(), store, engine, resources);
}

ServerInProcess::~ServerInProcess() {
  run(real, engine->stop(std::chrono::seconds(10)));
  jobs.reset();
  engine.reset();
}

std::string ServerInProcess::create(resources::Kind kind, const json& body) {
  return run(real, resources->create(kind, body.dump(), resources::Principal(), "")).id;
}
std::int64_t ServerInProcess::start(const workflows::JobRequest& request) { return run(real, jobs->start(request)); }
json ServerInProcess::finish(std::int64_t job_id) {
  run(real, jobs->wait(job_id, std::chrono::seconds(60)));
  return job(job_id);
}
json ServerInProcess::job(std::int64_t job_id) { return json::parse(run(real, jobs->job_json(job_id))); }
json ServerInProcess::list(const workflows::JobFilter& filter) {
  return json::parse(run(real, jobs->list_json(filter)));
}

std::string ServerInProcess::everything_stored() {
  std::string all;
  state::Range range("", "");
  for (;;) {
    const auto rows = run(real, store->scan(range));
    if (rows.empty()) return all;
    for (const auto& row : rows) all += row.key + "\n" + row.value + "\n";
    range.begin = rows.back().key + '\0';
  }
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "millrace-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}
TempDir::~TempDir() { std::filesystem::remove_all(path_); }

}  // namespace millrace::test
