// What changed at the source since a stream's last load, and what becomes of it by the connection's policy.
//
//   change                propagate_columns,     ignore                              disable_connection
//                         propagate_fully
//   field_added           applied: a new column  ignored: not read                   stop
//   field_dropped         applied: the column    the same                            stop
//                         keeps what it has
//   field_renamed         applied: the column    ignored: its column keeps its name  stop
//                         is renamed
//   field_retyped         applied: the column    ignored: values are cast to the old stop
//                         is altered, or the     type, what does not fit is
//                         load fails             quarantined
//   key_changed           breaking where the mode dedupes: the stream stops until it is refreshed; else applied
//
// Columns are the same by the source's own identity (attnum) where it has one, so a rename is told from a drop and an
// add. Streams that come and go are told by resources/known_streams.h and by the plan.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "connectors/schema.h"
#include "resources/stream_schemas.h"

namespace millrace::workflows {

struct SchemaChange {
  SchemaChange() = default;
  std::string change;         // field_added, ...
  std::string field;          // as it is called now (a dropped one: as it was)
  std::string before, after;  // types, names or keys, as the change has them
  std::string column;         // at the destination, as the last load had it
  std::string decision;       // applied, ignored, stop
};

// Of one stream. `policy`: nonBreakingSchemaUpdatesBehavior; `job_id` for what the same job had stopped for.
std::vector<SchemaChange> changes_of(const resources::StreamSchema& known, const connectors::Stream& now,
                                     const std::vector<std::string>& selected, const std::string& policy,
                                     std::int64_t job_id);

nlohmann::json to_json(const std::vector<SchemaChange>& changes);
std::vector<SchemaChange> schema_changes_from_json(const nlohmann::json& list);
// "field x (text) was added", for people.
std::string describe(const SchemaChange& change);

}  // namespace millrace::workflows
