// A file that libpq can open by path and that never is on a disk: certificates and keys come as text in a
// configuration.
#pragma once

#include <string>
#include <string_view>

namespace millrace::connectors::postgres {

// An anonymous file in memory (memfd_create(2)), readable by this user only; gone with this object.
class SecretFile {
 public:
  // Throws std::system_error if the kernel gives no such file.
  explicit SecretFile(std::string_view content);
  ~SecretFile();
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  std::string path() const;

 private:
  int fd_;
};

}  // namespace millrace::connectors::postgres
