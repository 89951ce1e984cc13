// Files read and written in pieces, with gzip and zstd between. Blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/files/config.h"

namespace millrace::connectors::files {

// A file's bytes, decompressed; several gzip members or zstd frames in a row are one.
class InputFile {
 public:
  virtual ~InputFile() = default;
  // Replaces `out` by the next bytes; false at the end. Throws path.*, files.bad_compression.
  virtual bool read(std::string& out) = 0;
};
std::unique_ptr<InputFile> open_input(const std::string& path, Compression compression);

// Compresses `bytes` as one whole gzip member or zstd frame, or returns them as they are.
std::string compressed(std::string_view bytes, Compression compression);

// A file descriptor that is closed with its object.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// All throw path.missing, path.not_readable, path.not_writable, path.disk_full, files.io_failed; `path` is named.
Descriptor open_for_append(const std::string& path, std::int64_t size);  // cut to `size` bytes first; made if missing
void append_all(const Descriptor& file, std::string_view bytes, const std::string& path);
void sync_file(const Descriptor& file, const std::string& path);
void sync_directory(const std::string& path);
// Whole content in place of what is there: written aside, synced, renamed, the directory synced.
void write_whole(const std::string& path, std::string_view content);
std::string read_whole(const std::string& path);
// rename(2), both directories synced.
void rename_synced(const std::string& from, const std::string& to);
// Two directories change places in one step, where the file system can do that; else by way of a third name.
void exchange(const std::string& one, const std::string& other);
void make_directories(const std::string& path);
[[noreturn]] void throw_errno(const std::string& path);

// The lock on a stream's state: exclusive, across processes, until it is destroyed. Waits.
class FileLock {
 public:
  explicit FileLock(const std::string& path);

 private:
  Descriptor file_;
};

}  // namespace millrace::connectors::files
