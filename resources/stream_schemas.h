// The fields of each stream as its destination last took them: what a job compares the source's with.
//
// Written when a load is published, so a change that no load has carried through is a change still. Under the policy
// disable_connection the change that stopped the connection is kept beside it: once somebody has made the connection
// active again, that very schema is taken.
//
// Row `resource` of kind "stream_schema/<connection>", id "<namespace>\0<name>":
//   {"v":1, "job", "fields": [[id, name, column, type], ...], "key": [...],
//                       "stopped": {"job", "fields": [...]}}    id: the source's own identity of a column, 0: none
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/schema.h"
#include "state/store.h"

namespace millrace::resources {

struct KnownField {
  KnownField() = default;
  std::int32_t id = 0;
  std::string name;    // at the source
  std::string column;  // at the destination
  std::string type;    // at the source, in its own word
  bool operator==(const KnownField&) const = default;
};

struct StreamSchema {
  StreamSchema() = default;
  connectors::StreamName stream;
  std::int64_t job = 0;  // whose load took it
  std::vector<KnownField> fields;
  std::vector<std::string> key;  // the fields' names at the source, where the mode needs a key
  std::int64_t stopped_job = 0;  // 0: none
  std::vector<KnownField> stopped;
};

// Key prefix of a connection's rows.
std::string stream_schemas_prefix(const std::string& connection_id);

// Of the fields that a source has now, without columns: what `stopped` holds.
std::vector<KnownField> fields_of(const connectors::Schema& schema);

asio::awaitable<std::vector<StreamSchema>> stream_schemas(std::shared_ptr<state::Store> store,
                                                          std::string connection_id);
// Replaces what is there; that of a later job stays.
asio::awaitable<void> put_stream_schema(std::shared_ptr<state::Store> store, std::string connection_id,
                                        StreamSchema schema);

}  // namespace millrace::resources
