// Group commit against plain synced puts, in one run on one disk.
//
//   bench_state [--seconds S] [--rounds N] [--dir DIR]
//
// Each writer commits batches of 5 keys, 600 bytes together, one after the other. "plain": a thread each, calling
// RocksDB with sync, same options (RocksDB gathers the writers that wait into one write by itself). "grouped": a
// coroutine each, calling commit() of the store; "checked": the same with a condition in each batch, as the engine does
// it. Rounds are interleaved and the median round counts. Prints a table, and one JSON object a line for machines.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <boost/asio/co_spawn.hpp>

#include "common/errors.h"
#include "common/event.h"
#include "common/runtime.h"
#include "state/keys.h"
#include "state/rocksdb_options.h"
#include "state/rocksdb_store.h"

namespace {

using namespace millrace;

constexpr int kKeys = 5;
constexpr std::size_t kValueBytes = 80;

struct Options {
  Duration time = std::chrono::seconds(1);
  int rounds = 3;
  std::string dir = std::filesystem::temp_directory_path();
};

struct Result {
  double per_second = 0;
  double p50_ms = 0, p99_ms = 0;
};

struct Writer {
  std::vector<Duration> latencies;
};

Result summarise(std::vector<Writer>& writers, Duration elapsed) {
  std::vector<Duration> all;
  for (auto& w : writers) all.insert(all.end(), w.latencies.begin(), w.latencies.end());
  std::sort(all.begin(), all.end());
  Result r;
  if (all.empty()) return r;
  r.per_second = static_cast<double>(all.size()) / to_seconds(elapsed);
  r.p50_ms = to_seconds(all[all.size() / 2]) * 1e3;
  r.p99_ms = to_seconds(all[all.size() * 99 / 100]) * 1e3;
  return r;
}

// About 120 bytes a key and its value.
std::string key_of(std::size_t writer, std::uint64_t n, int i) {
  return state::keys::history("run-" + std::to_string(writer), n * kKeys + static_cast<std::uint64_t>(i));
}
const std::string& value() {
  static const std::string v(kValueBytes, 'v');
  return v;
}

class Directory {
 public:
  Directory(const std::string& parent, const std::string& name) : path_(parent + "/millrace-bench-" + name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// fdatasync of 600 appended bytes, per second: what the disk can do without any database.
double raw_syncs(const Options& options, const Runtime& runtime) {
  const Directory dir(options.dir, "raw");
  const int fd = ::open((dir.path() + "/file").c_str(), O_CREAT | O_WRONLY, 0600);
  const std::string bytes(600, 'x');
  const MonoTime begin = runtime.mono();
  std::uint64_t n = 0;
  while (runtime.mono() - begin < options.time) {
    if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) break;
    ++n;
  }
  const double rate = static_cast<double>(n) / to_seconds(runtime.mono() - begin);
  ::close(fd);
  return rate;
}

Result run_plain(const Options& options, std::size_t n) {
  const Directory dir(options.dir, "plain");
  RealRuntime real;
  const Runtime runtime = real.runtime();
  rocksdb::DB* raw = nullptr;
  const auto status =
      rocksdb::DB::Open(state::make_rocksdb_options(state::RocksDbOptions(dir.path()), [](bool) {}), dir.path(), &raw);
  const std::unique_ptr<rocksdb::DB> db(raw);
  if (!status.ok()) throw Error("store.unavailable", status.ToString());
  std::vector<Writer> writers(n);
  const MonoTime begin = runtime.mono(), end = begin + options.time;
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (std::size_t w = 0; w < n; ++w) {
      threads.push_back(runtime.start_thread("writer", [&, w] {
        rocksdb::WriteOptions synced;
        synced.sync = true;
        for (std::uint64_t i = 0;; ++i) {
          const MonoTime before = runtime.mono();
          if (before >= end) return;
          rocksdb::WriteBatch batch;
          for (int k = 0; k < kKeys; ++k) batch.Put(key_of(w, i, k), value());
          if (!db->Write(synced, &batch).ok()) return;
          writers[w].latencies.push_back(runtime.mono() - before);
        }
      }));
    }
  }
  return summarise(writers, runtime.mono() - begin);
}

asio::awaitable<void> write_until(Runtime runtime, state::Store* store, std::size_t w, bool checked, MonoTime end,
                                  Writer* writer) {
  const std::string version = state::keys::run("run-" + std::to_string(w));
  for (std::uint64_t i = 0;; ++i) {
    const MonoTime before = runtime.mono();
    if (before >= end) co_return;
    state::Batch batch;
    const int keys = checked ? kKeys - 1 : kKeys;
    for (int k = 0; k < keys; ++k) batch.put(key_of(w, i, k), value());
    if (checked) {
      if (i == 0) {
        batch.expect_absent(version);
      } else {
        batch.expect(version, value() + std::to_string(i - 1));
      }
      batch.put(version, value() + std::to_string(i));
    }
    if (co_await store->commit(std::move(batch)) != state::Commit::done) throw std::runtime_error("a condition failed");
    writer->latencies.push_back(runtime.mono() - before);
  }
}

asio::awaitable<void> run_all(Runtime runtime, state::Store* store, bool checked, MonoTime end,
                              std::vector<Writer>* writers) {
  Event done;
  std::atomic<std::size_t> left = writers->size();
  for (std::size_t w = 0; w < writers->size(); ++w) {
    asio::co_spawn(runtime.make_strand(), write_until(runtime, store, w, checked, end, &(*writers)[w]),
                   [&](std::exception_ptr error) {
                     if (error) std::fprintf(stderr, "a writer failed: %s\n", describe(error).c_str());
                     if (--left == 0) done.set();
                   });
  }
  co_await done.wait();
}

Result run_grouped(const Options& options, std::size_t n, bool checked) {
  const Directory dir(options.dir, "grouped");
  RealRuntime real;
  const Runtime runtime = real.runtime();
  const auto store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir.path() + "/store"));
  std::vector<Writer> writers(n);
  const MonoTime begin = runtime.mono();
  real.run_until_done(run_all(runtime, store.get(), checked, begin + options.time, &writers));
  const auto elapsed = runtime.mono() - begin;
  store->close();
  return summarise(writers, elapsed);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}
