#include "tests/state/power_cut_fs.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <rocksdb/env.h>

namespace millrace::state::testing {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

constexpr std::size_t kSector = 512;

struct Inode {
  std::string content;
  std::size_t synced = 0;  // bytes that survive
};
using InodePtr = std::shared_ptr<Inode>;
using Entries = std::map<std::string, InodePtr>;

// A change of directory entries that is not synced yet: `name` now means `inode` (null: nothing), `gone` nothing.
struct EntryChange {
  std::string name;
  InodePtr inode;
  std::string gone;  // empty: none
};

void apply_change(Entries& entries, const EntryChange& change) {
  if (!change.gone.empty()) entries.erase(change.gone);
  if (change.inode) {
    entries[change.name] = change.inode;
  } else {
    entries.erase(change.name);
  }
}

std::string clean(const std::string& path) {
  std::string out;
  for (const char c : path)
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::string p) : path(std::move(p)) {}
  std::string path;
};

}  // namespace

struct PowerCutFs::Disk {
  explicit Disk(std::uint64_t seed) : random(seed) {}
  mutable std::mutex mutex;
  std::mt19937_64 random;
  Entries now;
  Entries durable;
  std::vector<EntryChange> unsynced;
  std::set<std::string> directories;
  std::map<std::string, std::unique_ptr<Lock>> locks;
  std::optional<std::uint64_t> left;  // operations until the cut
  bool cut = false;
  Losses losses;

  // Under the mutex: counts an operation that changes something. False: the power is gone.
  bool powered() {
    if (!cut && left && (*left)-- == 0) cut = true;
    return !cut;
  }
  static IOStatus dead() { return IOStatus::IOError("the power is cut"); }

  void change(EntryChange c) {
    apply_change(now, c);
    unsynced.push_back(std::move(c));
  }
  void sync_directory(const std::string& dir) {
    std::vector<EntryChange> rest;
    for (auto& c : unsynced) {
      if (parent(c.name) == dir) {
        apply_change(durable, c);
      } else {
        rest.push_back(std::move(c));
      }
    }
    unsynced = std::move(rest);
  }

  void lose() {
    const std::size_t survive = random() % 2 == 0 ? 0 : random() % (unsynced.size() + 1);
    for (std::size_t i = 0; i < survive; ++i) apply_change(durable, unsynced[i]);
    losses.dropped_entries += unsynced.size() - survive;
    unsynced.clear();
    now = durable;
    for (const auto& [name, inode] : now) tear(*inode, name.ends_with(".log"));
  }

  void tear(Inode& file, bool any_order) {
    const std::size_t unsynced_bytes = file.content.size() - file.synced;
    if (unsynced_bytes == 0) return;
    const std::size_t kept = random() % 3 == 0 ? 0 : random() % (unsynced_bytes + 1);
    file.content.resize(file.synced + kept);
    losses.dropped_bytes += unsynced_bytes - kept;
    losses.torn_files += kept > 0;
    if (any_order && kept > 0) {
      for (std::size_t at = file.synced; at < file.content.size();) {
        const std::size_t end = std::min(file.content.size(), (at / kSector + 1) * kSector);
        if (random() % 2 == 0) {
          std::fill(file.content.begin() + static_cast<std::ptrdiff_t>(at),
                    file.content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
          ++losses.zeroed_sectors;
        }
        at = end;
      }
    }
    file.synced = file.content.size();
  }

  InodePtr find(const std::string& path) const {
    const auto it = now.find(clean(path));
    return it == now.end() ? nullptr : it->second;
  }
};

namespace {

// The disk, as the open files see it: reads are let through also after the cut (nobody is left to use them).
template <class DiskPtr>
IOStatus read_at(const DiskPtr& disk, const InodePtr& inode, std::uint64_t offset, std::size_t n, Slice* result,
                 char* scratch) {
  std::lock_guard lock(disk->mutex);
  const std::size_t size = inode->content.size();
  const std::size_t count = offset >= size ? 0 : std::min<std::size_t>(n, size - offset);
  if (count > 0) std::memcpy(scratch, inode->content.data() + offset, count);
  *result = Slice(scratch, count);
  return IOStatus::OK();
}

template <class DiskPtr>
class Sequential final : public rocksdb::FSSequentialFile {
 public:
  Sequential(DiskPtr disk, InodePtr inode) : disk_(std::move(disk)), inode_(std::move(inode)) {}
  IOStatus Read(std::size_t n, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    auto s = read_at(disk_, inode_, at_, n, result, scratch);
    at_ += result->size();
    return s;
  }
  IOStatus Skip(std::uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  DiskPtr disk_;
  InodePtr inode_;
  std::uint64_t at_ = 0;
};

template <class DiskPtr>
class RandomAccess final : public rocksdb::FSRandomAccessFile {
 public:
  RandomAccess(DiskPtr disk, InodePtr inode) : disk_(std::move(disk)), inode_(std::move(inode)) {}
  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return read_at(disk_, inode_, offset, n, result, scratch);
  }

