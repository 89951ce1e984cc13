// The destination's end of a feed: changes of all streams of a connection, in transactions that hold the position too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "connectors/change.h"
#include "connectors/destination.h"

namespace millrace::connectors {

// A stream as changes come to it. target.sync_mode is the user's (incremental_append or incremental_deduped_history),
// target.schema the stream's own fields, without those of change_columns.h.
struct ChangeStreamTarget {
  ChangeStreamTarget() = default;
  StreamTarget target;
  bool soft_delete = false;
};

struct ChangeTarget {
  ChangeTarget() = default;
  std::string connection_id;
  std::int64_t generation = 0;  // the jobId; grows
  std::vector<ChangeStreamTarget> streams;
};

struct ChangeCounts {
  ChangeCounts() = default;
  std::int64_t changes = 0;  // committed
  std::int64_t bytes = 0;
};

// Made by Destination::open_changes(), which has put its token on the fence, so that what an older attempt still had on
// its way is either in position() or will never be. Lives on one strand.
class ChangeWriter {
 public:
  virtual ~ChangeWriter() = default;
  // Where the destination stands; empty: nothing was ever followed. Read behind the fence.
  virtual const std::optional<FeedPosition>& position() const = 0;
  // For each stream: it was loaded since it was last followed, or was never followed; the state that its load left, and
  // the position from which on its rows are as old as the log (0: not fixed yet).
  virtual bool fresh(std::size_t stream) const = 0;
  virtual const std::string& load_state(std::size_t stream) const = 0;
  virtual Lsn settled(std::size_t stream) const = 0;
  // Makes durable where reading begins, and `settled` for the fresh streams. Before the first write().
  virtual asio::awaitable<void> begin(FeedPosition at, Lsn settled) = 0;
  // Takes changes into the open transaction.
  virtual asio::awaitable<void> write(const ChangeBatch& batch) = 0;
  // One transaction: all since the last commit, and the position. Throws destination.fenced if a newer attempt has
  // taken over; cdc.row_missing, cdc.value_missing where a change can't be applied without guessing.
  virtual asio::awaitable<void> commit(FeedPosition position) = 0;
  // Of one stream, committed by this writer.
  virtual ChangeCounts counts(std::size_t stream) const = 0;
  // Drops what was not committed. Safe at any time.
  virtual asio::awaitable<void> abort() = 0;
};

}  // namespace millrace::connectors
