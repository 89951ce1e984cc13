// What the benchmarks of jobs share: a server in this process, and what measures it.
#pragma once

// rooms: clock and threads: a benchmark measures the wall clock of other processes too
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connectors/registry.h"
#include "engine/engine.h"
#include "resources/resources.h"
#include "state/rocksdb_store.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"
#include "workflows/jobs.h"

namespace millrace::bench {

using nlohmann::json;
using resources::Kind;

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double own_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

inline double status_mb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  return 0;
}
// The peak (VmHWM) counts from here on.
inline void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// 9 columns, about 175 bytes a row in binary COPY.
inline constexpr const char* kTable =
    "create table orders (id bigint primary key, customer int not null, status text, amount numeric(12,2), quantity "
    "int, price float8, "
    "created timestamptz, note text, flags int)";
inline std::string fill(std::int64_t rows) {
  return "insert into orders select g, (g::bigint * 7919) % 100000, (array['new','paid','sent','done'])[g % 4 + 1], (g "
         "% 100000) / 100.0, g % 17, g * 0.5, "
         "timestamptz '2020-01-01' + g * interval '1 second', repeat(md5(g::text), 2) || g, g % 5 from "
         "generate_series(1, " +
         std::to_string(rows) + ") g";
}

// Store, engine, resources and jobs as the server wires them.
class Server {
 public:
  Server(RealRuntime& real, const std::string& dir) : real_(real) {
    store_ = state::open_rocksdb_store(real.runtime(), state::RocksDbOptions(dir + "/state"));
    auto registry = std::make_shared<connectors::Registry>();
    connectors::register_all(*registry);
    resources_ = std::make_shared<resources::Resources>(real.runtime(), store_, registry,
                                                        resources::SecretBox::open(dir + "/key"));
    engine::Registry workflows;
    workflows::register_all(workflows, resources_, real.runtime());
    engine::EngineOptions options;
    engine_ = std::make_shared<engine::Engine>(real.runtime(), store_, std::move(workflows), options);
    test::run(real_, engine_->start());
    jobs_ = std::make_shared<workflows::Jobs>(real.runtime(), store_, engine_, resources_);
  }
  ~Server() {
    test::run(real_, engine_->stop(std::chrono::seconds(5)));
    jobs_.reset();
    engine_.reset();
    store_->close();
  }

  std::string create(Kind kind, const json& body) {
    return test::run(real_, resources_->create(kind, body.dump(), resources::Principal(), "")).id;
  }
  json sync(const workflows::JobRequest& request) { return json::parse(test::run(real_, run_sync(request))); }

 private:
  asio::awaitable<std::string> run_sync(workflows::JobRequest request) {
    auto jobs = jobs_;
    const auto id = co_await jobs->start(request);
    co_await jobs->wait(id, std::chrono::minutes(30));
    co_return co_await jobs->job_json(id);
  }

  RealRuntime& real_;
  std::shared_ptr<state::Store> store_;
  std::shared_ptr<resources::Resources> resources_;
  std::shared_ptr<engine::Engine> engine_;
  std::shared_ptr<workflows::Jobs> jobs_;
};

inline double step_seconds(const json& job, const std::string& name) {
  for (const auto& s : job["steps"]) {
    if (s["name"] != name) continue;
    const auto start = parse_time(s["startTime"].get<std::string>());
    const auto end = parse_time(s["endTime"].get<std::string>());
    return to_seconds(*end - *start);
  }
  return 0;
}

inline json configuration(const test::PgCluster& cluster, const std::string& database) {
  return {{"host", cluster.host()}, {"port", cluster.port()}, {"database", database}, {"username", "postgres"}};
}

}  // namespace millrace::bench
