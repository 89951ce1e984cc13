// Which files there are, and which stream each belongs to. Blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/files/config.h"
#include "connectors/schema.h"

namespace millrace::connectors::files {

struct DataFile {
  DataFile() = default;
  std::string path;
  std::int64_t size = 0;
  std::int64_t modified_us = 0;  // since 1970
};

struct FoundStream {
  FoundStream() = default;
  StreamName name;
  std::vector<DataFile> files;           // ordered by path
  std::optional<Schema> written_schema;  // of a directory that a files destination wrote
};

// Ordered by name. Names that begin with "." or "_" are nobody's data.
//   a directory   each directory below it with data files is a stream, named like it, its namespace the path between; a
//                 data file directly in it is a stream of its own
//   a pattern     all files that fit are one stream: *, ?, [a-z] within a name, ** over any directories
// Throws path.missing, path.not_readable.
std::vector<FoundStream> find_streams(const FilesConfig& config);

inline constexpr const char* kManifest = "_millrace.json";

}  // namespace millrace::connectors::files
