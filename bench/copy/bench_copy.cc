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

#include <malloc.h>

#include "bench/copy/job_server.h"

namespace millrace::bench {
namespace {

struct Options {
  std::int64_t rows = 3'000'000;
  int pairs = 9;
  std::size_t parallel = 1;
  std::int64_t rows_per_split = 0;  // 0: the server's default
  std::string method = "auto";
  double min_ratio = 0;
  bool ours_only = false;
};

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
