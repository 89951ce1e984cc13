// The PostgreSQL connector, for the registry.
#pragma once

#include "connectors/registry.h"

namespace millrace::connectors::postgres {

Connector connector();

}  // namespace millrace::connectors::postgres
