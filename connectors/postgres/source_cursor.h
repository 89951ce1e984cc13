// What an incremental read by cursor is to read: see source_cursor.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/postgres/bounds.h"
#include "connectors/source.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

struct CursorRead {
  CursorRead() = default;
  bool first = false;                  // no load of this cursor before: everything is read
  bool nothing_new = false;            // no row needs to be read
  std::optional<CursorBounds> bounds;  // empty: no row has a usable cursor
  std::string state;                   // after the rows within the bounds
  std::vector<std::string> notes;
};

// Throws connector.schema_changed, connector.bad_document (of the state).
asio::awaitable<CursorRead> look_at_cursor(net::PostgresSession& session, ConfiguredStream stream, char relation_kind);

}  // namespace millrace::connectors::postgres
