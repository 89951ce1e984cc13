#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/runtime_sim.h"
#include "state/memory_store.h"
#include "tests/state/conformance.h"

namespace millrace::state::testing {
namespace {

class MemorySubject final : public Subject {
 public:
  MemorySubject() { store_ = std::make_unique<MemoryStore>(sim_.runtime()); }
  void run(asio::awaitable<void> main) override { sim_.run_until_done(std::move(main)); }
  MemoryStore& store() override { return *store_; }
  void reopen() override { reopen_from(store_->take_durable_image()); }
  void reopen_from(DurableImage image) {
    store_.reset();
    store_ = std::make_unique<MemoryStore>(sim_.runtime(), std::move(image));
  }
  void set_disk_full(bool full) override {
    MemoryFaults f;
    f.disk_full = full;
    store_->set_faults(f);
  }
  SimRuntime& sim() { return sim_; }

 private:
  SimRuntime sim_{1};
  std::unique_ptr<MemoryStore> store_;
};

asio::awaitable<void> note(asio::awaitable<Commit> wait, std::string* what) {
  try {
    const Commit outcome = co_await std::move(wait);
    *what = outcome == Commit::done ? "done" : "condition failed";
  } catch (const StoreCrashed&) {
    *what = "crashed";
  }
}

}  // namespace

TEST_CASE("the in-memory store is a store") {
  store_conformance([] { return std::make_unique<MemorySubject>(); });
}

TEST_CASE("batches that are queued together share one durable write") {
  MemorySubject s;
  std::vector<Batch> batches(10);
  for (int i = 0; i < 10; ++i) batches[i].put("k" + std::to_string(i), "v");
  s.commit_all(std::move(batches));
  CHECK(s.store().writes() == 1);
  s.put("alone", "v");
  CHECK(s.store().writes() == 2);
  Batch nothing;
  nothing.expect_absent("nothing");
  s.commit(std::move(nothing));
  CHECK(s.store().writes() == 2);
}

TEST_CASE("a crash keeps what was durable before it, and of its own write all or nothing") {
  for (const auto point : {CrashPoint::before, CrashPoint::torn, CrashPoint::after}) {
    int torn_tails = 0;
    for (int round = 0; round < 20; ++round) {
      MemorySubject s;
      for (int i = 0; i < round; ++i) s.sim().runtime().random();  // another tear
      s.put("a", "1");
      s.put("b", "1");
      s.store().crash_at(3, point);
      Batch last, queued_after;
      last.put("a", "2");
      last.put("b", "2");
      std::string what = "waits", what_after = "waits";
      asio::co_spawn(s.sim().runtime().executor(), note(s.store().commit(std::move(last)), &what),
                     [](std::exception_ptr) {});
      s.sim().run_ready();
      REQUIRE(s.store().crashed());
      queued_after.put("c", "1");
      asio::co_spawn(s.sim().runtime().executor(), note(s.store().commit(std::move(queued_after)), &what_after),
                     [](std::exception_ptr) {});
      s.sim().run_until_idle();
      CHECK(what == "waits");
      CHECK(what_after == "waits");
      auto image = s.store().take_durable_image();
      s.store().release();
      s.sim().run_ready();
      CHECK(what == "crashed");
      CHECK(what_after == "crashed");
      s.reopen_from(std::move(image));
      const std::string expected = point == CrashPoint::after ? "2" : "1";
      CHECK(s.get("a") == expected);
      CHECK(s.get("b") == expected);
      CHECK(s.get("c") == std::nullopt);
      torn_tails += s.store().dropped_at_open() > 0;
      s.put("c", "2");  // the next life writes behind the tear
      s.reopen();
      CHECK(s.get("c") == "2");
      CHECK(s.get("a") == expected);
    }
    CHECK(torn_tails == (point == CrashPoint::torn ? 20 : 0));
  }
}

TEST_CASE("damage before the end of the log is refused, not dropped") {
  MemorySubject s;
  s.put("a", "1");
  s.put("b", "1");
  s.put("c", "1");
  auto image = s.store().take_durable_image();
  for (std::size_t at = 0; at < image.log.size() - image.log.size() / 3; ++at) {
    DurableImage damaged = image;
    damaged.log[at] = static_cast<char>(damaged.log[at] ^ 0x10);
    std::string code = "opened";
    try {
      MemoryStore store(s.sim().runtime(), std::move(damaged));
    } catch (const Error& e) {
      code = e.code();
    }
    CHECK(code == "store.corrupt");
  }
}

TEST_CASE("a slow commit takes virtual time and gathers what is queued meanwhile") {
  MemorySubject s;
  MemoryFaults slow;
  slow.commit_delay = std::chrono::milliseconds(50);
  slow.commit_jitter = std::chrono::milliseconds(10);
  s.store().set_faults(slow);
  const auto before = s.sim().runtime().mono();
  s.put("a", "1");
  CHECK(s.sim().runtime().mono() - before >= std::chrono::milliseconds(50));
  CHECK(s.sim().runtime().mono() - before <= std::chrono::milliseconds(60));
}

}  // namespace millrace::state::testing
