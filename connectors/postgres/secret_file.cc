#include "connectors/postgres/secret_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace millrace::connectors::postgres {

SecretFile::SecretFile(std::string_view content) : fd_(::memfd_create("millrace-secret", MFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::system_category(), "memfd_create");
  ::fchmod(fd_, 0600);  // libpq refuses a key that others may read
  while (!content.empty()) {
    const ssize_t n = ::write(fd_, content.data(), content.size());
    if (n < 0) {
      const int error = errno;
      ::close(fd_);
      throw std::system_error(error, std::system_category(), "write of a secret file");
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
}

SecretFile::~SecretFile() { ::close(fd_); }
std::string SecretFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

}  // namespace millrace::connectors::postgres
