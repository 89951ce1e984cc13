// A file system in memory whose power can be cut.
//
// What survives a cut is what was synced, and an accident:
//  - Of a file: the bytes up to its last sync. Of those behind, nothing, or a first part of any length, in which
//  sectors
//    of 512 bytes may hold zeros although later ones hold data (a disk writes sectors in any order).
//  - Of a directory: its entries as of its last fsync. Of the creations, renames and deletions since, the first few, in
//    their order (as a journaling file system does it), or none. So a new file may be gone, an old name may be back.
//
// cut_after(n) lets n more operations that change something through; from then on all of them fail, as if the process
// had died with the machine, until power_on(). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include <rocksdb/file_system.h>

namespace millrace::state::testing {

class PowerCutFs final : public rocksdb::FileSystem {
 public:
  // The accidents are drawn from `seed`.
  explicit PowerCutFs(std::uint64_t seed);
  ~PowerCutFs() override;

  void cut_after(std::uint64_t operations);
  bool is_cut() const;
  // Drops what did not survive and lets operations through again. All files must be closed.
  void power_on();

  // Totals over all cuts, to see that they did something.
  struct Losses {
    std::uint64_t dropped_bytes = 0;  // that were written and not synced
    std::uint64_t torn_files = 0;     // that kept a part of them
    std::uint64_t zeroed_sectors = 0;
    std::uint64_t dropped_entries = 0;  // directory changes that were not synced
  };
  Losses losses() const;

  const char* Name() const override { return "PowerCutFs"; }
  rocksdb::IOStatus NewSequentialFile(const std::string&, const rocksdb::FileOptions&,
                                      std::unique_ptr<rocksdb::FSSequentialFile>*, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string&, const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>*,
                                        rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewWritableFile(const std::string&, const rocksdb::FileOptions&,
                                    std::unique_ptr<rocksdb::FSWritableFile>*, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>*, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewDirectory(const std::string&, const rocksdb::IOOptions&, std::unique_ptr<rocksdb::FSDirectory>*,
                                 rocksdb::IODebugContext*) override;
  rocksdb::IOStatus FileExists(const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus GetChildren(const std::string&, const rocksdb::IOOptions&, std::vector<std::string>*,
                                rocksdb::IODebugContext*) override;
  rocksdb::IOStatus DeleteFile(const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus CreateDir(const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string&, const rocksdb::IOOptions&,
                                       rocksdb::IODebugContext*) override;
  rocksdb::IOStatus DeleteDir(const std::string&, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus GetFileSize(const std::string&, const rocksdb::IOOptions&, std::uint64_t*,
                                rocksdb::IODebugContext*) override;
  rocksdb::IOStatus GetFileModificationTime(const std::string&, const rocksdb::IOOptions&, std::uint64_t*,
                                            rocksdb::IODebugContext*) override;
  rocksdb::IOStatus RenameFile(const std::string&, const std::string&, const rocksdb::IOOptions&,
                               rocksdb::IODebugContext*) override;
  rocksdb::IOStatus LockFile(const std::string&, const rocksdb::IOOptions&, rocksdb::FileLock**,
                             rocksdb::IODebugContext*) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock*, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus GetTestDirectory(const rocksdb::IOOptions&, std::string*, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus GetAbsolutePath(const std::string&, const rocksdb::IOOptions&, std::string*,
                                    rocksdb::IODebugContext*) override;
  rocksdb::IOStatus IsDirectory(const std::string&, const rocksdb::IOOptions&, bool*,
                                rocksdb::IODebugContext*) override;

 private:
  struct Disk;
  std::shared_ptr<Disk> disk_;
};

}  // namespace millrace::state::testing
