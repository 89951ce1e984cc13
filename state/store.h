// The store: an ordered key-value map with atomic conditional batches, asynchronous and durable.
//
// Everything that must survive a crash goes through here: histories, resources, job numbers. Keys and values are byte
// strings; keys are ordered bytewise. Their layout is drawn in state/keys.h.
//
// Invariants
//  - A batch is written whole or not at all, and commit() returns only after it is durable (synced).
//  - Batches take effect in the order in which commit() was called. A condition sees the store and all batches queued
//    before its own; a failed condition fails its own batch, never its group.
//  - After a failed write or sync nothing is guessed: the process ends (see RocksDbOptions::on_fatal). Before that, a
//    full disk is met by the free-disk floor: below it commit() throws store.disk_full and nothing is written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/awaitable.h"

namespace millrace::state {

struct KeyValue {
  std::string key;
  std::string value;
};

// A half-open range of keys, read in order.
struct Range {
  Range() = default;
  Range(std::string b, std::string e) : begin(std::move(b)), end(std::move(e)) {}
  std::string begin;                // inclusive
  std::string end;                  // exclusive; empty: to the end of the store
  std::size_t limit = 1'000;        // rows at most
  std::size_t max_bytes = 4 << 20;  // stops after the row that passes this; always at least one row
  bool reverse = false;             // from the end downwards
};
// All keys that begin with `prefix`.
Range prefix_range(std::string_view prefix);

// What one decision changes, and what must hold for it. Operations apply in the order in which they were added; a later
// one on the same key wins. Conditions are looked at before any of them.
class Batch {
 public:
  struct Operation {
    enum class Kind { put, erase, erase_range } kind;
    std::string key;
    std::string value;  // put: the value; erase_range: the exclusive end
  };
  struct Condition {
    std::string key;
    std::optional<std::string> expected;  // empty: the key must be absent
  };

  void put(std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    if (operations_.empty()) operations_.reserve(8);  // a decision's few rows, without moving them about
    operations_.push_back({Operation::Kind::put, std::move(key), std::move(value)});
  }
  void erase(std::string key) {
    bytes_ += key.size();
    operations_.push_back({Operation::Kind::erase, std::move(key), {}});
  }
  // Costs a read and a write for each row in it: for the rows of one run or resource, not for half a store.
  void erase_range(std::string begin, std::string end) {
    bytes_ += begin.size() + end.size();
    operations_.push_back({Operation::Kind::erase_range, std::move(begin), std::move(end)});
  }
  void expect(std::string key, std::string value) { conditions_.push_back({std::move(key), std::move(value)}); }
  void expect_absent(std::string key) { conditions_.push_back({std::move(key), std::nullopt}); }
  // Adds all of `other` behind what is here.
  void append(Batch other);

  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<Condition>& conditions() const { return conditions_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return operations_.empty() && conditions_.empty(); }

 private:
  std::vector<Operation> operations_;
  std::vector<Condition> conditions_;
  std::size_t bytes_ = 0;
};

enum class Commit {
  done,              // durable
  condition_failed,  // nothing was written; read again and decide anew
};

// A backup in a directory that holds any number of them; what they share is kept once (state/backup.h).
struct BackupInfo {
  std::uint32_t id = 0;   // 1, 2, 3 … in its directory
  std::int64_t time = 0;  // seconds since the epoch
  std::uint64_t bytes = 0;
  std::uint32_t files = 0;
};

struct StoreStatus {
  std::uint64_t size_bytes = 0;       // on disk (or in memory)
  std::uint64_t disk_free_bytes = 0;  // of the file system; 0 where there is none
  bool accepts_work = true;           // false below the free-disk floor
};

// A frozen view: reads through it see the store as of its making.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual asio::awaitable<std::optional<std::string>> get(std::string key) = 0;
  virtual asio::awaitable<std::vector<KeyValue>> scan(Range range) = 0;
};

// Thread-safe. Awaitables resume on the caller's executor.
class Store {
 public:
  virtual ~Store() = default;

  // Sees all batches whose commit() has returned; may see later ones.
  // Throws store.corrupt if a checksum does not match.
  virtual asio::awaitable<std::optional<std::string>> get(std::string key) = 0;
  virtual asio::awaitable<std::vector<KeyValue>> scan(Range range) = 0;

  // Queued at the call (before the first suspension), so the order of calls from one strand is the order of effect.
  // Throws store.disk_full (nothing written). Cancelling the wait does not undo the write.
  virtual asio::awaitable<Commit> commit(Batch batch) = 0;

  virtual std::unique_ptr<Snapshot> snapshot() = 0;
  virtual StoreStatus status() = 0;
  // Adds a backup of all that was committed before the call to `directory` (made if it is missing), beside normal work;
  // only what is new since the last one there is copied. Killed in the middle it leaves the earlier ones whole, and its
  // own rest is removed by the next. Throws store.backup_unsupported, store.backup_failed.
  virtual asio::awaitable<BackupInfo> back_up(std::string directory);

  // Takes no new batches (they throw store.unavailable), writes what is queued, closes. Blocking; called once, last.
  virtual void close() = 0;
};

}  // namespace millrace::state
