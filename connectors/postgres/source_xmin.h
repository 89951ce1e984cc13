// Incremental reads by xmin, for tables without a cursor (`replication_method: {method: Xmin}`).
//
// Each row version carries the transaction that wrote it. The plan notes the oldest transaction that is still open, and
// the next job reads the rows written by it or a later one. So rows of transactions that were open meanwhile come
// twice, and none is missed. Limits: deletes are not seen; every read looks through the whole table (no index has
// xmin); a table restored or rewritten as a whole comes again as a whole; after 2^31 transactions without a job all
// rows are read again, since the server's counter can't tell old from new then.
//
// State, in the form of Airbyte's source-postgres 3.x:
//   {"version":2, "state_type":"xmin", "stream_name", "stream_namespace", "num_wraparound":0, "xmin_xid_value":741,
//    "xmin_raw_value":741}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/source.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

struct XminRead {
  XminRead() = default;
  std::optional<std::string> from;  // a transaction id; empty: everything is read
  std::string state;
  std::vector<std::string> notes;
};

// Throws connector.bad_document (of the state).
asio::awaitable<XminRead> look_at_xmin(net::PostgresSession& session, ConfiguredStream stream);

}  // namespace millrace::connectors::postgres
