// bench_engine: workflows of five empty durable steps, straight over the engine, beside what the same disk gives in the
// same run: a file that is written and synced, plain synced puts into RocksDB with a thread each, and the store's own
// group commit. Ratios are what counts; absolute figures are the machine's.
//
// rooms: clock and threads: plain puts need a thread each, and the file is synced outside of the runtime.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <boost/asio/co_spawn.hpp>

#include "common/event.h"
#include "common/task_group.h"
#include "engine/engine.h"
#include "state/rocksdb_store.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

struct Figures {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

Figures figures_of(std::vector<double> ms, double seconds) {
  Figures f;
  if (ms.empty()) return f;
  std::sort(ms.begin(), ms.end());
  f.per_second = static_cast<double>(ms.size()) / seconds;
  f.p50_ms = ms[ms.size() / 2];
  f.p99_ms = ms[std::min(ms.size() - 1, ms.size() * 99 / 100)];
  return f;
}
double ms_since(Clock::time_point t) { return std::chrono::duration<double, std::milli>(Clock::now() - t).count(); }

// ---- the disk alone ----

Figures synced_file(const std::string& dir, double seconds) {
  const int fd = ::open((dir + "/raw").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const std::string block(512, 'x');
  std::vector<double> ms;
  const auto begin = Clock::now();
  while (ms_since(begin) < seconds * 1000) {
    const auto t = Clock::now();
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
    ms.push_back(ms_since(t));
  }
  ::close(fd);
  return figures_of(std::move(ms), seconds);
}

// Batches like those of a step's end: five keys, 600 bytes.
Figures plain_puts(const std::string& dir, int writers, double seconds) {
  rocksdb::DB* raw = nullptr;
  rocksdb::Options options;
  options.create_if_missing = true;
  if (!rocksdb::DB::Open(options, dir + "/plain", &raw).ok()) std::abort();
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::vector<std::vector<double>> all(static_cast<std::size_t>(writers));
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      rocksdb::WriteOptions synced;
      synced.sync = true;
      for (std::uint64_t n = 0; ms_since(begin) < seconds * 1000; ++n) {
        const auto t = Clock::now();
        rocksdb::WriteBatch batch;
        for (int k = 0; k < 5; ++k) batch.Put(fmt::format("{:04}-{:012}-{}", w, n, k), std::string(100, 'v'));
        if (!db->Write(synced, &batch).ok()) std::abort();
        all[static_cast<std::size_t>(w)].push_back(ms_since(t));
      }
    });
  for (auto& t : threads) t.join();
  std::vector<double> ms;
  for (auto& one : all) ms.insert(ms.end(), one.begin(), one.end());
  return figures_of(std::move(ms), seconds);
}

// ---- the store and the engine ----

// `work` again and again in `at_once` coroutines.
asio::awaitable<void> worker(std::function<asio::awaitable<void>(std::uint64_t)> work, std::uint64_t from,
                             Clock::time_point end, std::vector<double>* ms) {
  for (std::uint64_t n = from; Clock::now() < end; ++n) {
    const auto t = Clock::now();
    co_await work(n);
    ms->push_back(ms_since(t));
  }
}

asio::awaitable<void> measure(Runtime runtime, int at_once, double seconds,
                              std::function<asio::awaitable<void>(std::uint64_t)> work, Figures* out) {
  std::vector<std::vector<double>> all(static_cast<std::size_t>(at_once));
  const auto end = Clock::now() + std::chrono::milliseconds(static_cast<long>(seconds * 1000));
  TaskGroup group(runtime);
  for (int i = 0; i < at_once; ++i)
    group.spawn("worker", worker(work, static_cast<std::uint64_t>(i) << 32, end, &all[static_cast<std::size_t>(i)]));
  co_await group.join();
  std::vector<double> ms;
  for (auto& one : all) ms.insert(ms.end(), one.begin(), one.end());
  *out = figures_of(std::move(ms), seconds);
}

asio::awaitable<void> store_commit(std::shared_ptr<state::Store> store, std::uint64_t n) {
  state::Batch batch;
  for (int k = 0; k < 5; ++k) batch.put(fmt::format("bench-{:020}-{}", n, k), std::string(100, 'v'));
  co_await store->commit(std::move(batch));
}

asio::awaitable<engine::Payload> empty_step(engine::StepContext&, engine::Payload) { co_return "1"; }

