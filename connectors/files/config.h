// Configuration of files as a source or destination, its specification, and the connector itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/registry.h"
#include "connectors/schema.h"

namespace millrace::connectors::files {

enum class Format { automatic, csv, jsonl };
enum class Compression { automatic, none, gzip, zstd };

struct FilesConfig {
  FilesConfig() = default;
  std::string path;  // absolute: a directory, a file or a pattern (source); a directory (destination)
  Format format = Format::automatic;
  Compression compression = Compression::automatic;
  // CSV
  char delimiter = ',';
  bool header = true;
  std::string null_value;  // what null is written as, unquoted
  // Source
  std::string stream;          // all files are one stream of this name
  std::vector<Field> columns;  // given, in place of those that a sample shows
  std::int64_t sample_rows = 1'000;
  bool file_columns = false;  // _ab_source_file_url, _ab_source_file_last_modified
  std::string rejects;        // directory for rows that do not fit; empty: the first one is an error
};

// Throws connector.config_invalid.
FilesConfig source_config(const std::string& json);
FilesConfig destination_config(const std::string& json);
Connector connector();

// By the name's endings: "orders.csv.gz". Automatic where they say nothing.
Format format_of_name(const std::string& name);
Compression compression_of_name(const std::string& name);

}  // namespace millrace::connectors::files
