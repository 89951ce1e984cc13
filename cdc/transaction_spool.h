// Transactions that the server streams before they have ended, kept until they do: in memory, and beyond a bound on
// disk.
//
// The server sends a large transaction in segments while it is still open (protocol version 2 and later). Its messages
// are kept here as they came, each with the subtransaction that it belongs to. A subtransaction that aborts is struck
// out; a transaction that aborts is forgotten; one that commits is read once, in order, and forgotten.
//
// Files have no name (O_TMPFILE, or removed at once where the file system lacks it), so that whatever ends the process
// ends them too. They are written in blocks, each with its length and CRC-32: a block that was damaged on disk is an
// error, never a change. File format, version-less since it does not outlive the process:
//   block   uint32 length, uint32 CRC-32 of the records, records
//   record  uint32 subtransaction, uint32 length, that many bytes of a pgoutput message       (all big-endian)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace::cdc {

struct SpoolOptions {
  SpoolOptions() = default;
  std::string directory;                   // empty: the system's temporary directory
  std::size_t memory_bytes = 16 << 20;     // of all transactions together, before the largest goes to disk
  std::uint64_t disk_bytes = 64ULL << 30;  // of all files together
};

// Used on one strand.
class TransactionSpool {
 public:
  TransactionSpool(Runtime runtime, SpoolOptions options);
  ~TransactionSpool();

  // A message of (xid, subxid). Never waits; call settle() after some.
  void append(std::uint32_t xid, std::uint32_t subxid, std::string_view message);
  // Writes to disk while memory is over its bound. Throws cdc.spill_failed where the disk is full or fails.
  asio::awaitable<void> settle();
  void abort(std::uint32_t xid, std::uint32_t subxid);  // the same: all of it
  void forget(std::uint32_t xid);

  // Reads a transaction that has committed: begin_read(), then next_block() until it is false, then forget(). A block
  // holds whole records; next_record() takes one off its front, passing over what was aborted. Throws
  // cdc.spill_failed where what is on disk is not what was written.
  void begin_read(std::uint32_t xid);
  asio::awaitable<bool> next_block(std::uint32_t xid, std::string& block);
  bool next_record(std::uint32_t xid, std::string_view& block, std::string_view& message) const;

  std::size_t memory_used() const { return memory_; }
  std::uint64_t disk_used() const { return disk_; }
  std::size_t open_transactions() const { return open_.size(); }
  std::uint64_t spilled_blocks() const { return spilled_blocks_; }

 private:
  class File;
  struct Open {
    std::string records;  // not on disk yet, behind those that are
    std::set<std::uint32_t> aborted;
    std::unique_ptr<File> file;
    std::uint64_t read_at = 0;
    bool tail_read = false;
  };
  asio::awaitable<void> spill(Open& transaction);

  Runtime runtime_;
  SpoolOptions options_;
  std::map<std::uint32_t, Open> open_;
  std::size_t memory_ = 0;
  std::uint64_t disk_ = 0;
  std::uint64_t spilled_blocks_ = 0;
};

}  // namespace millrace::cdc
