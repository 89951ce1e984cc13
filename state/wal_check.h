// Tells a torn write from damage in RocksDB's write-ahead log, before RocksDB opens it.
//
// Our rule: a power cut may tear the last write, since it was not acknowledged; damage anywhere before means that
// acknowledged data is gone, and must be refused. No recovery mode of RocksDB says that: kPointInTimeRecovery drops
// everything behind the first bad record, wherever it is; kTolerateCorruptedTailRecords knows only a log that is cut
// short, and refuses a last record whose length reached the disk and whose data did not; kAbsoluteConsistency refuses
// both. So this looks first, and RocksDB then opens with kAbsoluteConsistency.
//
// How it tells: the store syncs each write before it begins the next (state/commit_queue.h). So if a record begins
// behind the bad place, here or in a later log, the bad place had been synced: damage. If none does, it is the tear of
// the last write: the log is cut off there, and the cut synced, so that it is not taken for damage at the next start.
//
// RocksDB's MANIFEST has the same format and the same weakness, so its end is looked at in the same way. But it may
// write several records before a sync: a bad record in front of good ones may be either, and is left to RocksDB, which
// refuses.
//
// Format: RocksDB 7.8 db/log_format.h. Blocks of 32 KiB; fragments of crc32c (masked, little-endian u32), length (u16),
// type (u8; 1 full, 2 first, 3 middle, 4 last; 5 to 8 the same with a u32 log number), payload; what is left at the end
// of a block and too short for a header is zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rocksdb {
class Env;
}

namespace millrace::state {

// What one log file holds, as far as it is whole.
struct WalScan {
  bool whole = true;
  std::uint64_t whole_bytes = 0;      // up to the end of the last whole record
  std::uint64_t records = 0;          // whole records before the first bad place
  bool record_begins_behind = false;  // a record begins behind the first bad place
};
WalScan scan_wal(std::string_view bytes);

// Looks at all logs (*.log) and the current MANIFEST in `directory`. Returns the bytes of torn writes that were cut
// off; 0 if there were none. Throws store.corrupt on damage, store.unavailable if a file can't be read or cut.
std::uint64_t check_and_cut_logs(rocksdb::Env* env, const std::string& directory);

}  // namespace millrace::state
