// The default store: RocksDB, embedded.
//
//  - Writes: group commit on one thread (state/commit_queue.h).
//  - Reads: from memory at once; what needs the disk goes over the blocking lane.
//  - Opening: one process a directory; a torn last write is cut off, other damage is refused (state/wal_check.h); a
//    newer format is refused.
//  - Memory: block cache (with index and filters, in partitions) and at most three write buffers; see
//    state/rocksdb_options.cc.
//  - Disk: a free-disk floor (state/disk_floor.h). A write error that comes all the same ends the process.
//
// Metrics: millrace_store_commit_seconds (commit() to durable), millrace_store_fsync_seconds (one synced write),
// millrace_store_batches_per_sync, millrace_store_size_bytes, millrace_disk_free_bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/runtime.h"
#include "state/commit_queue.h"
#include "state/disk_floor.h"
#include "state/store.h"

namespace rocksdb {
class Env;
}

namespace millrace::state {

// What the keys and values written by this version look like. Raised when an older version could not read them.
inline constexpr std::uint32_t kStoreFormat = 1;

struct RocksDbOptions {
  RocksDbOptions() = default;
  explicit RocksDbOptions(std::string dir) : directory(std::move(dir)) {}

  std::string directory;                                  // made if it is missing (mode 0700)
  std::size_t block_cache_bytes = std::size_t{8} << 20;   // data, index and filter blocks
  std::size_t write_buffer_bytes = std::size_t{4} << 20;  // each of at most three
  int max_open_files = 256;                               // table files
  CommitQueueOptions queue;
  std::optional<std::uint64_t> min_free_bytes;  // the floor; empty: 1 % of the disk, 24 to 256 MiB
  Duration disk_check_interval = std::chrono::seconds(1);
  // After a failed write or sync: must not return. Default: logs the text and ends the process with exit code 1.
  std::function<void(const std::string& text)> on_fatal;

  // For tests.
  rocksdb::Env* env = nullptr;            // null: the system's; not owned, must outlive the store
  std::function<DiskSpace()> disk_space;  // empty: statvfs of the directory
};

// Blocking. Throws store.busy (another process or store has it open), store.newer_format, store.corrupt,
// store.disk_full, store.unavailable. `runtime` must outlive the store; it starts one thread.
std::unique_ptr<Store> open_rocksdb_store(Runtime runtime, RocksDbOptions options);

}  // namespace millrace::state
