// Files of this machine as sources and destinations: what can be said of a path before it is opened. Blocking.
#pragma once

#include <string>

namespace millrace::connectors {

// Throws path.not_absolute.
void require_absolute(const std::string& path);
// A file that is there and can be read. Throws path.missing, path.not_readable.
void require_readable_file(const std::string& path);
// A directory that is there, and in which files can be made. Throws path.missing, path.not_writable.
void require_writable_directory(const std::string& path);

// The path of "scheme:/a/b", "scheme:///a/b" and "scheme:b", up to a "?"; the last against the working directory, since
// such a URL is written on a command line. Percent-escapes are undone. Throws connector.config_invalid.
std::string path_of_url(const std::string& url);

}  // namespace millrace::connectors
