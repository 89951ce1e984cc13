// From our batches to RocksDB's.
//
// An erased range becomes the deletion of each key that is in it, in the store or by an earlier operation of the group:
// not DeleteRange, since in RocksDB 7.8 an iterator that meets range tombstones while blocks are missing from its cache
// fails an assertion or corrupts memory (found by the power-cut test; that code was new in 7.7). Ranges erased here
// hold one run's rows, so this costs little, and reads are spared the tombstones.
#pragma once

#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "state/store.h"

namespace millrace::state {

// Reads the store if a range is erased; so nothing may be written between this and the write of its result. Throws
// store.corrupt or store.unavailable if that read fails.
rocksdb::WriteBatch make_write_batch(rocksdb::DB& db, const std::vector<const Batch*>& batches);

}  // namespace millrace::state
