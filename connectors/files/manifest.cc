#include "connectors/files/manifest.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "connectors/catalog_json.h"
#include "connectors/files/io.h"
#include "connectors/files/listing.h"
#include "connectors/read_document.h"

namespace millrace::connectors::files {

using nlohmann::json;

std::optional<Manifest> read_manifest(const std::string& directory) {
  const std::string path = directory + "/" + kManifest;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return read_document(read_whole(path), "_millrace.json", [](const json& j) {
    Manifest m;
    m.connection_id = j.at("connectionId").get<std::string>();
    m.stream = StreamName(j.at("namespace").get<std::string>(), j.at("name").get<std::string>());
    m.generation = j.at("generation").get<std::int64_t>();
    m.schema = schema_value_from_json(j.at("fields"));
    return m;
  });
}

void write_manifest(const std::string& directory, const Manifest& m) {
  const json out{{"version", 1},          {"connectionId", m.connection_id}, {"namespace", m.stream.ns},
                 {"name", m.stream.name}, {"generation", m.generation},      {"fields", schema_to_json(m.schema)}};
  write_whole(directory + "/" + kManifest, out.dump(1) + "\n");
}

}  // namespace millrace::connectors::files
