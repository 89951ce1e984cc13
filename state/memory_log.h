// The log of the in-memory store: what its disk holds.
//
//   log    = record*
//   record = u32 length of payload | u32 CRC-32 of payload | payload        (big-endian)
//   payload = operation*
//   operation = u8 kind (1 put, 2 erase, 3 erase_range) | u32 length, key | u32 length, value
//
// One record is one synced write. The record at the end may be torn: it is cut short, or its checksum does not match.
// Since each record was synced before the next was begun, a damaged record with another behind it is damage, not a
// tear.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "state/store.h"

namespace millrace::state {

// The bytes of one record.
std::string encode_record(const std::vector<const Batch*>& batches);

struct LogReplay {
  std::size_t records = 0;
  std::size_t dropped_bytes = 0;  // of a torn record at the end
};
// Hands each operation to `apply`, in order. Drops a torn record at the end; throws store.corrupt on damage before it.
LogReplay replay_log(std::string_view log, const std::function<void(const Batch::Operation&)>& apply);

}  // namespace millrace::state
