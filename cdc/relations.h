// What the server has said about tables in this connection, and how their columns meet the fields of our streams.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdc/pgoutput.h"
#include "connectors/change.h"

namespace millrace::cdc {

// A table as its last Relation message described it.
struct MappedRelation {
  MappedRelation() = default;
  std::string ns, name;
  char identity = 'd';
  std::vector<PgColumn> columns;
  int stream = -1;                   // index in the feed's list; -1: nobody wants it
  std::vector<int> column_of;        // for each field of the stream: index in columns; -1: the table had no such column
  std::vector<std::string> unknown;  // columns that the stream's table did not have when its schema was looked at
};

class RelationCache {
 public:
  explicit RelationCache(const std::vector<connectors::FeedStream>& streams);
  // Takes a Relation message. The returned reference is good until the next call with the same oid.
  const MappedRelation& put(const PgMessage& message);
  // Throws cdc.bad_message for a table that was never described.
  const MappedRelation& at(std::uint32_t oid) const;

 private:
  const std::vector<connectors::FeedStream>& streams_;
  std::map<connectors::StreamName, int> by_name_;
  std::map<std::uint32_t, MappedRelation> relations_;
};

// Appends what an Insert, Update or Delete says to `batch` as a change of relation.stream, whose place, operation and
// usual form (text or not, for rows without any value) `change` holds. Values that an update left alone are taken from
// the old row where it was sent. Throws cdc.bad_message where the tuples don't have the relation's width.
void append_change(const MappedRelation& relation, const PgMessage& message, connectors::Change change,
                   connectors::ChangeBatch& batch);

}  // namespace millrace::cdc
