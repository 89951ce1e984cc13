// Which streams the patterns of a connection have met, so that one that is new can be told from the rest: whether it is
// taken is the word of nonBreakingSchemaUpdatesBehavior.
//
//   propagate_fully      taken
//   propagate_columns    left out and said (columns propagate, streams don't)
//   ignore               left out and said
//   disable_connection   left out, and the connection is to be made inactive; making it active again takes them
//
// What a pattern matches when it is first looked at is what its author saw: all of that is taken. Streams that are
// named without `*` are asked for by name and never new.
//
// Row `resource` of kind "known_streams", id of the connection:
//   {"v":1, "entries": [{"namespace", "name", "streams": [[namespace, name], ...]}], "stopped": {"job", "streams"}}
// entries: patterns as written, without "namespace" where the entry has none. stopped: the job that found new ones
// under disable_connection, so that its step may be run again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/awaitable.h"
#include "connectors/schema.h"
#include "state/store.h"

namespace millrace::resources {

struct NewStreams {
  NewStreams() = default;
  std::vector<connectors::StreamName> taken;     // are known from now on
  std::vector<connectors::StreamName> left_out;  // are not to be moved by this job
  bool disable = false;                          // the connection is to be made inactive
};

std::string known_streams_key(const std::string& connection_id);

// Looks at what a job of the connection has discovered, and remembers it. Throws store.corrupt, resource.conflict.
asio::awaitable<NewStreams> find_new_streams(std::shared_ptr<state::Store> store, std::string connection_id,
                                             std::string connection_spec,
                                             std::vector<connectors::StreamName> discovered, std::int64_t job_id);

}  // namespace millrace::resources
