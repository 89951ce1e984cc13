#include "connectors/datagen/datagen.h"
#include "connectors/files/config.h"
#include "connectors/postgres/connector.h"
#include "connectors/registry.h"
#include "connectors/sqlite/config.h"

namespace millrace::connectors {

void register_all(Registry& registry) {
  registry.add(datagen::connector());
  registry.add(files::connector());
  registry.add(postgres::connector());
  registry.add(sqlite::connector());
}

}  // namespace millrace::connectors
