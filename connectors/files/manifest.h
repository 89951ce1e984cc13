// _millrace.json in a stream's directory: whose it is, and the schema of its files. Version 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connectors/destination.h"

namespace millrace::connectors::files {

struct Manifest {
  Manifest() = default;
  std::string connection_id;
  StreamName stream;  // the source's name
  std::int64_t generation = 0;
  Schema schema;
};

// Of this directory; empty if there is none. Throws connector.bad_document.
std::optional<Manifest> read_manifest(const std::string& directory);
void write_manifest(const std::string& directory, const Manifest& manifest);

}  // namespace millrace::connectors::files
