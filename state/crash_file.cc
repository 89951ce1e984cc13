#include "state/crash_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "common/errors.h"

namespace millrace::state {

// Which slots are taken: in this process only, so that a slot's bytes are never half of two texts.
struct CrashFile::Claims {
  std::atomic<bool> taken[kCrashSlots] = {};
  std::atomic<std::size_t> next{0};
};

CrashFile::CrashFile(const std::string& path) : claims_(std::make_unique<Claims>()) {
  constexpr std::size_t kBytes = kCrashSlots * kCrashSlotBytes;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const bool sized = fd >= 0 && ::ftruncate(fd, kBytes) == 0;
  void* mapped = sized ? ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (mapped == MAP_FAILED) throw Error("store.unavailable", path + ": " + std::strerror(error));
  slots_ = static_cast<char*>(mapped);
  for (std::size_t i = 0; i < kCrashSlots; ++i) {
    const char* slot = slots_ + i * kCrashSlotBytes;
    if (slot[0] != 0) left_behind_.emplace_back(slot, ::strnlen(slot, kCrashSlotBytes));
  }
  std::memset(slots_, 0, kBytes);
}

CrashFile::~CrashFile() { ::munmap(slots_, kCrashSlots * kCrashSlotBytes); }

std::size_t CrashFile::set(std::string_view text) {
  for (std::size_t tries = 0; tries < kCrashSlots; ++tries) {
    const std::size_t i = claims_->next.fetch_add(1, std::memory_order_relaxed) % kCrashSlots;
    if (claims_->taken[i].exchange(true, std::memory_order_acquire)) continue;
    char* slot = slots_ + i * kCrashSlotBytes;
    const std::size_t n = std::min(text.size(), kCrashSlotBytes - 1);
    std::memcpy(slot + 1, text.data() + 1, n - 1);
    slot[n] = 0;
    std::atomic_signal_fence(std::memory_order_release);
    slot[0] = text[0];  // last: a slot is free or whole
    return i;
  }
  return kCrashSlots;
}

void CrashFile::unset(std::size_t slot) {
  if (slot >= kCrashSlots) return;
  slots_[slot * kCrashSlotBytes] = 0;
  claims_->taken[slot].store(false, std::memory_order_release);
}

}  // namespace millrace::state
