// Short texts that outlive a crash of the process without a write: slots in a file that is mapped into memory.
//
// What is set lies in the page cache, which SIGKILL and a fault of ours leave alone (a power cut does not, and need not
// here). Bytes: 256 slots of 64; a slot is a text of at most 63 bytes, ended by 00. All 00: free.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::state {

inline constexpr std::size_t kCrashSlots = 256;
inline constexpr std::size_t kCrashSlotBytes = 64;

// Thread-safe but for clear() and the making.
class CrashFile {
 public:
  // Made if it is missing. Throws store.unavailable.
  explicit CrashFile(const std::string& path);
  ~CrashFile();
  CrashFile(const CrashFile&) = delete;
  CrashFile& operator=(const CrashFile&) = delete;

  // What the former life has left.
  const std::vector<std::string>& left_behind() const { return left_behind_; }
  // A slot that holds the text from now on; kCrashSlots where none is free (then nothing is kept).
  std::size_t set(std::string_view text);
  void unset(std::size_t slot);

 private:
  struct Claims;
  char* slots_ = nullptr;
  std::vector<std::string> left_behind_;
  std::unique_ptr<Claims> claims_;
};

}  // namespace millrace::state
