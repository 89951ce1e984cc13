#include "cdc/transaction_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/byte_order.h"
#include "common/check.h"
#include "common/errors.h"

namespace millrace::cdc {
namespace {

constexpr std::size_t kBlockHead = 8, kRecordHead = 8;

std::uint32_t crc_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

[[noreturn]] void failed(const char* doing) {
  throw Error("cdc.spill_failed", std::string(doing) + ": " + std::strerror(errno));
}

}  // namespace

// An unnamed file, appended to and read by position. Blocking: for the lane.
class TransactionSpool::File {
 public:
  explicit File(const std::string& directory) {
    fd_ = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) {
      std::string name = directory + "/millrace-spill-XXXXXX";
      fd_ = ::mkostemp(name.data(), O_CLOEXEC);
      if (fd_ < 0) failed("making a spill file");
      ::unlink(name.c_str());
    }
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) failed("writing a spill file");
      size_ += static_cast<std::uint64_t>(n);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void read(std::uint64_t at, char* out, std::size_t n) const {
    while (n > 0) {
      const ssize_t got = ::pread(fd_, out, n, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failed("reading a spill file");
      if (got == 0) throw Error("cdc.spill_failed", "a spill file is shorter than what was written");
      at += static_cast<std::uint64_t>(got);
      out += got;
      n -= static_cast<std::size_t>(got);
    }
  }
  std::uint64_t size() const { return size_; }

 private:
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

TransactionSpool::TransactionSpool(Runtime runtime, SpoolOptions options)
    : runtime_(std::move(runtime)), options_(std::move(options)) {
  if (options_.directory.empty()) options_.directory = std::filesystem::temp_directory_path().string();
}
TransactionSpool::~TransactionSpool() = default;

void TransactionSpool::append(std::uint32_t xid, std::uint32_t subxid, std::string_view message) {
  Open& t = open_[xid];
  append_big_endian(t.records, subxid);
  append_big_endian(t.records, static_cast<std::uint32_t>(message.size()));
  t.records.append(message);
  memory_ += kRecordHead + message.size();
}

asio::awaitable<void> TransactionSpool::settle() {
  while (memory_ > options_.memory_bytes) {
    const auto largest = std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return a.second.records.size() < b.second.records.size();
    });
    if (largest == open_.end() || largest->second.records.empty()) co_return;
    co_await spill(largest->second);
  }
}

asio::awaitable<void> TransactionSpool::spill(Open& t) {
  const std::uint64_t more = t.records.size() + kBlockHead;
  if (disk_ + more > options_.disk_bytes)
    throw Error("cdc.spill_failed", "open transactions take " + std::to_string(disk_ + more) + " bytes, allowed are " +
                                        std::to_string(options_.disk_bytes));
  std::string head;
  append_big_endian(head, static_cast<std::uint32_t>(t.records.size()));
  append_big_endian(head, crc_of(t.records));
  const auto write = [&t, &head, this] {
    if (!t.file) t.file = std::make_unique<File>(options_.directory);
    t.file->append(head);
    t.file->append(t.records);
  };
  co_await runtime_.blocking(write);
  disk_ += more;
  ++spilled_blocks_;
  memory_ -= t.records.size();
  t.records.clear();
  t.records.shrink_to_fit();
}

void TransactionSpool::abort(std::uint32_t xid, std::uint32_t subxid) {
  if (xid == subxid) return forget(xid);
  const auto it = open_.find(xid);
  if (it != open_.end()) it->second.aborted.insert(subxid);
}

void TransactionSpool::forget(std::uint32_t xid) {
  const auto it = open_.find(xid);
  if (it == open_.end()) return;
  memory_ -= it->second.records.size();
  if (it->second.file) disk_ -= it->second.file->size();
  open_.erase(it);
}

void TransactionSpool::begin_read(std::uint32_t xid) {
  Open& t = open_[xid];
  t.read_at = 0;
  t.tail_read = false;
}

asio::awaitable<bool> TransactionSpool::next_block(std::uint32_t xid, std::string& block) {
  const auto it = open_.find(xid);
  check(it != open_.end(), "a transaction that is read is kept");
  Open& t = it->second;
  if (!t.file || t.read_at == t.file->size()) {
    if (t.tail_read) co_return false;
    t.tail_read = true;
    block = t.records;
    co_return true;
  }
  const auto read = [&t, &block] {
    char head[kBlockHead];
    t.file->read(t.read_at, head, sizeof head);
    const auto length = from_big_endian<std::uint32_t>(head);
    if (length > t.file->size() - t.read_at - kBlockHead)
      throw Error("cdc.spill_failed", "a block of a spill file has an impossible length");
    block.resize(length);
    t.file->read(t.read_at + kBlockHead, block.data(), length);
    if (crc_of(block) != from_big_endian<std::uint32_t>(head + 4))
      throw Error("cdc.spill_failed", "a block of a spill file is damaged");
    t.read_at += kBlockHead + length;
  };
  co_await runtime_.blocking(read);
  co_return true;
}

bool TransactionSpool::next_record(std::uint32_t xid, std::string_view& block, std::string_view& message) const {
  const auto& aborted = open_.at(xid).aborted;
  while (!block.empty()) {
    check(block.size() >= kRecordHead, "a block of the spool holds whole records");
    const auto subxid = from_big_endian<std::uint32_t>(block.data());
    const auto length = from_big_endian<std::uint32_t>(block.data() + 4);
    check(block.size() - kRecordHead >= length, "a block of the spool holds whole records");
    message = block.substr(kRecordHead, length);
    block.remove_prefix(kRecordHead + length);
    if (!aborted.contains(subxid)) return true;
  }
  return false;
}

}  // namespace millrace::cdc
