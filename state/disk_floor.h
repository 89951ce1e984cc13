// The free-disk floor: below it the store takes no work, so that a disk that fills up is met by an error that can be
// answered, and not by a write that fails half way.
//
// Asking the file system is cheap but not free: it is asked at most once an interval (1 s), or when what was written
// since could have eaten half of what was left. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "common/runtime.h"

namespace millrace::state {

struct DiskSpace {
  std::uint64_t free_bytes = 0;   // for this user
  std::uint64_t total_bytes = 0;  // of the file system
};
// Throws store.unavailable if the file system can't be asked.
DiskSpace disk_space_of(const std::string& directory);

// 1 % of the disk, but at least 24 MiB (what a flush and a small compaction need) and at most 256 MiB.
std::uint64_t default_floor_bytes(std::uint64_t total_bytes);

class DiskFloor {
 public:
  // `floor`: bytes that must stay free; empty: default_floor_bytes().
  DiskFloor(Runtime runtime, std::function<DiskSpace()> probe, std::optional<std::uint64_t> floor, Duration interval);

  // May `bytes` be written? Counts them as written if so.
  bool admits(std::uint64_t bytes);
  // Free bytes as last seen, asked again if that is old.
  std::uint64_t free_bytes();
  bool below();
  // For an error's detail: "12 MiB are free, the floor is 256 MiB".
  std::string text() const;

 private:
  void look(std::uint64_t bytes);  // under the mutex

  const Runtime runtime_;
  const std::function<DiskSpace()> probe_;
  const std::optional<std::uint64_t> configured_floor_;
  const Duration interval_;
  mutable std::mutex mutex_;
  std::optional<MonoTime> looked_;
  std::uint64_t free_ = 0;
  std::uint64_t floor_ = 0;
  std::uint64_t written_since_ = 0;
};

}  // namespace millrace::state
