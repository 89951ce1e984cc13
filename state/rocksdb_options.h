// How RocksDB is set up: small, checksummed, quiet. The reasons are at each line of rocksdb_options.cc.
#pragma once

#include <functional>
#include <string>

#include <rocksdb/options.h>

#include "state/rocksdb_store.h"

namespace millrace::state {

// `on_disk_full(true)`: the disk is full and flushes or compactions wait for space; (false): they go on.
rocksdb::Options make_rocksdb_options(const RocksDbOptions& options, std::function<void(bool)> on_disk_full);

}  // namespace millrace::state
