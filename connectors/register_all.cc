#include "connectors/registry.h"

namespace millrace::connectors {

void register_all(Registry&) {}

}  // namespace millrace::connectors
