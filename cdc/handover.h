// Where the first load of a table and the log meet, without gap or overlap that shows.
//
// Two things are known of a load: the moment S at which it began (a snapshot of transaction ids, taken before the first
// row was read), and a position L of the log taken after the last row was read. The slot was made before S, and S was
// taken only after every transaction had ended that was open when the table joined the publication; so every change
// that S does not see comes through the slot, from the position that the slot stood at.
//
//   - A transaction that S sees is in every row of the load: its changes are skipped. Begin carries the transaction id,
//     so this is exact whatever order commits became visible in.
//   - A transaction that S does not see is applied. The rows were read in parts, each a little later than S, so up to L
//     a row may already be newer than the change that comes. Applying changes by key, whole rows and in their order,
//     then ends where the source stands: the last change of the key before L brings it to what the load had read, and
//     what follows L goes on from there. Until L a missing row is no fault: a later change, still to come, removed it.
//   - Append mode keeps a log and not a state: it gets each change once, also those between S and L.
//
// No transaction stays open longer than it takes to read one part; a part that was read is not read again after a
// crash; tables may join at any time while others go on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/position.h"

namespace millrace::cdc {

// What pg_current_snapshot() says: "xmin:xmax:xip,xip". Only top-level transactions are in it, as in Begin.
class TransactionSnapshot {
 public:
  TransactionSnapshot() = default;
  // Throws connector.bad_document.
  explicit TransactionSnapshot(const std::string& text);
  bool empty() const { return xmax_ == 0; }
  // `xid` is the 32 bits of the wire, no further than 2^31 transactions from the snapshot.
  bool sees(std::uint32_t xid) const;
  std::uint64_t xmin() const { return xmin_; }
  std::uint64_t xmax() const { return xmax_; }

 private:
  std::uint64_t xmin_ = 0, xmax_ = 0;
  std::vector<std::uint64_t> open_;  // ascending
};

// The state that the load of a stream leaves, as JSON:
//   {"version":1, "state_type":"cdc", "slot":"s", "system":"73...", "lsn":"0/15E8", "snapshot":"740:743:741"}
// `lsn` is where the slot stood when the snapshot was taken.
struct LoadState {
  LoadState() = default;
  std::string slot, system;
  connectors::Lsn lsn = 0;
  std::string snapshot;
};
std::string to_json(const LoadState& state);
LoadState load_state_from_json(const std::string& text);  // throws connector.bad_document

}  // namespace millrace::cdc
