// The data path against the native tool, in one run: source.read -> Pipe -> SplitWriter on two strands, interleaved
// with `psql COPY binary | psql COPY binary`, PostgreSQL to PostgreSQL over Unix sockets of one throw-away cluster.
//
//   bench_copy_path [--rows N] [--pairs N] [--splits N] [--rows-per-split N] [--method auto|key_ranges|snapshot]
//   [--threads N] [--pipe-kb N] [--profile]
//
// Prints medians, their ratio, our own CPU time a row (the process's, without the servers and psql) and peak memory.
// With
// --profile only our side runs, for perf.
// rooms: clock and threads: a benchmark measures the wall clock of other processes too
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

#include <boost/asio/this_coro.hpp>

#include "common/task_group.h"
#include "connectors/pipe.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/source.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/run.h"

namespace millrace::bench {
namespace {

using namespace connectors;

struct Options {
  std::int64_t rows = 3'000'000;
  int pairs = 9;
  int splits = 1;
  std::int64_t rows_per_split = 0;  // 0: the source's choice
  std::string method = "auto";
  unsigned threads = 0;
  std::size_t pipe_bytes = Pipe::kDefaultBytes;
  bool profile = false;
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double own_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}
long peak_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// 9 columns, about 175 bytes in binary COPY.
constexpr const char* kTable =
    "create table orders (id bigint primary key, customer int not null, status text, amount numeric(12,2), quantity "
    "int, price float8, "
    "created timestamptz, note text, flags int)";
std::string fill(std::int64_t rows) {
  return "insert into orders select g, (g::bigint * 7919) % 100000, (array['new','paid','sent','done'])[g % 4 + 1], (g "
         "% 100000) / 100.0, g % 17, g * 0.5, "
         "timestamptz '2020-01-01' + g * interval '1 second', repeat(md5(g::text), 2) || g, g % 5 from "
         "generate_series(1, " +
         std::to_string(rows) + ") g; analyze orders; checkpoint";
}

struct Lane {
  Lane(Runtime runtime, std::size_t bytes) : pipe(runtime, bytes) {}
  Pipe pipe;
};

asio::awaitable<void> read_splits(Source& source, ConfiguredStream stream, std::vector<Split> splits, Pipe& pipe) {
  std::exception_ptr error;
  try {
    for (const Split& split : splits) co_await source.read(stream, split, std::nullopt, pipe);
  } catch (...) {
    error = std::current_exception();
  }
  pipe.close_writer(error);
}

asio::awaitable<void> write_splits(StreamWriter& writer, Pipe& pipe, std::vector<Split> splits, std::int64_t& rows) {
  auto next = splits.begin();
  std::unique_ptr<SplitWriter> split;
  while (auto item = co_await pipe.read()) {
    if (!split) split = co_await writer.open_split((next++)->id);
    if (auto* batch = std::get_if<RowBatch>(&*item)) {
      co_await split->write(*batch);
      pipe.recycle(std::move(*batch));
    } else {
      const auto committed = co_await split->commit(std::get<Checkpoint>(*item));
      rows += committed.rows;
      split.reset();
    }
  }
}

// Everything a sync step does; `end` is when it is over, before publish (a step of its own in a job).
asio::awaitable<void> copy_once(Runtime runtime, std::string source_json, std::string destination_json, Options options,
                                std::int64_t generation, double& end, double& cpu_end) {
  const double start = seconds();
  postgres::PostgresSource source(runtime, postgres::source_config(source_json));
  postgres::PostgresDestination destination(runtime, postgres::destination_config(destination_json));
  const Catalog catalog = co_await source.discover();
  ConfiguredStream stream;
  stream.name = catalog.streams.at(0).name;
  stream.schema = std::make_shared<const Schema>(catalog.streams.at(0).schema);
  PlanOptions plan_options;
  plan_options.parallel = static_cast<std::size_t>(options.splits);
  plan_options.rows_per_split = options.rows_per_split;
  const SplitPlan plan = co_await source.plan(stream, plan_options);
  StreamTarget target;
  target.connection_id = "bench";
  target.source_name = stream.name;
  target.ns = "public";
  target.name = "orders";
  target.schema = stream.schema;
  target.generation = generation;
  auto writer = co_await destination.open_stream(target, "token", 1);

  std::vector<std::vector<Split>> lanes(static_cast<std::size_t>(options.splits));
  for (std::size_t i = 0; i < plan.splits.size(); ++i)
    lanes[i * lanes.size() / plan.splits.size()].push_back(plan.splits[i]);
  std::deque<Lane> pipes;
  std::deque<std::int64_t> rows(lanes.size(), 0);
  const double planned = seconds();
  TaskGroup group(runtime);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    pipes.emplace_back(runtime, options.pipe_bytes);
    group.spawn("read", read_splits(source, stream, lanes[i], pipes[i].pipe));
    group.spawn("write", write_splits(*writer, pipes[i].pipe, lanes[i], rows[i]));
  }
  co_await group.join();
  const double copied = seconds();
  std::int64_t total = 0;
  std::vector<std::string> ids;
  for (const auto n : rows) total += n;
  for (const Split& split : plan.splits) ids.push_back(split.id);
  co_await writer->finish(ids, total);
  end = seconds();
  cpu_end = own_cpu();
  co_await destination.publish(target);
  std::printf("    plan %.2f s, copy %.2f s, finish %.2f s, publish %.2f s\n", planned - start, copied - planned,
              end - copied, seconds() - end);
  if (total != options.rows) std::fprintf(stderr, "only %lld rows\n", static_cast<long long>(total));
  for (const auto& lane : pipes)
    std::printf("    waited: reader of the pipe %.2f s, writer %.2f s\n",
                static_cast<double>(lane.pipe.reader_waited_us()) / 1e6,
                static_cast<double>(lane.pipe.writer_waited_us()) / 1e6);
}

std::string configuration(const test::PgCluster& cluster, const std::string& database, const std::string& more) {
  return R"({"host":")" + cluster.host() + R"(","port":)" + std::to_string(cluster.port()) + R"(,"database":")" +
         database + R"(","username":"postgres")" + more + "}";
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

