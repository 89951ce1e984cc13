// Configuration of an SQLite source or destination, its specification, and the connector itself.
#pragma once

#include <string>

#include "common/time_point.h"
#include "connectors/registry.h"

namespace millrace::connectors::sqlite {

struct SqliteConfig {
  SqliteConfig() = default;
  std::string path;                                  // absolute
  Duration busy_timeout = std::chrono::seconds(10);  // how long a lock of another program is waited for
  bool unfit_as_null = false;  // a value that does not fit its column's type: null instead of an error
};

// Throws connector.config_invalid, path.not_absolute.
SqliteConfig sqlite_config(const std::string& json);
Connector connector();

}  // namespace millrace::connectors::sqlite
