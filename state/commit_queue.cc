#include "state/commit_queue.h"

#include "common/errors.h"
#include "state/overlay.h"

namespace millrace::state {

CommitQueue::CommitQueue(CommitQueueOptions options) : options_(options) {}

PendingPtr CommitQueue::push(Batch batch, MonoTime now) {
  auto pending = std::make_shared<PendingCommit>(std::move(batch), now);
  const std::size_t bytes = pending->batch.bytes();
  std::unique_lock lock(mutex_);
  if (refusal_) return refused_commit(refusal_);
  if (!queue_.empty() && queued_bytes_ + bytes > options_.max_queued_bytes) {
    return refused_commit(std::make_exception_ptr(
        Error("store.overloaded", std::to_string(queued_bytes_) + " bytes wait to be written, the bound is " +
                                      std::to_string(options_.max_queued_bytes))));
  }
  queued_bytes_ += bytes;
  queue_.push_back(pending);
  const bool was_empty = queue_.size() == 1;
  lock.unlock();
  if (was_empty) filled_.notify_one();
  return pending;
}

bool CommitQueue::wait() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return !queue_.empty() || refusal_; });
  return !queue_.empty();
}

CommitGroup CommitQueue::take_group() {
  CommitGroup group;
  std::size_t bytes = 0;
  std::lock_guard lock(mutex_);
  while (!queue_.empty() && group.size() < options_.max_group_batches) {
    const std::size_t next = queue_.front()->batch.bytes();
    if (!group.empty() && bytes + next > options_.max_group_bytes) break;
    bytes += next;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return group;
}

bool CommitQueue::empty() const {
  std::lock_guard lock(mutex_);
  return queue_.empty();
}

void CommitQueue::close() {
  {
    std::lock_guard lock(mutex_);
    if (!refusal_) refusal_ = std::make_exception_ptr(Error("store.unavailable", "the store is closed"));
  }
  filled_.notify_all();
}

void CommitQueue::fail(std::exception_ptr error) {
  std::deque<PendingPtr> dropped;
  {
    std::lock_guard lock(mutex_);
    refusal_ = error;
    dropped.swap(queue_);
    queued_bytes_ = 0;
  }
  filled_.notify_all();
  complete(CommitGroup(dropped.begin(), dropped.end()), error);
}

PendingPtr refused_commit(std::exception_ptr error) {
  auto pending = std::make_shared<PendingCommit>(Batch(), MonoTime());
  pending->error = std::move(error);
  pending->done.set();
  return pending;
}

asio::awaitable<Commit> wait_commit(PendingPtr pending) {
  co_await pending->done.wait();
  if (pending->error) std::rethrow_exception(pending->error);
  co_return pending->outcome;
}

namespace {

bool holds(const Batch::Condition& condition, const Overlay& overlay, const ReadForCondition& read) {
  const auto look = overlay.find(condition.key);
  switch (look.found) {
    case Overlay::Found::absent:
      return !condition.expected;
    case Overlay::Found::present:
      return condition.expected && *condition.expected == look.value;
    case Overlay::Found::unknown:
      break;
  }
  return read(condition.key) == condition.expected;
}

}  // namespace

std::vector<const Batch*> admit(const CommitGroup& group, const ReadForCondition& read) {
  std::vector<const Batch*> admitted;
  admitted.reserve(group.size());
  Overlay overlay;
  for (const auto& pending : group)
    for (const auto& condition : pending->batch.conditions()) overlay.watch(condition.key);
  for (const auto& pending : group) {
    bool ok = true;
    try {
      for (const auto& condition : pending->batch.conditions()) ok = ok && holds(condition, overlay, read);
    } catch (...) {
      pending->error = std::current_exception();
      continue;
    }
    if (!ok) {
      pending->outcome = Commit::condition_failed;
      continue;
    }
    overlay.apply(pending->batch);
    admitted.push_back(&pending->batch);
  }
  return admitted;
}

void complete(const CommitGroup& group, const std::exception_ptr& error) {
  for (const auto& pending : group) {
    if (error && !pending->error && pending->outcome == Commit::done) pending->error = error;
    pending->done.set();
  }
}

}  // namespace millrace::state
