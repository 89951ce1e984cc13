#include <filesystem>
#include <fstream>

#include <rocksdb/db.h>
#include <catch2/catch.hpp>

#include "common/byte_order.h"
#include "common/errors.h"
#include "common/metrics.h"
#include "state/keys.h"
#include "state/rocksdb_store.h"
#include "tests/state/conformance.h"
#include "tests/state/temp_dir.h"

namespace millrace::state::testing {
namespace {

class RocksDbSubject final : public Subject {
 public:
  explicit RocksDbSubject(RocksDbOptions options = RocksDbOptions()) : options_(std::move(options)) {
    options_.directory = dir_.path() + "/store";
    options_.disk_check_interval = Duration(0);
    options_.min_free_bytes = 1'000;
    options_.disk_space = [full = full_] {
      DiskSpace space;
      space.total_bytes = std::uint64_t{1} << 30;
      space.free_bytes = *full ? 999 : space.total_bytes;
      return space;
    };
    store_ = open_rocksdb_store(real_.runtime(), options_);
  }
  void run(asio::awaitable<void> main) override { real_.run_until_done(std::move(main)); }
  Store& store() override { return *store_; }
  void close() { store_.reset(); }
  void reopen() override {
    store_.reset();
    store_ = open_rocksdb_store(real_.runtime(), options_);
  }
  void set_disk_full(bool full) override { *full_ = full; }
  Runtime runtime() const { return real_.runtime(); }
  const RocksDbOptions& options() const { return options_; }

