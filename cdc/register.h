// Gives the PostgreSQL connector its method CDC.
#pragma once

#include <string>

#include "connectors/registry.h"

namespace millrace::cdc {

// After connectors::register_all(). `spill_directory`: for open transactions that don't fit into memory; empty: the
// system's temporary directory. Made where it is missing.
void register_all(connectors::Registry& registry, std::string spill_directory);

}  // namespace millrace::cdc
