#include "state/rocksdb_store.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <unistd.h>
#include <boost/asio/post.hpp>

#include "common/byte_order.h"
#include "common/errors.h"
#include "common/log.h"
#include "common/metrics.h"
#include "state/backup.h"
#include "state/keys.h"
#include "state/rocksdb_batch.h"
#include "state/rocksdb_options.h"
#include "state/rocksdb_status.h"
#include "state/wal_check.h"

namespace millrace::state {
namespace {

constexpr Duration kGaugeInterval = std::chrono::seconds(1);

void end_process(const std::string& text) {
  std::fprintf(stderr, "millrace: %s\n", text.c_str());
  std::_Exit(EXIT_FAILURE);
}

struct Metrics {
  Histogram commit = metric_histogram("millrace_store_commit_seconds", "Time from commit() until the batch is durable",
                                      latency_buckets());
  Histogram fsync = metric_histogram("millrace_store_fsync_seconds", "Time of one synced write", latency_buckets());
  Histogram batches = metric_histogram("millrace_store_batches_per_sync", "Batches that share one synced write",
                                       {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096});
  Gauge size = metric_gauge("millrace_store_size_bytes", "Bytes of the store on disk");
  Gauge free = metric_gauge("millrace_disk_free_bytes", "Free bytes of the disk of the data directory");
};

// One process a directory: RocksDB takes a lock of its own too, but says so in words that are hard to tell from others.
class DirectoryLock {
 public:
  DirectoryLock(rocksdb::Env* env, const std::string& directory) : env_(env) {
    if (env_->LockFile(directory + "/millrace.lock", &lock_).ok()) {
      rocksdb::WriteStringToFile(env_, std::to_string(::getpid()), directory + "/millrace.pid");
      return;
    }
    std::string pid;
    rocksdb::ReadFileToString(env_, directory + "/millrace.pid", &pid);
    throw Error("store.busy", directory + " is held by " + (pid.empty() ? "another process" : "process " + pid));
  }
  ~DirectoryLock() { env_->UnlockFile(lock_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  rocksdb::Env* env_;
  rocksdb::FileLock* lock_ = nullptr;
};

// The database and what belongs to it; lives until the last read and the last snapshot are done with it.
struct Database {
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<rocksdb::DB> db;
};
using DatabasePtr = std::shared_ptr<Database>;

rocksdb::ReadOptions read_options(const rocksdb::Snapshot* snapshot, bool memory_only) {
  rocksdb::ReadOptions o;
  o.verify_checksums = true;
  o.ignore_range_deletions = true;  // none are ever written: state/rocksdb_batch.h
  o.snapshot = snapshot;
  if (memory_only) o.read_tier = rocksdb::kBlockCacheTier;
  return o;
}

// Status: ok, Incomplete (memory_only: it needs the disk) or thrown.
bool try_get(rocksdb::DB& db, const rocksdb::Snapshot* snapshot, bool memory_only, const std::string& key,
             std::optional<std::string>& out) {
  std::string value;
  const auto status = db.Get(read_options(snapshot, memory_only), db.DefaultColumnFamily(), key, &value);
  if (memory_only && status.IsIncomplete()) return false;
  if (status.IsNotFound()) return true;
  require_ok(status, "a read failed");
  out = std::move(value);
  return true;
}

bool try_scan(rocksdb::DB& db, const rocksdb::Snapshot* snapshot, bool memory_only, const Range& range,
              std::vector<KeyValue>& out) {
  out.clear();
  if (range.limit == 0 || (!range.end.empty() && range.end <= range.begin)) return true;
  auto options = read_options(snapshot, memory_only);
  const rocksdb::Slice lower(range.begin), upper(range.end);
  options.iterate_lower_bound = &lower;
  if (!range.end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
  std::size_t bytes = 0;
  for (range.reverse ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); range.reverse ? it->Prev() : it->Next()) {
    out.push_back({it->key().ToString(), it->value().ToString()});
    bytes += it->key().size() + it->value().size();
    if (out.size() >= range.limit || bytes >= range.max_bytes) break;
  }
  if (memory_only && it->status().IsIncomplete()) return false;
  require_ok(it->status(), "a scan failed");
  return true;
}

asio::awaitable<std::optional<std::string>> get_from(Runtime runtime, DatabasePtr database,
                                                     std::shared_ptr<const rocksdb::Snapshot> snapshot,
                                                     std::string key) {
  std::optional<std::string> value;
  if (try_get(*database->db, snapshot.get(), true, key, value)) co_return value;
  auto work = [&] { try_get(*database->db, snapshot.get(), false, key, value); };
  co_await runtime.blocking(work);
  co_return value;
}

asio::awaitable<std::vector<KeyValue>> scan_from(Runtime runtime, DatabasePtr database,
                                                 std::shared_ptr<const rocksdb::Snapshot> snapshot, Range range) {
  std::vector<KeyValue> rows;
  if (try_scan(*database->db, snapshot.get(), true, range, rows)) co_return rows;
  auto work = [&] { try_scan(*database->db, snapshot.get(), false, range, rows); };
  co_await runtime.blocking(work);
  co_return rows;
}

class RocksDbSnapshot final : public Snapshot {
 public:
  RocksDbSnapshot(Runtime runtime, DatabasePtr database)
      : runtime_(std::move(runtime)),
        database_(std::move(database)),
        snapshot_(database_->db->GetSnapshot(),
                  [database = database_](const rocksdb::Snapshot* s) { database->db->ReleaseSnapshot(s); }) {}
  asio::awaitable<std::optional<std::string>> get(std::string key) override {
    return get_from(runtime_, database_, snapshot_, std::move(key));
  }
  asio::awaitable<std::vector<KeyValue>> scan(Range range) override {
    return scan_from(runtime_, database_, snapshot_, std::move(range));
  }

 private:
  Runtime runtime_;
  DatabasePtr database_;
  std::shared_ptr<const rocksdb::Snapshot> snapshot_;
};

class RocksDbStore final : public Store {
 public:
  RocksDbStore(Runtime runtime, RocksDbOptions options)
      : runtime_(std::move(runtime)),
        options_(std::move(options)),
        floor_(runtime_, probe(), options_.min_free_bytes, options_.disk_check_interval),
        queue_(options_.queue) {
    if (!options_.on_fatal) options_.on_fatal = end_process;
    database_ = open();
    check_format();
    committer_ = runtime_.start_thread("mr-commit", [this] { run(); });
  }
  ~RocksDbStore() override { close_once(); }

  asio::awaitable<std::optional<std::string>> get(std::string key) override {
    return get_from(runtime_, database(), nullptr, std::move(key));
  }
  asio::awaitable<std::vector<KeyValue>> scan(Range range) override {
    return scan_from(runtime_, database(), nullptr, std::move(range));
  }
  asio::awaitable<Commit> commit(Batch batch) override {
    return wait_commit(queue_.push(std::move(batch), runtime_.mono()));
  }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<RocksDbSnapshot>(runtime_, database()); }

  asio::awaitable<BackupInfo> back_up(std::string directory) override {
    const auto db = database();
    auto work = [db, &directory, mutex = backing_up_] {
      std::lock_guard lock(*mutex);  // on the blocking lane: two at once would trip over each other's files
      return make_backup(*db->db, directory);
    };
    co_return co_await runtime_.blocking(work);
  }

  StoreStatus status() override {
    StoreStatus s;
    s.disk_free_bytes = floor_.free_bytes();
    s.accepts_work = !floor_.below() && !disk_full_;
    std::uint64_t tables = 0, buffers = 0;
    const auto db = database();
    db->db->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
    db->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &buffers);
    s.size_bytes = tables + buffers;
    metrics_.size.set(static_cast<double>(s.size_bytes));
    metrics_.free.set(static_cast<double>(s.disk_free_bytes));
    return s;
  }

