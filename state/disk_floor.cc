#include "state/disk_floor.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "common/errors.h"

namespace millrace::state {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::string in_mib(std::uint64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMiB); }

}  // namespace

DiskSpace disk_space_of(const std::string& directory) {
  struct statvfs fs{};
  if (::statvfs(directory.c_str(), &fs) != 0)
    throw Error("store.unavailable", "free space of " + directory + " cannot be read: " + std::strerror(errno));
  DiskSpace space;
  space.free_bytes = std::uint64_t{fs.f_bavail} * fs.f_frsize;
  space.total_bytes = std::uint64_t{fs.f_blocks} * fs.f_frsize;
  return space;
}

std::uint64_t default_floor_bytes(std::uint64_t total_bytes) {
  return std::clamp(total_bytes / 100, 24 * kMiB, 256 * kMiB);
}

DiskFloor::DiskFloor(Runtime runtime, std::function<DiskSpace()> probe, std::optional<std::uint64_t> floor,
                     Duration interval)
    : runtime_(std::move(runtime)), probe_(std::move(probe)), configured_floor_(floor), interval_(interval) {}

void DiskFloor::look(std::uint64_t bytes) {
  const MonoTime now = runtime_.mono();
  const std::uint64_t room = free_ > floor_ ? free_ - floor_ : 0;
  const bool fresh = looked_ && now - *looked_ < interval_;
  if (fresh && (room == 0 || written_since_ + bytes <= room / 2)) return;
  const DiskSpace space = probe_();
  looked_ = now;
  free_ = space.free_bytes;
  floor_ = configured_floor_.value_or(default_floor_bytes(space.total_bytes));
  written_since_ = 0;
}

bool DiskFloor::admits(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  look(bytes);
  if (free_ < floor_ || free_ - floor_ < bytes) return false;
  written_since_ += bytes;
  return true;
}

std::uint64_t DiskFloor::free_bytes() {
  std::lock_guard lock(mutex_);
  look(0);
  return free_;
}

bool DiskFloor::below() {
  std::lock_guard lock(mutex_);
  look(0);
  return free_ < floor_;
}

std::string DiskFloor::text() const {
  std::lock_guard lock(mutex_);
  return in_mib(free_) + " are free, " + in_mib(floor_) + " must stay free";
}

}  // namespace millrace::state
