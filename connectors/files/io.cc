#include "connectors/files/io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/errors.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;

void throw_errno(const std::string& path) {
  const std::string detail = path + ": " + std::strerror(errno);
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      throw Error("path.missing", detail);
    case EACCES:
    case EPERM:
    case EROFS:
      throw Error("path.not_writable", detail);
    case ENOSPC:
    case EDQUOT:
      throw Error("path.disk_full", detail);
    default:
      throw Error("files.io_failed", detail);
  }
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor open_for_append(const std::string& path, std::int64_t size) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0 || ::ftruncate(file.get(), size) != 0 || ::lseek(file.get(), 0, SEEK_END) < 0) throw_errno(path);
  return file;
}

void append_all(const Descriptor& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno(path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_file(const Descriptor& file, const std::string& path) {
  if (::fsync(file.get()) != 0) throw_errno(path);
}

void sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) throw_errno(path);
}

void write_whole(const std::string& path, std::string_view content) {
  const std::string aside = path + ".new";
  {
    const Descriptor file = open_for_append(aside, 0);
    append_all(file, content, aside);
    sync_file(file, aside);
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) throw_errno(path);
  sync_directory(fs::path(path).parent_path().string());
}

std::string read_whole(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw_errno(path);
  std::string out;
  char buffer[64 << 10];
  for (;;) {
    const auto n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno(path);
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
  }
}

void rename_synced(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_errno(from);
  const auto a = fs::path(from).parent_path(), b = fs::path(to).parent_path();
  sync_directory(b.string());
  if (a != b) sync_directory(a.string());
}

void exchange(const std::string& one, const std::string& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) throw_errno(one);
    const std::string third = one + ".former";
    std::error_code ignored;
    fs::remove_all(third, ignored);
    if (::rename(other.c_str(), third.c_str()) != 0) throw_errno(other);
    if (::rename(one.c_str(), other.c_str()) != 0) throw_errno(one);
    if (::rename(third.c_str(), one.c_str()) != 0) throw_errno(third);
  }
  sync_directory(fs::path(one).parent_path().string());
  sync_directory(fs::path(other).parent_path().string());
}

// Each level that is made is synced into the one above.
void make_directories(const std::string& path) {
  const fs::path p(path);
  std::error_code error;
  if (fs::is_directory(p, error)) return;
  if (p.has_parent_path() && p.parent_path() != p) make_directories(p.parent_path().string());
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) throw_errno(path);
  sync_directory(p.parent_path().string());
}

FileLock::FileLock(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (file_.get() < 0) throw_errno(path);
  while (::flock(file_.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw_errno(path);
}

}  // namespace millrace::connectors::files