int main_of(Options options) {
  test::PgCluster cluster({"shared_buffers = 1GB", "max_wal_size = 8GB", "fsync = off", "autovacuum = off"});
  cluster.create_database("from_db");
  cluster.create_database("to_native");
  cluster.create_database("to_ours");
  cluster.psql("from_db", kTable);
  cluster.psql("from_db", fill(options.rows));
  const std::string from = configuration(cluster, "from_db", ",\"read_method\":\"" + options.method + "\"");
  const std::string to = configuration(cluster, "to_ours", "");
  RuntimeOptions runtime_options;
  runtime_options.pool_threads = options.threads;
  RealRuntime runtime(runtime_options);
  std::vector<double> native, ours, ratios, cpu;
  long rest_kb = 0;
  for (int i = 0; i < options.pairs; ++i) {
    if (!options.profile) {
      native.push_back(native_once(cluster));
      cluster.psql("postgres", "checkpoint");
    }
    const double start = seconds(), cpu_start = own_cpu();
    if (i == 0) rest_kb = peak_kb();
    double end = 0, cpu_end = 0;
    test::run(runtime, copy_once(runtime.runtime(), from, to, options, i + 1, end, cpu_end));
    ours.push_back(end - start);
    cpu.push_back((cpu_end - cpu_start) / static_cast<double>(options.rows) * 1e6);
    cluster.psql("postgres", "checkpoint");
    if (!options.profile) ratios.push_back(native.back() / ours.back());
    std::printf("  pair %d: native %.2f s, ours %.2f s, own CPU %.3f us a row\n", i + 1,
                native.empty() ? 0 : native.back(), ours.back(), cpu.back());
    std::fflush(stdout);
  }
  std::printf(
      "%lld rows, %d in parallel, %s: ours %.0f k rows/s, own CPU %.3f us a row, peak %.1f MB (%.1f above rest)",
      static_cast<long long>(options.rows), options.splits, options.method.c_str(),
      static_cast<double>(options.rows) / median(ours) / 1e3, median(cpu), static_cast<double>(peak_kb()) / 1024,
      static_cast<double>(peak_kb() - rest_kb) / 1024);
  if (!options.profile)
    std::printf(", psql %.0f k rows/s, ratio %.3f", static_cast<double>(options.rows) / median(native) / 1e3,
                median(ratios));
  std::printf("\n");
  return 0;
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  millrace::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto next = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (flag == "--rows")
      options.rows = std::atoll(next());
    else if (flag == "--pairs")
      options.pairs = std::atoi(next());
    else if (flag == "--splits")
      options.splits = std::atoi(next());
    else if (flag == "--rows-per-split")
      options.rows_per_split = std::atoll(next());
    else if (flag == "--method")
      options.method = next();
    else if (flag == "--threads")
      options.threads = static_cast<unsigned>(std::atoi(next()));
    else if (flag == "--pipe-kb")
      options.pipe_bytes = static_cast<std::size_t>(std::atoll(next())) << 10;
    else if (flag == "--profile")
      options.profile = true;
    else {
      std::fprintf(stderr,
                   "usage: %s [--rows N] [--pairs N] [--splits N] [--rows-per-split N] [--method "
                   "auto|key_ranges|snapshot] [--threads N] [--pipe-kb N] [--profile]\n",
                   argv[0]);
      return 2;
    }
  }
  return millrace::bench::main_of(options);
}
