// Backups of a RocksDB store: a directory holds any number of them, and table files that they share are kept once, so
// that a further backup copies only what is new.
//
// The format is RocksDB's own (BackupEngine): meta/<id> is written last and renamed into place, so a backup exists
// whole or not at all; what a killed one has left is removed by the next. Every file carries a checksum, which
// restore() checks. All functions block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/store.h"

namespace rocksdb {
class DB;
}

namespace millrace::state {

// Throws store.backup_failed.
BackupInfo make_backup(rocksdb::DB& db, const std::string& directory);

// Oldest first. Throws store.backup_invalid where there is no directory of backups.
std::vector<BackupInfo> list_backups(const std::string& directory);

// Makes `store_directory` what the backup holds; id 0: the latest. What lay there before is gone once the restored one
// is whole, and untouched if the restore fails. Throws store.backup_invalid, store.busy (a server has it open),
// store.backup_failed.
BackupInfo restore_backup(const std::string& directory, std::uint32_t id, const std::string& store_directory);

}  // namespace millrace::state
