#include "resources/job_numbers.h"

#include <charconv>

#include "common/errors.h"
#include "state/keys.h"

namespace millrace::resources {

asio::awaitable<std::int64_t> JobNumbers::next() {
  const std::string key = state::keys::counter("job");
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (next_ < end_) co_return next_++;
    }
    // Two callers may draw a block each at once: the condition gives them different ones.
    const auto row = co_await store_->get(key);
    std::int64_t first = 1;
    if (row) {
      const auto [end, error] = std::from_chars(row->data(), row->data() + row->size(), first);
      if (error != std::errc() || end != row->data() + row->size())
        throw Error("store.corrupt", "the counter of jobs is no number");
    }
    state::Batch batch;
    if (row)
      batch.expect(key, *row);
    else
      batch.expect_absent(key);
    batch.put(key, std::to_string(first + kBlock));
    const auto commit = co_await store_->commit(std::move(batch));
    if (commit != state::Commit::done) continue;
    std::lock_guard lock(mutex_);
    // The newer block is the one to go on with: a job that starts later must not get a smaller number, since numbers
    // are generations at destinations.
    if (first > next_ || next_ == end_) {
      next_ = first;
      end_ = first + kBlock;
    }
    co_return next_++;
  }
}

}  // namespace millrace::resources