  void close() override { close_once(); }

 private:
  std::function<DiskSpace()> probe() const {
    if (options_.disk_space) return options_.disk_space;
    if (options_.env != nullptr) {
      // No file system to ask.
      return [] { return DiskSpace{std::uint64_t{1} << 40, std::uint64_t{1} << 40}; };
    }
    return [dir = options_.directory] { return disk_space_of(dir); };
  }

  DatabasePtr open() {
    const auto& dir = options_.directory;
    auto rocks = make_rocksdb_options(options_, [this](bool full) { disk_full_ = full; });
    if (options_.env == nullptr) {
      std::error_code error;
      if (std::filesystem::create_directories(dir, error))
        std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
      if (error) throw Error("store.unavailable", dir + " cannot be made: " + error.message());
    } else {
      require_ok(rocks.env->CreateDirIfMissing(dir), dir + " cannot be made");
    }
    auto database = std::make_shared<Database>();
    database->lock = std::make_unique<DirectoryLock>(rocks.env, dir);
    if (const auto cut = check_and_cut_logs(rocks.env, dir); cut > 0)
      log_info("store: a torn write was cut off", {{"directory", dir}, {"bytes", cut}});
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(rocks, dir, &db);
    database->db.reset(db);
    require_ok(status, dir + " cannot be opened");
    return database;
  }

