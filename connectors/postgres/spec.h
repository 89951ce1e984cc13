// What a PostgreSQL source and destination take: JSON Schema with Airbyte's field names, orders and annotations.
#pragma once

#include <string>

namespace millrace::connectors::postgres {

std::string source_spec();
std::string destination_spec();

}  // namespace millrace::connectors::postgres
