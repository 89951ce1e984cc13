#include "connectors/postgres/connector.h"
#include "connectors/registry.h"

namespace millrace::connectors {

void register_all(Registry& registry) { registry.add(postgres::connector()); }

}  // namespace millrace::connectors
