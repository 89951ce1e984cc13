// A PostgreSQL configuration as a user writes it: Airbyte's own fields, so that a pasted Airbyte configuration works.
//
// Fields of Airbyte that mean nothing here are taken and named in `warnings`; what we can't do (SSH tunnels,
// Entra) is refused by a code of its own; a field that neither of us knows is refused by the spec before it gets
// here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/secret_file.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

enum class ReadMethod {
  automatic,   // key ranges where there is a key, else one snapshot
  key_ranges,  // like automatic; a table without key is still read under one snapshot
  snapshot,    // ctid ranges in one snapshot: faster and one moment, starts again after a crash
};

// `replication_method: CDC`.
struct ReplicationConfig {
  ReplicationConfig() = default;
  std::string slot, publication;
};

struct PostgresConfig {
  PostgresConfig() = default;
  net::PostgresParameters parameters;
  std::vector<std::string> schemas;  // of a source; empty: all
  std::string schema = "public";     // of a destination
  ReadMethod read_method = ReadMethod::automatic;
  bool xmin = false;                             // of a source: incremental reads by xmin (source_xmin.h)
  std::optional<ReplicationConfig> replication;  // of a source; empty: Standard
  // How long opening a load waits for transactions of an older attempt before it ends their sessions. Not a user's
  // field: tests make it short.
  Duration fence_wait = std::chrono::seconds(10);
  std::vector<std::string> warnings;
  // Certificates that the parameters name by path; they live as long as any copy of this configuration.
  std::vector<std::shared_ptr<SecretFile>> files;
};

// Throw Error: connector.config_invalid, postgres.tunnel_unavailable, postgres.method_unavailable,
// postgres.jdbc_parameter_unknown.
PostgresConfig source_config(const std::string& json);
PostgresConfig destination_config(const std::string& json);

// Configuration JSON from a postgres:// URL, for `millrace copy`.
std::string configuration_from_url(const std::string& url, bool as_source);

}  // namespace millrace::connectors::postgres