Result median(const std::vector<Result>& results) {
  Result m;
  std::vector<double> rate, p50, p99;
  for (const auto& r : results) {
    rate.push_back(r.per_second);
    p50.push_back(r.p50_ms);
    p99.push_back(r.p99_ms);
  }
  m.per_second = median(rate);
  m.p50_ms = median(p50);
  m.p99_ms = median(p99);
  return m;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], text = argv[i + 1];
    if (name == "--seconds") o.time = Duration(static_cast<std::int64_t>(std::stod(text) * 1e6));
    if (name == "--rounds") o.rounds = std::max(1, std::stoi(text));
    if (name == "--dir") o.dir = text;
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  RealRuntime real;
  fmt::print("batches of {} keys, about 600 bytes; {} rounds of {:.1f} s each\n", kKeys, options.rounds,
             to_seconds(options.time));
  fmt::print("raw fdatasync of 600 bytes: {:.0f}/s\n\n", raw_syncs(options, real.runtime()));
  fmt::print("{:>7} {:>11} {:>11} {:>11} {:>7} {:>16} {:>16} {:>16}\n", "writers", "plain/s", "grouped/s", "checked/s",
             "ratio", "plain p50/p99", "grouped p50/p99", "checked p50/p99");
  std::vector<std::string> lines;
  for (const std::size_t n : {1UL, 16UL, 64UL, 256UL}) {
    std::vector<Result> plain, grouped, checked;
    std::vector<double> ratios;
    for (int round = 0; round < options.rounds; ++round) {
      plain.push_back(run_plain(options, n));
      grouped.push_back(run_grouped(options, n, false));
      checked.push_back(run_grouped(options, n, true));
      ratios.push_back(grouped.back().per_second / plain.back().per_second);
    }
    const Result p = median(plain), g = median(grouped), c = median(checked);
    const double ratio = median(ratios);
    const auto ms = [](const Result& r) { return fmt::format("{:.2f}/{:.2f} ms", r.p50_ms, r.p99_ms); };
    fmt::print("{:>7} {:>11.0f} {:>11.0f} {:>11.0f} {:>7.2f} {:>16} {:>16} {:>16}\n", n, p.per_second, g.per_second,
               c.per_second, ratio, ms(p), ms(g), ms(c));
    std::fflush(stdout);
    lines.push_back(fmt::format(
        R"({{"bench":"group_commit","writers":{},"plain_per_s":{:.0f},"grouped_per_s":{:.0f},"checked_per_s":{:.0f},"ratio":{:.3f},"grouped_p50_ms":{:.3f},"grouped_p99_ms":{:.3f}}})",
        n, p.per_second, g.per_second, c.per_second, ratio, g.p50_ms, g.p99_ms));
  }
  fmt::print("\n");
  for (const auto& line : lines) fmt::print("{}\n", line);
  return 0;
}
