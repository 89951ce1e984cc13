#include "state/backup.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include "common/errors.h"

namespace millrace::state {
namespace {

namespace fs = std::filesystem;

BackupInfo to_info(const rocksdb::BackupInfo& from) {
  BackupInfo info;
  info.id = from.backup_id;
  info.time = from.timestamp;
  info.bytes = from.size;
  info.files = from.number_files;
  return info;
}

BackupInfo latest_of(const std::vector<rocksdb::BackupInfo>& all, const std::string& directory) {
  const auto last =
      std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.backup_id < b.backup_id; });
  if (last == all.end()) throw Error("store.backup_invalid", directory + " holds no backup");
  return to_info(*last);
}

void require_backup(const rocksdb::Status& status, std::string_view code, const std::string& what) {
  if (!status.ok()) throw Error(code, what + ": " + status.ToString());
}

std::unique_ptr<rocksdb::BackupEngineReadOnly> open_to_read(const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(directory + "/meta", error))
    throw Error("store.backup_invalid", directory + " is no directory of backups");
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  const auto status =
      rocksdb::BackupEngineReadOnly::Open(rocksdb::BackupEngineOptions(directory), rocksdb::Env::Default(), &raw);
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(raw);
  require_backup(status, "store.backup_invalid", directory + " cannot be read");
  return engine;
}

// Held while a store's directory is replaced: the same lock as an open store's.
class Held {
 public:
  explicit Held(const std::string& directory) : path_(directory + "/millrace.lock") {
    if (!rocksdb::Env::Default()->LockFile(path_, &lock_).ok())
      throw Error("store.busy", directory + " is held by another process");
  }
  ~Held() { rocksdb::Env::Default()->UnlockFile(lock_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  std::string path_;
  rocksdb::FileLock* lock_ = nullptr;
};

}  // namespace

BackupInfo make_backup(rocksdb::DB& db, const std::string& directory) {
  std::error_code error;
  if (fs::create_directories(directory, error)) fs::permissions(directory, fs::perms::owner_all, error);
  if (error) throw Error("store.backup_failed", directory + ": " + error.message());
  rocksdb::BackupEngineOptions options(directory);
  options.sync = true;  // durable when it says so
  rocksdb::BackupEngine* raw = nullptr;
  const auto opened = rocksdb::BackupEngine::Open(options, rocksdb::Env::Default(), &raw);
  const std::unique_ptr<rocksdb::BackupEngine> engine(raw);
  require_backup(opened, "store.backup_failed", directory + " cannot be opened");
  engine->GarbageCollect();  // of one that was killed
  rocksdb::CreateBackupOptions create;
  create.flush_before_backup = true;  // all that was committed lies in table files, which later backups share
  rocksdb::BackupID id = 0;
  require_backup(engine->CreateNewBackup(create, &db, &id), "store.backup_failed", "the backup to " + directory);
  std::vector<rocksdb::BackupInfo> all;
  engine->GetBackupInfo(&all);
  return latest_of(all, directory);
}

std::vector<BackupInfo> list_backups(const std::string& directory) {
  std::vector<rocksdb::BackupInfo> all;
  open_to_read(directory)->GetBackupInfo(&all);
  std::vector<BackupInfo> out;
  for (const auto& one : all) out.push_back(to_info(one));
  return out;
}

BackupInfo restore_backup(const std::string& directory, std::uint32_t id, const std::string& store_directory) {
  const auto engine = open_to_read(directory);
  std::vector<rocksdb::BackupInfo> all;
  engine->GetBackupInfo(&all);
  BackupInfo chosen = latest_of(all, directory);
  if (id != 0) {
    const auto it = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.backup_id == id; });
    if (it == all.end()) throw Error("store.backup_invalid", directory + " holds no backup " + std::to_string(id));
    chosen = to_info(*it);
  }
  // Beside the old one, then in its place: a restore that fails or is killed leaves what was there.
  const std::string fresh = store_directory + ".restoring", former = store_directory + ".former";
  std::error_code error;
  const bool exists = fs::exists(store_directory, error);
  std::unique_ptr<Held> held;
  if (exists) held = std::make_unique<Held>(store_directory);
  fs::remove_all(fresh, error);
  fs::create_directories(fresh, error);
  fs::permissions(fresh, fs::perms::owner_all, error);
  if (error) throw Error("store.backup_failed", fresh + ": " + error.message());
  require_backup(engine->RestoreDBFromBackup(chosen.id, fresh, fresh), "store.backup_failed",
                 "backup " + std::to_string(chosen.id) + " of " + directory);
  fs::remove_all(former, error);
  if (exists) fs::rename(store_directory, former, error);
  if (!error) fs::rename(fresh, store_directory, error);
  if (error) throw Error("store.backup_failed", store_directory + ": " + error.message());
  held.reset();
  fs::remove_all(former, error);
  return chosen;
}

}  // namespace millrace::state
