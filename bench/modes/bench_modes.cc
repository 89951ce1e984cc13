#include "bench/modes/bench_modes.h"

#include "bench/copy/job_server.h"

namespace millrace::bench {
namespace {

struct Options {
  std::int64_t rows = 1'000'000;
  std::int64_t changed = 300'000;
  int pairs = 9;
  double min_ratio = 0;
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

double native_once(test::PgCluster& cluster, const ModeCase& mode, std::int64_t since) {
  if (!mode.prepare.empty()) cluster.psql("to_native", mode.prepare);
  const std::string psql =
      "psql -qX -v ON_ERROR_STOP=1 -h " + cluster.host() + " -p " + std::to_string(cluster.port()) + " -U postgres ";
  const std::string command = replaced(replaced(mode.native, "%PSQL%", psql), "%SINCE%", std::to_string(since));
  const double start = seconds();
  if (std::system(command.c_str()) != 0) std::abort();
  return seconds() - start;
}

}  // namespace

int bench_mode(const ModeCase& mode, int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--rows") options.rows = std::stoll(value);
    if (flag == "--changed") options.changed = std::stoll(value);
    if (flag == "--pairs") options.pairs = std::stoi(value);
    if (flag == "--min-ratio") options.min_ratio = std::stod(value);
  }
  test::PgCluster cluster({"shared_buffers = 1GB", "max_wal_size = 8GB", "fsync = off", "autovacuum = off"});
  for (const char* database : {"from_db", "to_native", "to_ours"}) cluster.create_database(database);
  cluster.psql("from_db", kTable);
  cluster.psql("from_db", "alter table orders add column u bigint");
  cluster.psql("from_db", replaced(fill(options.rows), "g % 5 from", "g % 5, g from"));
  cluster.psql("from_db", "create index on orders (u)");
  cluster.psql("from_db", "vacuum analyze orders");
  cluster.psql("to_native",
               replaced(kTable, "create table orders (id bigint primary key", "create table orders (id bigint"));
  cluster.psql("to_native", "alter table orders add column u bigint");
  if (mode.name == "dedupe") cluster.psql("to_native", "alter table orders add primary key (id)");

  std::string dir = (std::filesystem::temp_directory_path() / "millrace-bench-XXXXXX").string();
  if (mkdtemp(dir.data()) == nullptr) std::abort();
  std::vector<double> ratios, ours, native;
  {
    RealRuntime real;
    Server server(real, dir);
    server.create(Kind::source,
                  {{"name", "from"}, {"connector", "postgres"}, {"configuration", configuration(cluster, "from_db")}});
    server.create(Kind::destination,
                  {{"name", "to"}, {"connector", "postgres"}, {"configuration", configuration(cluster, "to_ours")}});
    const json stream = {
        {"namespace", "public"}, {"name", "orders"}, {"syncMode", mode.sync_mode}, {"cursorField", {"u"}}};
    workflows::JobRequest request;
    request.connection_id = server.create(Kind::connection, {{"name", "bench"},
                                                             {"source", "from"},
                                                             {"destination", "to"},
                                                             {"configurations", {{"streams", json::array({stream})}}}});
    request.options.splits_parallel = 1;
    std::int64_t since = 0;
    for (int i = -1; i < options.pairs; ++i) {  // the first one loads everything, on both sides, and is not counted
      const std::int64_t top = options.rows * (i + 3);
      if (i >= 0) {
        cluster.psql("from_db", "update orders set u = " + std::to_string(top) + " + id where id % " +
                                    std::to_string(std::max<std::int64_t>(1, options.rows / options.changed)) + " = " +
                                    std::to_string(i % std::max<std::int64_t>(1, options.rows / options.changed)));
        cluster.psql("from_db", "vacuum analyze orders");
      }
      const double theirs = native_once(cluster, mode, since);
      cluster.psql("postgres", "checkpoint");
      const json job = server.sync(request);
      cluster.psql("postgres", "checkpoint");
      if (job["status"] != "succeeded") {
        std::fprintf(stderr, "the job failed: %s\n", job.dump(2).c_str());
        return 1;
      }
      since = top - 1;
      if (i < 0) {
        cluster.psql("to_native", "vacuum analyze orders");
        cluster.psql("to_ours", "vacuum analyze orders");
        since = options.rows;
        continue;
      }
      const double mine = step_seconds(job, "sync") + step_seconds(job, "normalize");
      native.push_back(theirs);
      ours.push_back(mine);
      ratios.push_back(theirs / mine);
      std::printf("  pair %d: psql %.2f s, sync %.2f s + normalize %.2f s, %lld rows\n", i + 1, theirs,
                  step_seconds(job, "sync"), step_seconds(job, "normalize"), job["rowsSynced"].get<long long>());
      std::fflush(stdout);
    }
  }
  std::filesystem::remove_all(dir);
  std::printf("%s, %lld of %lld rows: job %.2f s, psql %.2f s; ratio %.3f (median of %d pairs)\n", mode.name.c_str(),
              static_cast<long long>(options.changed), static_cast<long long>(options.rows), median(ours),
              median(native), median(ratios), options.pairs);
  return median(ratios) < options.min_ratio ? 1 : 0;
}

}  // namespace millrace::bench