engine::Workflow<engine::Payload> five_steps(engine::Context& ctx, engine::Payload) {
  for (int i = 0; i < 5; ++i) co_await ctx.step("empty", "0", engine::StepOptions());
  co_return "{}";
}

asio::awaitable<void> one_workflow(engine::Engine* engine, std::uint64_t) {
  engine::StartRequest request;
  request.type = "five";
  request.input = "{}";
  const auto started = co_await engine->start_workflow(std::move(request));
  const auto end = co_await engine->wait_closed(started.workflow_id, started.run_id, std::chrono::seconds(60));
  if (end.status != engine::ExecutionStatus::completed) std::abort();
}

double cpu_seconds() {
  struct rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(u.ru_utime) + of(u.ru_stime);
}

void print(const std::string& what, int at_once, const Figures& f) {
  std::cout << fmt::format("{:<44} {:>4} {:>10.0f} {:>9.2f} {:>9.2f}\n", what, at_once, f.per_second, f.p50_ms,
                           f.p99_ms);
}

std::size_t resident_kb() {
  std::size_t pages = 0, ignored = 0;
  if (FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%zu %zu", &ignored, &pages) != 2) pages = 0;
    std::fclose(f);
  }
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

asio::awaitable<void> engine_part(Runtime runtime, std::string dir, double seconds, std::vector<int> at_once,
                                  bool only_engine) {
  std::shared_ptr<state::Store> store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir + "/store"));
  engine::Registry registry;
  registry.add_step("empty", empty_step);
  registry.add_workflow("five", five_steps);
  engine::Engine engine(runtime, store, std::move(registry), engine::EngineOptions());
  co_await engine.start();
  for (const int n : at_once) {
    Figures commits, plain, workflows;
    if (!only_engine) {
      plain = plain_puts(dir, n, seconds);
      print("plain synced puts, a thread each", n, plain);
      std::function<asio::awaitable<void>(std::uint64_t)> commit = [store](std::uint64_t i) {
        return store_commit(store, i);
      };
      co_await measure(runtime, n, seconds, std::move(commit), &commits);
      print("the store's group commit", n, commits);
    }
    std::function<asio::awaitable<void>(std::uint64_t)> work = [&engine](std::uint64_t i) {
      return one_workflow(&engine, i);
    };
    const double cpu = cpu_seconds();
    co_await measure(runtime, n, seconds, std::move(work), &workflows);
    print("workflows of five steps", n, workflows);
    std::cout << fmt::format("  CPU a workflow {:.0f} us\n",
                             (cpu_seconds() - cpu) * 1e6 / (workflows.per_second * seconds));
    if (!only_engine)
      std::cout << fmt::format(
          "  steps/s {:.0f}; group commit / plain {:.2f}; six syncs a workflow / group commit {:.2f}\n",
          workflows.per_second * 5, commits.per_second / plain.per_second,
          workflows.per_second * 6 / commits.per_second);
  }
  std::cout << "resident after all: " << resident_kb() / 1024 << " MB\n";
  co_await engine.stop(std::chrono::seconds(1));
  store->close();
}

int run(int argc, char** argv) {
  double seconds = 3;
  std::vector<int> at_once;
  bool only_engine = false;
  std::string parent = std::filesystem::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--seconds" && i + 1 < argc)
      seconds = std::atof(argv[++i]);
    else if (a == "--at-once" && i + 1 < argc)
      at_once.push_back(std::atoi(argv[++i]));
    else if (a == "--dir" && i + 1 < argc)
      parent = argv[++i];
    else if (a == "--only-engine")
      only_engine = true;
    else {
      std::cerr << "usage: bench_engine [--seconds S] [--at-once N]... [--dir DIR] [--only-engine]\n";
      return 2;
    }
  }
  if (at_once.empty()) at_once = {1, 16, 256};
  std::string dir = parent + "/millrace-bench-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) return 1;
  std::cout << fmt::format("{:<44} {:>4} {:>10} {:>9} {:>9}\n", "", "n", "per s", "p50 ms", "p99 ms");
  if (!only_engine) print("file, 512 B written and synced", 1, synced_file(dir, seconds));
  {
    RealRuntime real;
    real.run_until_done(engine_part(real.runtime(), dir, seconds, at_once, only_engine));
  }
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) { return millrace::run(argc, argv); }
