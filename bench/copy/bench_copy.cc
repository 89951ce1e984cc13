// The sync step of a server job against the native tool, in one run.
//
// Each pair is one `psql COPY binary | psql COPY binary` and one whole sync job: engine with its history in RocksDB,
// checkpoints written at each split and read back, resources, progress reports; PostgreSQL to PostgreSQL over Unix
// sockets of one throw-away cluster. What is measured of the job is its step sync, as the history has it.
//
//   bench_copy [--rows N] [--pairs N] [--parallel 1|2|...] [--rows-per-split N] [--method auto|snapshot]
//              [--min-ratio R] [--ours-only]
//
// Prints medians, their ratio, our own CPU time a row (this process's, without the servers and psql) over the whole
// job, that of the servers over the same (their part of normalize included) and over psql's copy, and the peak of
// resident memory during a job above what was resident before it. With --min-ratio the exit code is 1 where the ratio
// is lower.

// rooms: clock and threads: a benchmark measures the wall clock of other processes too
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "connectors/registry.h"
#include "engine/engine.h"
#include "resources/resources.h"
#include "state/rocksdb_store.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"
#include "workflows/jobs.h"

namespace millrace::bench {
namespace {

using nlohmann::json;
using resources::Kind;

struct Options {
  std::int64_t rows = 3'000'000;
  int pairs = 9;
  std::size_t parallel = 1;
  std::int64_t rows_per_split = 0;  // 0: the server's default
  std::string method = "auto";
  double min_ratio = 0;
  bool ours_only = false;
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double own_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

double status_mb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  return 0;
}
// The peak (VmHWM) counts from here on.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// 9 columns, about 175 bytes a row in binary COPY.
constexpr const char* kTable =
    "create table orders (id bigint primary key, customer int not null, status text, amount numeric(12,2), quantity "
    "int, price float8, "
    "created timestamptz, note text, flags int)";
std::string fill(std::int64_t rows) {
  return "insert into orders select g, (g::bigint * 7919) % 100000, (array['new','paid','sent','done'])[g % 4 + 1], (g "
         "% 100000) / 100.0, g % 17, g * 0.5, "
         "timestamptz '2020-01-01' + g * interval '1 second', repeat(md5(g::text), 2) || g, g % 5 from "
         "generate_series(1, " +
         std::to_string(rows) + ") g";
}

double native_once(test::PgCluster& cluster) {
  cluster.psql("to_native", "drop table if exists orders; " + std::string(kTable) +
                                "; alter table orders drop constraint orders_pkey");
  const std::string psql = "psql -qX -h " + cluster.host() + " -p " + std::to_string(cluster.port()) + " -U postgres ";
  const std::string command = psql + "-c 'copy orders to stdout (format binary)' from_db | " + psql +
                              "-c 'copy orders from stdin (format binary)' to_native";
  const double start = seconds();
  if (std::system(command.c_str()) != 0) std::abort();
  return seconds() - start;
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

double step_seconds(const json& job, const std::string& name) {
  for (const auto& s : job["steps"]) {
    if (s["name"] != name) continue;
    const auto start = parse_time(s["startTime"].get<std::string>());
    const auto end = parse_time(s["endTime"].get<std::string>());
    return to_seconds(*end - *start);
  }
  return 0;
}

json configuration(const test::PgCluster& cluster, const std::string& database) {
  return {{"host", cluster.host()}, {"port", cluster.port()}, {"database", database}, {"username", "postgres"}};
}

int main_of(Options options) {
  test::PgCluster cluster({"shared_buffers = 1GB", "max_wal_size = 8GB", "fsync = off", "autovacuum = off"});
  for (const char* database : {"from_db", "to_native", "to_ours"}) cluster.create_database(database);
  cluster.psql("from_db", kTable);
  cluster.psql("from_db", fill(options.rows));
  cluster.psql("from_db", "vacuum analyze orders");
  cluster.psql("from_db", "checkpoint");

  std::string dir = (std::filesystem::temp_directory_path() / "millrace-bench-XXXXXX").string();
  if (mkdtemp(dir.data()) == nullptr) std::abort();
  std::vector<double> native, ours, ratios, cpu, peaks, native_servers, our_servers;
  {
    RealRuntime real;
    Server server(real, dir);
    auto source = configuration(cluster, "from_db");
    source["read_method"] = options.method;
    server.create(Kind::source, {{"name", "from"}, {"connector", "postgres"}, {"configuration", source}});
    server.create(Kind::destination,
                  {{"name", "to"}, {"connector", "postgres"}, {"configuration", configuration(cluster, "to_ours")}});
    workflows::JobRequest request;
    request.connection_id =
        server.create(Kind::connection, {{"name", "bench"}, {"source", "from"}, {"destination", "to"}});
    request.options.splits_parallel = options.parallel;
    request.options.rows_per_split = options.rows_per_split;
    const double per_row = static_cast<double>(options.rows) / 1e6;  // divides seconds into microseconds a row
    for (int i = 0; i < options.pairs; ++i) {
      if (!options.ours_only) {
        const double servers_start = cluster.cpu_seconds();
        native.push_back(native_once(cluster));
        native_servers.push_back((cluster.cpu_seconds() - servers_start) / per_row);
        cluster.psql("postgres", "checkpoint");
      }
      ::malloc_trim(0);
      reset_peak();
      const double rest = status_mb("VmRSS");
      const double cpu_start = own_cpu();
      const double servers_start = cluster.cpu_seconds();
      const json job = server.sync(request);
      cpu.push_back((own_cpu() - cpu_start) / per_row);
      peaks.push_back(status_mb("VmHWM") - rest);
      ours.push_back(step_seconds(job, "sync"));
      if (job["status"] != "succeeded" || job["rowsSynced"] != options.rows) {
        std::fprintf(stderr, "the job did not move all rows: %s\n", job.dump(2).c_str());
        return 1;
      }
      our_servers.push_back((cluster.cpu_seconds() - servers_start) / per_row);
      cluster.psql("postgres", "checkpoint");
      if (!options.ours_only) ratios.push_back(native.back() / ours.back());
      std::printf(
          "  pair %d: psql %.2f s, step sync %.2f s (check %.2f, discover %.2f, normalize %.2f; %lld splits), own CPU "
          "%.3f us a row, servers %.3f (psql's %.3f), peak +%.1f MB\n",
          i + 1, native.empty() ? 0 : native.back(), ours.back(), step_seconds(job, "check"),
          step_seconds(job, "discover"), step_seconds(job, "normalize"),
          job["streams"][0]["splits"]["total"].get<long long>(), cpu.back(), our_servers.back(),
          native_servers.empty() ? 0 : native_servers.back(), peaks.back());
      std::fflush(stdout);
    }
  }
  std::filesystem::remove_all(dir);
  std::printf(
      "copy, %lld rows, %zu in parallel: %.0f k rows/s, own CPU %.3f us a row, peak %.1f MB above rest (largest of "
      "all)",
      static_cast<long long>(options.rows), options.parallel, static_cast<double>(options.rows) / median(ours) / 1e3,
      median(cpu), *std::max_element(peaks.begin(), peaks.end()));
  if (options.ours_only) {
    std::printf("\n");
    return 0;
  }
  std::printf("; psql %.0f k rows/s; ratio %.3f (median of %d pairs)\n",
              static_cast<double>(options.rows) / median(native) / 1e3, median(ratios), options.pairs);
  return median(ratios) < options.min_ratio ? 1 : 0;
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  millrace::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--ours-only") {
      options.ours_only = true;
      continue;
    }
    if (i + 1 == argc) {
      std::fprintf(stderr,
                   "usage: bench_copy [--rows N] [--pairs N] [--parallel N] [--rows-per-split N] [--method "
                   "auto|snapshot] [--min-ratio R] [--ours-only]\n");
      return 2;
    }
    const std::string value = argv[++i];
    if (flag == "--rows") options.rows = std::stoll(value);
    if (flag == "--pairs") options.pairs = std::stoi(value);
    if (flag == "--parallel") options.parallel = static_cast<std::size_t>(std::stoul(value));
    if (flag == "--rows-per-split") options.rows_per_split = std::stoll(value);
    if (flag == "--method") options.method = value;
    if (flag == "--min-ratio") options.min_ratio = std::stod(value);
  }
  return millrace::bench::main_of(options);
}
