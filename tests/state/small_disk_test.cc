// A disk that really fills up: needs a small file system of its own, so it is left out unless asked for.
//
//   mount -t tmpfs -o size=96m tmpfs DIR && MILLRACE_SMALL_DISK=DIR state_test "[small_disk]"
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "common/runtime.h"
#include "state/rocksdb_store.h"

namespace millrace::state::testing {
namespace {

struct Filled {
  std::uint64_t acknowledged = 0;
  std::string error;
};

asio::awaitable<void> fill(Store* store, std::uint64_t from, std::uint64_t at_most, Filled* out) {
  try {
    for (std::uint64_t i = from; i < from + at_most; ++i) {
      Batch b;
      std::string noise(100'000, '\0');
      std::uint64_t x = i + 1;
      for (char& c : noise) c = static_cast<char>((x = x * 6364136223846793005ULL + 1442695040888963407ULL) >> 56);
      b.put("k" + std::to_string(i), std::move(noise));
      if (co_await store->commit(std::move(b)) == Commit::done) ++out->acknowledged;
    }
  } catch (const Error& e) {
    out->error = e.code();
  }
}

asio::awaitable<void> count(Store* store, std::uint64_t rows, std::uint64_t* found) {
  for (std::uint64_t i = 0; i < rows; ++i)
    if (co_await store->get("k" + std::to_string(i))) ++*found;
}

// Commits again each 100 ms until it is accepted.
asio::awaitable<void> go_on(Runtime runtime, Store* store, std::uint64_t from, Filled* out) {
  for (int i = 0; i < 200 && out->acknowledged == 0; ++i) {
    co_await runtime.sleep_for(std::chrono::milliseconds(100));
    co_await fill(store, from, 1, out);
  }
}

// Takes the rest of the disk, but `leave` bytes.
void take_space(const std::string& path, std::uint64_t leave) {
  std::ofstream out(path, std::ios::binary);
  const std::string block(64 << 10, 'f');
  while (out && disk_space_of(std::filesystem::path(path).parent_path()).free_bytes > leave + block.size()) {
    out << block;
    out.flush();
  }
}

}  // namespace

TEST_CASE("a full disk loses nothing, and the store goes on when there is space", "[.][small_disk]") {
  const char* dir = std::getenv("MILLRACE_SMALL_DISK");
  REQUIRE(dir != nullptr);
  const std::string root = dir, filler = root + "/filler";
  std::filesystem::remove_all(root + "/store");
  std::filesystem::remove(filler);
  RealRuntime real;
  RocksDbOptions options(root + "/store");
  options.disk_check_interval = Duration(0);
  std::uint64_t acknowledged = 0, found = 0;

  SECTION("the floor is met first") {
    auto store = open_rocksdb_store(real.runtime(), options);
    Filled filled;
    real.run_until_done(fill(store.get(), 0, 10'000, &filled));
    acknowledged += filled.acknowledged;
    CHECK(filled.error == "store.disk_full");
    CHECK(acknowledged > 100);
    CHECK_FALSE(store->status().accepts_work);
    take_space(filler, 1 << 20);  // another program takes what is left
    Filled more;
    real.run_until_done(fill(store.get(), acknowledged, 10, &more));
    CHECK(more.error == "store.disk_full");
    CHECK(more.acknowledged == 0);
    store.reset();
    std::filesystem::remove(filler);
    store = open_rocksdb_store(real.runtime(), options);
    real.run_until_done(count(store.get(), acknowledged, &found));
    CHECK(found == acknowledged);
  }

  SECTION("another program fills it, and clears it again: no restart is needed") {
    auto store = open_rocksdb_store(real.runtime(), options);
    Filled filled;
    real.run_until_done(fill(store.get(), 0, 300, &filled));
    REQUIRE(filled.acknowledged == 300);
    take_space(filler, 0);
    Filled refused;
    real.run_until_done(fill(store.get(), 300, 10, &refused));
    CHECK(refused.error == "store.disk_full");
    real.run_until_done(count(store.get(), 300, &found));
    CHECK(found == 300);
    std::filesystem::remove(filler);
    Filled more;
    real.run_until_done(go_on(real.runtime(), store.get(), 300, &more));
    CHECK(more.acknowledged == 1);
    CHECK(store->status().accepts_work);
  }

  SECTION("the disk is full all the same: the process would end, and the next start has everything") {
    LogOptions quiet;
    quiet.level = LogLevel::off;
    set_up_logging(quiet);
    std::vector<std::string> fatal;
    options.min_free_bytes = 0;
    options.disk_space = [] {
      DiskSpace plenty;
      plenty.free_bytes = plenty.total_bytes = std::uint64_t{1} << 40;
      return plenty;
    };
    options.on_fatal = [&](const std::string& text) { fatal.push_back(text); };
    auto store = open_rocksdb_store(real.runtime(), options);
    Filled filled;
    real.run_until_done(fill(store.get(), 0, 200, &filled));
    take_space(filler, 3 << 20);
    real.run_until_done(fill(store.get(), filled.acknowledged, 10'000, &filled));
    acknowledged = filled.acknowledged;
    CHECK((filled.error == "store.unavailable" || filled.error == "store.disk_full"));
    store.reset();
    std::filesystem::remove(filler);
    store = open_rocksdb_store(real.runtime(), options);
    real.run_until_done(count(store.get(), acknowledged, &found));
    CHECK(found == acknowledged);
    Filled more;
    real.run_until_done(fill(store.get(), acknowledged, 10, &more));
    CHECK(more.acknowledged == 10);
    LogOptions loud;
    loud.level = LogLevel::warn;
    set_up_logging(loud);
  }
  std::filesystem::remove_all(root + "/store");
}

}  // namespace millrace::state::testing
