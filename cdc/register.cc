#include "cdc/register.h"

#include <filesystem>

#include "cdc/source.h"

namespace millrace::cdc {

void register_all(connectors::Registry& registry, std::string spill_directory) {
  const connectors::Connector* postgres = registry.by_name("postgres");
  if (postgres == nullptr) return;
  connectors::Connector with = *postgres;
  const connectors::SourceFactory plain = with.make_source;
  with.make_source = [plain, spill_directory](Runtime runtime,
                                              const std::string& configuration) -> std::unique_ptr<connectors::Source> {
    auto config = connectors::postgres::source_config(configuration);
    if (!config.replication) return plain(std::move(runtime), configuration);
    SpoolOptions spool;
    if (!spill_directory.empty()) {
      std::error_code ignored;  // what can't be made here fails by name when it is needed
      std::filesystem::create_directories(spill_directory, ignored);
      spool.directory = spill_directory;
    }
    return std::make_unique<CdcSource>(std::move(runtime), std::move(config), std::move(spool));
  };
  registry.replace(std::move(with));
}

}  // namespace millrace::cdc
