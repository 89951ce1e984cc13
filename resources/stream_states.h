// The state of each stream of a connection: what its next job starts from, as revisions that a person can see and edit.
//
// A state is the source's own JSON (connectors/source.h, SplitPlan::state). A load leaves one when it is published; a
// person may put another in its place, or none, which makes everything new. Which of the two holds is told by the job
// number: a state that was put down after job 7 stands against what job 7 and earlier ones left at the destination, and
// job 8 replaces it.
//
// Row `stream_state`: {"v":1, "revisions": [{"revision", "state": {...} or null, "job", "author", "us"}]}, the newest
// last, kRevisionsKept of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/time_point.h"
#include "connectors/schema.h"
#include "state/store.h"

namespace millrace::resources {

struct StreamState {
  StreamState() = default;
  connectors::StreamName stream;
  std::int64_t revision = 0;
  std::string state;     // JSON object; empty: none, the next job reads everything
  std::int64_t job = 0;  // the job that left it, or the last one before a person put it down
  std::string author;    // "job", or who put it down
  WallTime time;
};

inline constexpr std::size_t kRevisionsKept = 50;

// The newest revision of each stream that has one, by name.
asio::awaitable<std::vector<StreamState>> stream_states(std::shared_ptr<state::Store> store, std::string connection_id);
// All kept revisions of one stream, the newest first; empty if it has none.
asio::awaitable<std::vector<StreamState>> stream_state_history(std::shared_ptr<state::Store> store,
                                                               std::string connection_id,
                                                               connectors::StreamName stream);
// Adds a revision. What a job leaves is dropped where a later job's, or a person's after a later job, stands; the same
// state from the same job again adds nothing. Returns the newest one then.
asio::awaitable<StreamState> put_stream_state(std::shared_ptr<state::Store> store, std::string connection_id,
                                              StreamState state);

}  // namespace millrace::resources
