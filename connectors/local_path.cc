#include "connectors/local_path.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/errors.h"
#include "connectors/values/values.h"

namespace millrace::connectors {

namespace fs = std::filesystem;

void require_absolute(const std::string& path) {
  if (path.empty() || path[0] != '/') throw Error("path.not_absolute", "\"" + path + "\"");
}

void require_readable_file(const std::string& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) {
    if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
      throw Error("path.not_readable", path + ": " + error.message());
    throw Error("path.missing", path);
  }
  if (fs::is_directory(status)) throw Error("path.not_readable", path + " is a directory");
  if (::access(path.c_str(), R_OK) != 0) throw Error("path.not_readable", path + ": " + std::strerror(errno));
}

void require_writable_directory(const std::string& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw Error("path.missing", "the directory " + path);
  if (!fs::is_directory(status)) throw Error("path.missing", path + " is not a directory");
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    throw Error("path.not_writable", "the directory " + path + ": " + std::strerror(errno));
}

std::string path_of_url(const std::string& url) {
  std::string_view rest = std::string_view(url).substr(std::min(url.size(), url.find(':') + 1));
  rest = rest.substr(0, rest.find('?'));
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (!rest.starts_with('/') && !rest.empty())
      throw Error("connector.config_invalid", "a path on another machine: write " + url.substr(0, url.find(':')) +
                                                  ":///path, or :path for one in this directory");
  }
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    std::string byte;
    if (rest[i] == '%' && i + 2 < rest.size() && values::unhex(rest.substr(i + 1, 2), byte)) {
      path += byte;
      i += 2;
    } else {
      path += rest[i];
    }
  }
  if (path.empty()) throw Error("connector.config_invalid", "the URL has no path");
  return fs::absolute(path).lexically_normal().string();
}

}  // namespace millrace::connectors
