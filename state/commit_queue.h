// Group commit: many batches, one synced write.
//
// A sync costs about 0.1 ms whether it carries one batch or a thousand, so batches are not written one by one:
//
//   commit() ──push──► queue ──take_group──► admit ──► one synced write ──► complete, in order
//
//  1. Callers push their batch and wait. Pushing is the point that orders batches.
//  2. One committer takes everything that is queued (up to the bounds below) as one group. It waits only while the
//     queue is empty; it never sleeps to gather more. While it syncs, the next group gathers by itself: the busier the
//     store, the larger the groups.
//  3. admit() looks at the conditions, batch by batch in order, against the store as it is plus an overlay of what the
//     batches before it in this group will change. A batch whose condition fails is left out, and what it would have
//     changed is not in the overlay; the others don't notice.
//  4. The group is written as one unit and synced once. Only then complete() resumes the waiters, in order.
//
// The queue itself has no thread and no disk: the RocksDB store runs steps 2 to 4 on a thread, the in-memory store on a
// strand. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/event.h"
#include "common/time_point.h"
#include "state/store.h"

namespace millrace::state {

// One commit() on its way.
struct PendingCommit {
  PendingCommit(Batch b, MonoTime t) : batch(std::move(b)), queued(t) {}
  Batch batch;
  MonoTime queued;
  Commit outcome = Commit::done;
  std::exception_ptr error;  // thrown to the waiter instead of the outcome
  Event done;
};
using PendingPtr = std::shared_ptr<PendingCommit>;
using CommitGroup = std::vector<PendingPtr>;

struct CommitQueueOptions {
  CommitQueueOptions() = default;
  std::size_t max_group_bytes = std::size_t{4} << 20;    // of one synced write; a larger batch goes alone
  std::size_t max_group_batches = 4'096;                 // of one synced write
  std::size_t max_queued_bytes = std::size_t{64} << 20;  // waiting; beyond: store.overloaded. An empty queue takes any
};

class CommitQueue {
 public:
  explicit CommitQueue(CommitQueueOptions options = CommitQueueOptions());

  // Queues the batch. A refusal (store.unavailable after close(), store.overloaded) is a pending commit that is already
  // completed with its error.
  PendingPtr push(Batch batch, MonoTime now);
  // Blocks until something is queued. False: the queue was closed and is empty.
  bool wait();
  // What goes into the next synced write; empty if nothing is queued.
  CommitGroup take_group();
  bool empty() const;

  // From now on push() refuses; what is queued can still be taken.
  void close();
  // close(), and throws what is queued away: its waiters get `error`.
  void fail(std::exception_ptr error);

 private:
  const CommitQueueOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<PendingPtr> queue_;
  std::size_t queued_bytes_ = 0;
  std::exception_ptr refusal_;
};

// A pending commit that has already failed with `error`.
PendingPtr refused_commit(std::exception_ptr error);
// Waits for a pending commit and returns or throws what became of it. Cancelling it leaves the batch in the queue.
asio::awaitable<Commit> wait_commit(PendingPtr pending);

// Looks at all conditions of `group` and returns the batches to write, in order. Sets the outcome of those left out. If
// `read` throws, the batch that asked gets that error and nothing else happens to its group.
using ReadForCondition = std::function<std::optional<std::string>(const std::string& key)>;
std::vector<const Batch*> admit(const CommitGroup& group, const ReadForCondition& read);

// Wakes the waiters of `group` in order. With `error`, those without an outcome of their own (a failed condition, a
// failed read) get it.
void complete(const CommitGroup& group, const std::exception_ptr& error = nullptr);

}  // namespace millrace::state