 private:
  DiskPtr disk_;
  InodePtr inode_;
};

template <class DiskPtr>
class Writable final : public rocksdb::FSWritableFile {
 public:
  Writable(DiskPtr disk, InodePtr inode) : disk_(std::move(disk)), inode_(std::move(inode)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    return change([&] { inode_->content.append(data.data(), data.size()); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    return change([&] {
      inode_->content.resize(size);
      inode_->synced = std::min<std::size_t>(inode_->synced, size);
    });
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return change([&] { inode_->synced = inode_->content.size(); });
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex);
    return inode_->content.size();
  }

 private:
  template <class F>
  IOStatus change(F f) {
    std::lock_guard lock(disk_->mutex);
    if (!disk_->powered()) return disk_->dead();
    f();
    return IOStatus::OK();
  }
  DiskPtr disk_;
  InodePtr inode_;
};

template <class DiskPtr>
class OpenDirectory final : public rocksdb::FSDirectory {
 public:
  OpenDirectory(DiskPtr disk, std::string path) : disk_(std::move(disk)), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    std::lock_guard lock(disk_->mutex);
    if (!disk_->powered()) return disk_->dead();
    disk_->sync_directory(path_);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  DiskPtr disk_;
  std::string path_;
};

}  // namespace

PowerCutFs::PowerCutFs(std::uint64_t seed) : disk_(std::make_shared<Disk>(seed)) {}
PowerCutFs::~PowerCutFs() = default;

void PowerCutFs::cut_after(std::uint64_t operations) {
  std::lock_guard lock(disk_->mutex);
  disk_->left = operations;
}
bool PowerCutFs::is_cut() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->cut;
}
void PowerCutFs::power_on() {
  std::lock_guard lock(disk_->mutex);
  disk_->lose();
  disk_->cut = false;
  disk_->left.reset();
  disk_->locks.clear();
}
PowerCutFs::Losses PowerCutFs::losses() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->losses;
}

IOStatus PowerCutFs::NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  auto inode = disk_->find(path);
  if (!inode) return IOStatus::PathNotFound(path);
  *result = std::make_unique<Sequential<std::shared_ptr<Disk>>>(disk_, std::move(inode));
  return IOStatus::OK();
}

IOStatus PowerCutFs::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  auto inode = disk_->find(path);
  if (!inode) return IOStatus::PathNotFound(path);
  *result = std::make_unique<RandomAccess<std::shared_ptr<Disk>>>(disk_, std::move(inode));
  return IOStatus::OK();
}

IOStatus PowerCutFs::NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                     std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  if (!disk_->powered()) return disk_->dead();
  auto inode = std::make_shared<Inode>();
  disk_->change({clean(path), inode, {}});
  *result = std::make_unique<Writable<std::shared_ptr<Disk>>>(disk_, std::move(inode));
  return IOStatus::OK();
}

IOStatus PowerCutFs::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  if (!disk_->powered()) return disk_->dead();
  auto inode = disk_->find(path);
  if (!inode) {
    inode = std::make_shared<Inode>();
    disk_->change({clean(path), inode, {}});
  }
  *result = std::make_unique<Writable<std::shared_ptr<Disk>>>(disk_, std::move(inode));
  return IOStatus::OK();
}

IOStatus PowerCutFs::NewDirectory(const std::string& path, const IOOptions&,
                                  std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  if (!disk_->directories.contains(clean(path))) return IOStatus::PathNotFound(path);
  *result = std::make_unique<OpenDirectory<std::shared_ptr<Disk>>>(disk_, clean(path));
  return IOStatus::OK();
}

IOStatus PowerCutFs::FileExists(const std::string& path, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  return disk_->find(path) || disk_->directories.contains(clean(path)) ? IOStatus::OK() : IOStatus::NotFound(path);
}

IOStatus PowerCutFs::GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                                 IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  result->clear();
  const std::string dir = clean(path);
  if (!disk_->directories.contains(dir)) return IOStatus::NotFound(path);
  for (const auto& [name, _] : disk_->now)
    if (parent(name) == dir) result->push_back(name.substr(dir.size() + 1));
  return IOStatus::OK();
}

IOStatus PowerCutFs::DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  if (!disk_->powered()) return disk_->dead();
  if (!disk_->find(path)) return IOStatus::PathNotFound(path);
  disk_->change({clean(path), nullptr, {}});
  return IOStatus::OK();
}

// Directories are durable at once: there is one, and it is made by the test's first open.
IOStatus PowerCutFs::CreateDir(const std::string& path, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  return disk_->directories.insert(clean(path)).second ? IOStatus::OK() : IOStatus::IOError(path + " exists");
}
IOStatus PowerCutFs::CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  disk_->directories.insert(clean(path));
  return IOStatus::OK();
}
IOStatus PowerCutFs::DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  disk_->directories.erase(clean(path));
  return IOStatus::OK();
}
IOStatus PowerCutFs::IsDirectory(const std::string& path, const IOOptions&, bool* result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  *result = disk_->directories.contains(clean(path));
  return IOStatus::OK();
}

IOStatus PowerCutFs::GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  const auto inode = disk_->find(path);
  if (!inode) return IOStatus::PathNotFound(path);
  *size = inode->content.size();
  return IOStatus::OK();
}
IOStatus PowerCutFs::GetFileModificationTime(const std::string&, const IOOptions&, std::uint64_t* time,
                                             IODebugContext*) {
  *time = 0;
  return IOStatus::OK();
}

IOStatus PowerCutFs::RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  if (!disk_->powered()) return disk_->dead();
  auto inode = disk_->find(from);
  if (!inode) return IOStatus::PathNotFound(from);
  disk_->change({clean(to), std::move(inode), clean(from)});
  return IOStatus::OK();
}

IOStatus PowerCutFs::LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** result, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  auto& held = disk_->locks[clean(path)];
  if (held) return IOStatus::IOError(path + " is locked");
  held = std::make_unique<Lock>(clean(path));
  *result = held.get();
  return IOStatus::OK();
}
IOStatus PowerCutFs::UnlockFile(rocksdb::FileLock* held, const IOOptions&, IODebugContext*) {
  std::lock_guard lock(disk_->mutex);
  disk_->locks.erase(static_cast<Lock*>(held)->path);
  return IOStatus::OK();
}

IOStatus PowerCutFs::GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) {
  *path = "/test";
  return IOStatus::OK();
}
IOStatus PowerCutFs::GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, IODebugContext*) {
  *out = path;
  return IOStatus::OK();
}

}  // namespace millrace::state::testing