  void check_format() {
    const std::string key = keys::meta("format");
    std::optional<std::string> value;
    try_get(*database_->db, nullptr, false, key, value);
    if (!value) {
      std::string format;
      append_big_endian(format, kStoreFormat);
      rocksdb::WriteOptions synced;
      synced.sync = true;
      require_ok(database_->db->Put(synced, key, format), options_.directory + " cannot be written");
      return;
    }
    if (value->size() != sizeof kStoreFormat) throw Error("store.corrupt", "the format version cannot be read");
    const auto found = from_big_endian<std::uint32_t>(value->data());
    if (found > kStoreFormat)
      throw Error("store.newer_format", options_.directory + " has format " + std::to_string(found) +
                                            ", this version knows up to " + std::to_string(kStoreFormat));
  }

  DatabasePtr database() const {
    std::lock_guard lock(mutex_);
    if (!database_) throw Error("store.unavailable", "the store is closed");
    return database_;
  }

  // The committer: steps 2 to 4 of state/commit_queue.h.
  void run() {
    while (queue_.wait()) write_group(queue_.take_group());
  }

  void write_group(const CommitGroup& group) {
    std::vector<const Batch*> admitted;
    rocksdb::WriteBatch batch;
    std::exception_ptr refusal;  // nothing is written, and it is known
    try {
      std::size_t bytes = 0;
      for (const auto& p : group) bytes += p->batch.bytes();
      if (disk_full_ || (bytes > 0 && !floor_.admits(bytes))) throw Error("store.disk_full", floor_.text());
      admitted = admit(group, [this](const std::string& key) {
        std::optional<std::string> value;
        try_get(*database_->db, nullptr, false, key, value);
        return value;
      });
      batch = make_write_batch(*database_->db, admitted);
    } catch (...) {
      refusal = std::current_exception();
    }
    if (refusal) return finish(group, runtime_.mono(), refusal);
    if (batch.Count() > 0) {
      const MonoTime begun = runtime_.mono();
      rocksdb::WriteOptions synced;
      synced.sync = true;
      const auto status = database_->db->Write(synced, &batch);
      if (!status.ok()) return fail(group, "a write to " + options_.directory + " failed: " + status.ToString());
      metrics_.fsync.observe(to_seconds(runtime_.mono() - begun));
      metrics_.batches.observe(static_cast<double>(admitted.size()));
    }
    const MonoTime now = runtime_.mono();
    finish(group, now);
    if (now - gauges_set_ >= kGaugeInterval) {
      gauges_set_ = now;
      status();
    }
  }

  // Wakes the waiters. Those of a large group are woken by the pool, so that the next write need not wait for it; then
  // also those of all groups behind it until it is done, since waiters are woken in order.
  void finish(const CommitGroup& group, MonoTime durable, const std::exception_ptr& error = nullptr) {
    constexpr std::size_t kWokenHere = 8;
    auto wake = [group, durable, error, seconds = metrics_.commit]() mutable {
      complete(group, error);
      if (error) return;
      for (const auto& p : group) seconds.observe(to_seconds(durable - p->queued));
    };
    if (group.size() <= kWokenHere && *waking_ == 0) return wake();
    ++*waking_;
    asio::post(waker_, [wake = std::move(wake), waking = waking_]() mutable {
      wake();
      --*waking;
    });
  }

  // Whether the batches reached the disk is unknown, and a second sync of the same log would not tell: only a new start
  // can.
  void fail(const CommitGroup& group, const std::string& text) {
    log_error("store: a write failed, the process ends", {{"text", text}});
    options_.on_fatal(text);
    const auto error = std::make_exception_ptr(Error("store.unavailable", text + "; its outcome is unknown"));
    queue_.fail(error);
    finish(group, runtime_.mono(), error);
  }

  void close_once() {
    queue_.close();
    committer_.reset();  // joins: writes what is queued
    std::lock_guard lock(mutex_);
    database_.reset();
  }

  Runtime runtime_;
  RocksDbOptions options_;
  DiskFloor floor_;
  CommitQueue queue_;
  Metrics metrics_;
  MonoTime gauges_set_{};                // by the committer
  std::atomic<bool> disk_full_ = false;  // as RocksDB's flushes and compactions see it
  const asio::any_io_executor waker_ = runtime_.make_strand();
  const std::shared_ptr<std::atomic<int>> waking_ = std::make_shared<std::atomic<int>>(0);  // groups given to waker_
  mutable std::mutex mutex_;                                                                // database_ against close()
  const std::shared_ptr<std::mutex> backing_up_ = std::make_shared<std::mutex>();
  DatabasePtr database_;
  std::unique_ptr<Thread> committer_;
};

}  // namespace

std::unique_ptr<Store> open_rocksdb_store(Runtime runtime, RocksDbOptions options) {
  return std::make_unique<RocksDbStore>(std::move(runtime), std::move(options));
}

}  // namespace millrace::state
