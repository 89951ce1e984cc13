#include "connectors/datagen/datagen.h"
#include "connectors/postgres/connector.h"
#include "connectors/registry.h"

namespace millrace::connectors {

void register_all(Registry& registry) {
  registry.add(datagen::connector());
  registry.add(postgres::connector());
}

}  // namespace millrace::connectors