 private:
  TempDir dir_;
  RealRuntime real_;
  std::shared_ptr<std::atomic<bool>> full_ = std::make_shared<std::atomic<bool>>(false);
  RocksDbOptions options_;
  std::unique_ptr<Store> store_;
};

std::string open_error(const Runtime& runtime, const RocksDbOptions& options) {
  try {
    open_rocksdb_store(runtime, options);
  } catch (const Error& e) {
    return std::string(e.code()) + " | " + e.what();
  }
  return "opened";
}

std::string newest_log(const std::string& directory) {
  std::string newest;
  for (const auto& e : std::filesystem::directory_iterator(directory))
    if (e.path().extension() == ".log") newest = std::max(newest, e.path().string());
  return newest;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

}  // namespace

TEST_CASE("the RocksDB store is a store") {
  store_conformance([] { return std::make_unique<RocksDbSubject>(); });
}

TEST_CASE("a directory cannot be opened twice, and the error says who has it") {
  RocksDbSubject s;
  s.put("a", "1");
  const auto error = open_error(s.runtime(), s.options());
  CHECK_THAT(error, StartsWith("store.busy"));
  CHECK_THAT(error, Contains(s.options().directory) && Contains("process " + std::to_string(::getpid())));
  CHECK(s.get("a") == "1");  // the first one goes on
  s.put("a", "2");
  s.close();
  CHECK(open_error(s.runtime(), s.options()) == "opened");
}

TEST_CASE("a store of a newer format is refused, and left as it is") {
  RocksDbSubject s;
  std::string newer;
  append_big_endian(newer, kStoreFormat + 1);
  s.put(keys::meta("format"), newer);
  s.close();
  const auto error = open_error(s.runtime(), s.options());
  CHECK_THAT(error, StartsWith("store.newer_format") && Contains("format 2"));
  CHECK(open_error(s.runtime(), s.options()) == error);
}

TEST_CASE("the format version is stored with the first open") {
  RocksDbSubject s;
  CHECK(s.get(keys::meta("format")) == std::string("\0\0\0\1", 4));
}

TEST_CASE("a directory that cannot be made is an error with its cause") {
  RocksDbSubject s;
  write_file(s.options().directory + "/file", "x");
  RocksDbOptions options(s.options().directory + "/file/store");
  CHECK_THAT(open_error(s.runtime(), options), StartsWith("store.unavailable") && Contains("file/store"));
}

TEST_CASE("a torn last record is cut off, and the cut is not taken for damage later") {
  for (const std::size_t lost : {1, 3, 20, 40}) {
    RocksDbSubject s;
    s.put("a", "1");
    s.put("b", std::string(100, 'b'));
    s.close();
    const auto log = newest_log(s.options().directory);
    auto bytes = read_file(log);
    REQUIRE(bytes.size() > 150);
    bytes.resize(bytes.size() - lost);
    if (lost == 20) bytes.append(20, '\0');  // its length reached the disk, its data did not
    if (lost == 40) bytes.append(20, '#');
    write_file(log, bytes);
    s.reopen();
    CHECK(s.get("a") == "1");
    CHECK(s.get("b") == std::nullopt);
    s.put("c", "3");
    s.close();
    write_file(log, read_file(log));  // nothing brings the old tear back
    s.reopen();
    CHECK(s.get("c") == "3");
  }
}

TEST_CASE("damage of acknowledged data in the log is refused") {
  RocksDbSubject s;
  for (int i = 0; i < 50; ++i) s.put("key" + std::to_string(i), std::string(1'000, 'v'));  // more than one block
  s.close();
  const auto log = newest_log(s.options().directory);
  const auto whole = read_file(log);
  REQUIRE(whole.size() > 40'000);
  for (const std::size_t at : {0UL, 5UL, 600UL, 20'000UL, 32'700UL, 33'000UL, 40'000UL}) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    write_file(log, bytes);
    CHECK_THAT(open_error(s.runtime(), s.options()), StartsWith("store.corrupt") && Contains("is damaged at byte"));
    CHECK(read_file(log) == bytes);  // and nothing is cut
  }
  write_file(log, whole);
  s.reopen();
  CHECK(s.scan(prefix_range("key")).size() == 50);
}

TEST_CASE("a torn end of the MANIFEST is cut off, damage in it is refused") {
  RocksDbSubject s;
  s.put("a", "1");
  s.reopen();
  s.close();
  auto name = read_file(s.options().directory + "/CURRENT");
  name.pop_back();
  const auto manifest = s.options().directory + "/" + name;
  const auto whole = read_file(manifest);
  auto bytes = whole;
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  write_file(manifest, bytes);
  CHECK_THAT(open_error(s.runtime(), s.options()), StartsWith("store.corrupt"));
  CHECK(read_file(manifest) == bytes);
  write_file(manifest, whole + std::string("\x11\x22\x33\x44\x04\0\1half", 11));
  s.reopen();
  CHECK(s.get("a") == "1");
}

TEST_CASE("a checksum that does not match is an error, never a wrong answer") {
  RocksDbOptions small;
  small.write_buffer_bytes = 64 << 10;
  small.block_cache_bytes = 0;
  RocksDbSubject s(small);
  for (int i = 0; i < 40; ++i) s.put("key" + std::to_string(i), std::string(20'000, 'v'));
  s.reopen();  // flushes the log into tables
  s.close();
  for (const auto& e : std::filesystem::directory_iterator(s.options().directory)) {
    if (e.path().extension() != ".sst") continue;
    auto bytes = read_file(e.path());
    bytes[10] = static_cast<char>(bytes[10] ^ 1);
    write_file(e.path(), bytes);
  }
  int corrupt = 0;
  try {
    s.reopen();
    for (int i = 0; i < 40; ++i) {
      try {
        CHECK(s.get("key" + std::to_string(i)) == std::string(20'000, 'v'));
      } catch (const Error& e) {
        CHECK(e.code() == "store.corrupt");
        ++corrupt;
      }
    }
  } catch (const Error& e) {
    CHECK(e.code() == "store.corrupt");
    ++corrupt;
  }
  CHECK(corrupt > 0);
}

TEST_CASE("reads that miss the memory go over the blocking lane and come back right") {
  RocksDbOptions small;
  small.write_buffer_bytes = 64 << 10;
  small.block_cache_bytes = 32 << 10;
  RocksDbSubject s(small);
  for (int i = 0; i < 300; ++i) s.put("key" + std::to_string(i), std::string(2'000, static_cast<char>('a' + i % 26)));
  s.reopen();
  auto snapshot = s.store().snapshot();
  s.put("key7", "new");
  for (int i = 0; i < 300; i += 7)
    CHECK(s.get("key" + std::to_string(i)) == (i == 7 ? "new" : std::string(2'000, static_cast<char>('a' + i % 26))));
  CHECK(s.wait(snapshot->get("key7")) == std::string(2'000, 'h'));
  CHECK(s.scan(prefix_range("key")).size() == 300);
}

TEST_CASE("a snapshot may outlive close()") {
  RocksDbSubject s;
  s.put("a", "1");
  auto snapshot = s.store().snapshot();
  s.store().close();
  CHECK(s.wait(snapshot->get("a")) == "1");
  snapshot.reset();
  s.reopen();
  CHECK(s.get("a") == "1");
}

TEST_CASE("commits are measured") {
  RocksDbSubject s;
  s.put("a", "1");
  s.close();
  const auto text = render_metrics();
  for (const char* name : {"millrace_store_commit_seconds_bucket", "millrace_store_batches_per_sync_count",
                           "millrace_store_fsync_seconds_sum", "millrace_store_size_bytes", "millrace_disk_free_bytes"})
    CHECK_THAT(text, Contains(name));
}

TEST_CASE("the free-disk floor is 1 % of the disk, between 24 and 256 MiB") {
  constexpr std::uint64_t kMiB = 1 << 20;
  CHECK(default_floor_bytes(64 * kMiB) == 24 * kMiB);
  CHECK(default_floor_bytes(10'000 * kMiB) == 100 * kMiB);
  CHECK(default_floor_bytes(1'000'000 * kMiB) == 256 * kMiB);
}

TEST_CASE("the floor asks the file system seldom, but before what was written could reach it") {
  RealRuntime real;
  int asked = 0;
  std::uint64_t free = 10'000;
  DiskFloor floor(
      real.runtime(),
      [&] {
        ++asked;
        DiskSpace space;
        space.free_bytes = free;
        space.total_bytes = 100'000;
        return space;
      },
      1'000, std::chrono::hours(1));
  CHECK(floor.admits(100));
  for (int i = 0; i < 40; ++i) CHECK(floor.admits(100));
  CHECK(asked == 1);
  free = 5'000;
  CHECK(floor.admits(1'000));  // half of the room may be gone: asks again
  CHECK(asked == 2);
  CHECK_FALSE(floor.admits(4'001));
  CHECK(asked == 3);
  CHECK_FALSE(floor.below());
  CHECK_THAT(floor.text(), Contains("must stay free"));
}

}  // namespace millrace::state::testing
