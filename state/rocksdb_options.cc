#include "state/rocksdb_options.h"

#include <cstdarg>
#include <cstdio>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>

#include "common/log.h"

namespace millrace::state {
namespace {

// RocksDB's own log goes into ours, warnings and worse only: no LOG files.
class LogBridge final : public rocksdb::Logger {
 public:
  LogBridge() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list args) override { Logv(rocksdb::InfoLogLevel::WARN_LEVEL, format, args); }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list args) override {
    if (level < GetInfoLogLevel() || level == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    char text[512];
    std::vsnprintf(text, sizeof text, format, args);
    if (level >= rocksdb::InfoLogLevel::ERROR_LEVEL) {
      log_error("rocksdb", {{"text", text}});
    } else {
      log_warn("rocksdb", {{"text", text}});
    }
  }
};

// Tells when flushes and compactions wait for disk space. RocksDB goes on by itself when there is some (the
// SstFileManager polls); until then writes must not reach it, since it would answer them with the old error.
class DiskFullListener final : public rocksdb::EventListener {
 public:
  explicit DiskFullListener(std::function<void(bool)> on_disk_full) : on_disk_full_(std::move(on_disk_full)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    if (status->IsNoSpace()) on_disk_full_(true);
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    if (info.new_bg_error.ok()) on_disk_full_(false);
  }

 private:
  std::function<void(bool)> on_disk_full_;
};

rocksdb::BlockBasedTableOptions table_options(const RocksDbOptions& options) {
  rocksdb::BlockBasedTableOptions t;
  constexpr int kCacheShardBits = 2;  // a shard must hold several blocks
  t.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits, false, 0.5);
  // Index and filters in partitions inside the cache: memory does not grow with the data, and a read brings in a few
  // KiB of filter instead of all of it (12.7 µs instead of 160 µs a get with a small cache).
  t.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  t.partition_filters = true;
  t.metadata_block_size = 4096;
  t.cache_index_and_filter_blocks = true;
  t.pin_top_level_index_and_filter = true;
  t.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  t.format_version = 5;
  t.checksum = rocksdb::kXXH3;
  return t;
}

}  // namespace

rocksdb::Options make_rocksdb_options(const RocksDbOptions& options, std::function<void(bool)> on_disk_full) {
  rocksdb::Options o;
  if (options.env != nullptr) o.env = options.env;
  o.create_if_missing = true;
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(options)));

  // Memory.
  o.write_buffer_size = options.write_buffer_bytes;
  o.max_write_buffer_number = 3;
  o.max_open_files = options.max_open_files;
  o.max_file_opening_threads = 1;
  o.max_background_jobs = 2;  // one flush, one compaction
  o.max_bytes_for_level_base = 8 * options.write_buffer_bytes;
  o.target_file_size_base = 2 * options.write_buffer_bytes;
  o.compression = rocksdb::kLZ4Compression;

  // Durability. The log is checked and a torn end cut off before RocksDB sees it (state/wal_check.h), so nothing in it
  // may be wrong.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  o.track_and_verify_wals_in_manifest = true;  // notices a log that is missing or too short
  o.paranoid_checks = true;
  o.flush_verify_memtable_count = true;
  o.verify_sst_unique_id_in_manifest = true;
  o.recycle_log_file_num = 0;
  o.avoid_flush_during_shutdown = true;  // what is acknowledged is in the log: closing need not write it again
  o.max_manifest_file_size = 4 << 20;

  // Quiet: no files of its own besides the data, no periodic work at rest.
  o.info_log = std::make_shared<LogBridge>();
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;

  o.sst_file_manager.reset(rocksdb::NewSstFileManager(o.env));
  o.listeners.push_back(std::make_shared<DiskFullListener>(std::move(on_disk_full)));
  return o;
}

}  // namespace millrace::state
