#include "cli/serve/offline.h"

#include <filesystem>

#include "api/doctor_json.h"
#include "common/errors.h"
#include "engine/doctor.h"
#include "state/backup.h"
#include "state/rocksdb_store.h"

namespace millrace::serve {
namespace {

namespace fs = std::filesystem;

asio::awaitable<void> examine(std::shared_ptr<state::Snapshot> view, engine::DoctorReport& report) {
  report = co_await engine::examine(std::move(view), {});
}

}  // namespace

std::string examine_store(const std::string& data_dir) {
  std::error_code error;
  if (!fs::is_directory(data_dir + "/store", error)) throw Error("store.unavailable", data_dir + " holds no store");
  RealRuntime real;
  const auto store = state::open_rocksdb_store(real.runtime(), state::RocksDbOptions(data_dir + "/store"));
  engine::DoctorReport report;
  real.run_until_done(examine(store->snapshot(), report));
  return api::doctor_json(report);
}

bool holds_data(const std::string& data_dir) {
  std::error_code error;
  return fs::exists(data_dir, error) && !(fs::is_directory(data_dir, error) && fs::is_empty(data_dir, error));
}

Restored restore(const std::string& backup_dir, std::uint32_t id, const std::string& data_dir) {
  std::error_code error;
  if (fs::create_directories(data_dir, error)) fs::permissions(data_dir, fs::perms::owner_all, error);
  if (error) throw Error("store.unavailable", data_dir + ": " + error.message());
  const state::BackupInfo info = state::restore_backup(backup_dir, id, data_dir + "/store");
  // Notes of a crash of another life mean nothing to the restored executions.
  fs::remove(data_dir + "/running", error);
  const std::string key = data_dir + "/secret.key";
  if (fs::exists(backup_dir + "/secret.key", error)) {
    fs::copy_file(backup_dir + "/secret.key", key, fs::copy_options::overwrite_existing, error);
    if (error) throw Error("store.backup_failed", key + ": " + error.message());
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write, error);
  }
  Restored restored;
  restored.id = info.id;
  restored.bytes = info.bytes;
  restored.has_secret_key = fs::exists(key, error);
  return restored;
}

}  // namespace millrace::serve
