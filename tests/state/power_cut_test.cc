// Power cuts at random moments: whatever was acknowledged is there afterwards, whole and nothing torn.
//
// Each round opens the store on what the last cut left, checks it, lets writers commit until the power goes (after a
// random number of file operations, which may also be during recovery), and drops what was not synced. Write buffers
// are tiny, so that flushes, compactions and changes of the log file happen all the time.
//
// MILLRACE_POWER_CUTS: rounds (30). MILLRACE_SEED: the first round's seed.
#include <cstdlib>
#include <random>

#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"
#include "common/runtime.h"
#include "state/rocksdb_store.h"
#include "tests/state/power_cut_fs.h"

namespace millrace::state::testing {
namespace {

constexpr int kWriters = 6;
constexpr std::uint64_t kKept = 40;  // rows of each writer; older ones are erased

std::uint64_t number_from_env(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string name_of(int writer, const char* what) { return "w" + std::to_string(writer) + "/" + what; }
std::string row_key(int writer, std::uint64_t seq) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "/row/%012llu", static_cast<unsigned long long>(seq));
  return "w" + std::to_string(writer) + digits;
}
// A value that tells where it belongs; now and then larger than a block of the log.
std::string row_value(int writer, std::uint64_t seq) {
  std::mt19937_64 random(seq * kWriters + static_cast<std::uint64_t>(writer));
  const std::size_t size = random() % 20 == 0 ? 20'000 + random() % 50'000 : random() % 2'000;
  std::string value = std::to_string(writer) + ":" + std::to_string(seq) + ":";
  while (value.size() < size) value.push_back(static_cast<char>('a' + random() % 26));
  return value;
}

// RocksDB's background threads sleep a second after an error before they look whether to end: here a millisecond.
class ShortSleeps final : public rocksdb::SystemClockWrapper {
 public:
  ShortSleeps() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "ShortSleeps"; }
  void SleepForMicroseconds(int micros) override { SystemClockWrapper::SleepForMicroseconds(std::min(micros, 1'000)); }
};
class TestEnv final : public rocksdb::EnvWrapper {
 public:
  explicit TestEnv(const std::shared_ptr<PowerCutFs>& fs) : EnvWrapper(rocksdb::NewCompositeEnv(fs)) {
    system_clock_ = std::make_shared<ShortSleeps>();
  }
};

struct Writer {
  std::uint64_t tried = 0;  // the last that was given to commit()
  std::uint64_t acked = 0;  // the last whose commit() returned
};

asio::awaitable<void> write_until_cut(Store* store, int id, Writer* writer) {
  for (;;) {
    const std::uint64_t seq = writer->acked + 1;
    Batch b;
    if (writer->acked > 0) b.expect(name_of(id, "first"), std::to_string(writer->acked));
    b.put(name_of(id, "first"), std::to_string(seq));
    b.put(row_key(id, seq), row_value(id, seq));
    if (seq > kKept && seq % 10 == 0) b.erase_range(row_key(id, 0), row_key(id, seq - kKept));
    b.put(name_of(id, "last"), std::to_string(seq));
    writer->tried = seq;
    const Commit outcome = co_await store->commit(std::move(b));
    if (outcome != Commit::done) throw std::runtime_error("a writer lost its own row");
    writer->acked = seq;
  }
}

// Runs all writers until each has failed. What they failed with is told if it is not the cut.
asio::awaitable<void> run_writers(Store* store, std::vector<Writer>* writers, std::string* surprise) {
  const auto executor = co_await asio::this_coro::executor;
  Event done;
  std::atomic<int> running = kWriters;
  std::mutex mutex;
  for (int id = 0; id < kWriters; ++id) {
    asio::co_spawn(asio::any_io_executor(executor),
                   write_until_cut(store, id, &(*writers)[static_cast<std::size_t>(id)]),
                   [&](std::exception_ptr error) {
                     if (describe(error).find("the power is cut") == std::string::npos) {
                       std::lock_guard lock(mutex);
                       *surprise = describe(error);
                     }
                     if (--running == 0) done.set();
                   });
  }
  co_await done.wait();
}

asio::awaitable<void> read_all(Store* store, std::map<std::string, std::string>* out) {
  Range range("w", "x");
  range.limit = 1'000'000;
  range.max_bytes = 1 << 30;
  for (auto& row : co_await store->scan(range)) out->emplace(std::move(row.key), std::move(row.value));
}

// Empty, or what is wrong. Takes over as the writers' state what is there.
std::string check_rows(const std::map<std::string, std::string>& rows, std::vector<Writer>& writers) {
  std::size_t known = 0;
  for (int id = 0; id < kWriters; ++id) {
    auto& writer = writers[static_cast<std::size_t>(id)];
    const auto who = "writer " + std::to_string(id) + ": ";
    const auto number = [&](const char* what) -> std::uint64_t {
      const auto it = rows.find(name_of(id, what));
      return it == rows.end() ? 0 : std::stoull(it->second);
    };
    const auto first = number("first"), last = number("last");
    known += (first > 0) + (last > 0);
    if (first != last) return who + "half a batch is there";
    if (last < writer.acked)
      return who + std::to_string(writer.acked) + " was acknowledged, the last there is " + std::to_string(last);
    if (last > writer.tried) return who + "something is there that nobody wrote";
    // The erased range of the last multiple of ten decides where rows begin.
    const std::uint64_t erased_by = last / 10 * 10;
    const std::uint64_t begin = erased_by > kKept ? erased_by - kKept : 1;
    for (std::uint64_t seq = begin; seq <= last; ++seq) {
      const auto it = rows.find(row_key(id, seq));
      if (it == rows.end()) return who + "row " + std::to_string(seq) + " is gone";
      if (it->second != row_value(id, seq)) return who + "row " + std::to_string(seq) + " is another";
      ++known;
    }
    writer.acked = writer.tried = last;
  }
  return known == rows.size() ? "" : "there are rows that were erased or never written";
}

}  // namespace

TEST_CASE("whatever was acknowledged is there after a power cut, at any moment") {
  const auto rounds = number_from_env("MILLRACE_POWER_CUTS", 30);
  const auto seed = number_from_env("MILLRACE_SEED", 20261124);
  LogOptions quiet;
  quiet.level = LogLevel::off;  // RocksDB tells of each write that the cut refused
  set_up_logging(quiet);

  auto fs = std::make_shared<PowerCutFs>(seed);
  TestEnv env(fs);
  RocksDbOptions options("/data");
  options.env = &env;
  options.write_buffer_bytes = 64 << 10;
  options.block_cache_bytes = 256 << 10;
  options.on_fatal = [](const std::string&) {};

  std::mt19937_64 random(seed);
  std::vector<Writer> writers(kWriters);
  std::uint64_t acknowledged = 0, cuts_in_open = 0, rounds_with_loss = 0;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    INFO("round " << round << " of seed " << seed);
    RealRuntime runtime;
    const auto losses_before = fs->losses().dropped_bytes;
    if (round % 5 == 0) {  // cut during recovery, then open again in the light
      fs->cut_after(random() % 40);
      try {
        open_rocksdb_store(runtime.runtime(), options);
      } catch (const Error&) {
        ++cuts_in_open;
      }
      fs->power_on();
    }
    auto store = open_rocksdb_store(runtime.runtime(), options);
    std::map<std::string, std::string> rows;
    runtime.run_until_done(read_all(store.get(), &rows));
    const auto wrong = check_rows(rows, writers);
    INFO(wrong);
    REQUIRE(wrong.empty());

    fs->cut_after(random() % 600);
    std::string surprise;
    runtime.run_until_done(run_writers(store.get(), &writers, &surprise));
    INFO(surprise);
    REQUIRE(surprise.empty());
    REQUIRE(fs->is_cut());
    store.reset();
    fs->power_on();
    rounds_with_loss += fs->losses().dropped_bytes > losses_before;
  }
  for (const auto& w : writers) acknowledged += w.acked;
  const auto losses = fs->losses();
  std::printf(
      "power cuts: %llu (%llu in recovery), acknowledged %llu, dropped %llu bytes and %llu directory changes, "
      "torn %llu files, zeroed %llu sectors\n",
      static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(cuts_in_open),
      static_cast<unsigned long long>(acknowledged), static_cast<unsigned long long>(losses.dropped_bytes),
      static_cast<unsigned long long>(losses.dropped_entries), static_cast<unsigned long long>(losses.torn_files),
      static_cast<unsigned long long>(losses.zeroed_sectors));
  CHECK(acknowledged > rounds * 10);
  CHECK(rounds_with_loss > rounds / 4);
  CHECK(losses.torn_files > 0);
  CHECK(losses.dropped_entries > 0);
  if (rounds >= 25) {  // fewer need not have met each kind
    CHECK(cuts_in_open > 0);
    CHECK((rounds < 100 || losses.zeroed_sectors > 0));
  }
  LogOptions loud;
  loud.level = LogLevel::warn;
  set_up_logging(loud);
}

TEST_CASE("after a failed write the store calls on_fatal and answers nobody as if it knew") {
  LogOptions quiet;
  quiet.level = LogLevel::off;
  set_up_logging(quiet);
  auto fs = std::make_shared<PowerCutFs>(1);
  TestEnv env(fs);
  RocksDbOptions options("/data");
  options.env = &env;
  std::vector<std::string> fatal;
  options.on_fatal = [&](const std::string& text) { fatal.push_back(text); };
  RealRuntime runtime;
  auto store = open_rocksdb_store(runtime.runtime(), options);
  fs->cut_after(0);
  std::vector<Writer> writers(kWriters);
  std::string surprise;
  runtime.run_until_done(run_writers(store.get(), &writers, &surprise));
  store.reset();
  REQUIRE(fatal.size() == 1);
  CHECK_THAT(fatal[0],
             Catch::Matchers::Contains("a write to /data failed") && Catch::Matchers::Contains("the power is cut"));
  CHECK(surprise.empty());  // all of them got the error that says so
  LogOptions loud;
  loud.level = LogLevel::warn;
  set_up_logging(loud);
}

TEST_CASE("the power-cut file layer loses what it should: a store that does not sync is found out") {
  auto fs = std::make_shared<PowerCutFs>(1);
  const auto env = rocksdb::NewCompositeEnv(fs);
  REQUIRE(env->CreateDirIfMissing("/d").ok());
  std::unique_ptr<rocksdb::Directory> dir;
  REQUIRE(env->NewDirectory("/d", &dir).ok());
  std::unique_ptr<rocksdb::WritableFile> synced, unsynced, nameless;
  REQUIRE(env->NewWritableFile("/d/synced", &synced, rocksdb::EnvOptions()).ok());
  REQUIRE(env->NewWritableFile("/d/unsynced", &unsynced, rocksdb::EnvOptions()).ok());
  REQUIRE(dir->Fsync().ok());
  REQUIRE(env->NewWritableFile("/d/nameless", &nameless, rocksdb::EnvOptions()).ok());
  REQUIRE(synced->Append("kept").ok());
  REQUIRE(synced->Sync().ok());
  REQUIRE(synced->Append("lost").ok());
  REQUIRE(unsynced->Append(std::string(10'000, 'u')).ok());
  fs->cut_after(0);
  CHECK_FALSE(synced->Sync().ok());
  CHECK_FALSE(env->DeleteFile("/d/synced").ok());
  fs->power_on();
  std::string content;
  REQUIRE(rocksdb::ReadFileToString(env.get(), "/d/synced", &content).ok());
  CHECK(content.substr(0, 4) == "kept");
  REQUIRE(rocksdb::ReadFileToString(env.get(), "/d/unsynced", &content).ok());
  CHECK(content != std::string(10'000, 'u'));
  CHECK(fs->losses().dropped_bytes > 0);
}

}  // namespace millrace::state::testing
