// From RocksDB's statuses to our errors.
#pragma once

#include <string>

#include <rocksdb/status.h>

#include "common/errors.h"

namespace millrace::state {

[[noreturn]] inline void throw_status(const rocksdb::Status& status, const std::string& what) {
  const std::string detail = what + ": " + status.ToString();
  if (status.IsCorruption()) throw Error("store.corrupt", detail);
  if (status.IsNoSpace()) throw Error("store.disk_full", detail);
  throw Error("store.unavailable", detail);
}

inline void require_ok(const rocksdb::Status& status, const std::string& what) {
  if (!status.ok()) throw_status(status, what);
}

}  // namespace millrace::state
