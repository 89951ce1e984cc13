// The store in memory, for tests and simulation: same behaviour, and it can crash.
//
//   MemoryStore store(runtime);
//   store.crash_at(7, CrashPoint::torn);          // the 7th durable write never completes
//   ... run the server until store.crashed() ...
//   auto image = store.take_durable_image();      // what the disk holds
//   store.release();                              // now the dead process may be torn down
//   MemoryStore again(runtime, std::move(image)); // the next life
//
// A durable write is one synced group of batches. Writes are counted from 1 in each life, so that a test can first
// count them (writes()) and then crash before, in the middle of and after each one. From the crash on the store answers
// nothing: every wait, also of calls made later, lasts until release(), which makes it throw StoreCrashed. That is what
// the code of a dead process sees.
//
// Works with any Runtime; with SimRuntime one seed gives one run. Thread-safe. Needs a running executor.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "common/runtime.h"
#include "state/commit_queue.h"
#include "state/store.h"

namespace millrace::state {

enum class CrashPoint {
  before,  // nothing of the write reached the disk
  torn,    // a part of it did
  after,   // all of it did, but nobody was told
};

// Thrown by everything that waited at a crashed store, once release() was called.
class StoreCrashed : public std::exception {
 public:
  const char* what() const noexcept override { return "the store crashed (a test asked for it)"; }
};

// What survives: the log as the disk holds it (state/memory_log.h).
struct DurableImage {
  DurableImage() = default;
  explicit DurableImage(std::string l) : log(std::move(l)) {}
  std::string log;
};

// Faults that may be changed while the store runs.
struct MemoryFaults {
  MemoryFaults() = default;
  Duration commit_delay{0};   // each synced write takes this long
  Duration commit_jitter{0};  // and up to this much more, drawn from the runtime
  bool disk_full = false;     // commits throw store.disk_full, nothing is written
};

class MemoryStore final : public Store {
 public:
  // Throws store.corrupt if the image is damaged elsewhere than at its torn end.
  explicit MemoryStore(Runtime runtime, DurableImage image = DurableImage(),
                       CommitQueueOptions options = CommitQueueOptions());
  ~MemoryStore() override;

  asio::awaitable<std::optional<std::string>> get(std::string key) override;
  asio::awaitable<std::vector<KeyValue>> scan(Range range) override;
  asio::awaitable<Commit> commit(Batch batch) override;
  std::unique_ptr<Snapshot> snapshot() override;
  StoreStatus status() override;
  // Writes what is queued at once, without the delay of faults, and wakes the waiters.
  void close() override;

  void set_faults(MemoryFaults faults);

  // Durable writes of this life so far.
  std::uint64_t writes() const;
  // The next crash: at durable write number `write` (counted from 1). Replaces one that was set before.
  void crash_at(std::uint64_t write, CrashPoint point);
  // Now: what is queued is lost.
  void crash();
  bool crashed() const;
  // Returns once the store has crashed.
  asio::awaitable<void> wait_crashed();
  // Makes all that waits at the crashed store throw StoreCrashed, and all later calls at once.
  void release();
  // The bytes that survive if the power goes now; after a crash, those that survived it. May be called at any time.
  DurableImage take_durable_image() const;
  // Bytes of a torn record that were dropped when this store was opened.
  std::size_t dropped_at_open() const;

 private:
  struct Core;
  class View;
  std::shared_ptr<Core> core_;
};

}  // namespace millrace::state
