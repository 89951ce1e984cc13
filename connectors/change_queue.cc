#include "connectors/change_queue.h"

#include <utility>

#include "common/errors.h"

namespace millrace::connectors {

// An event is reset under the mutex by the side that is about to wait, and set after the change that it waits for.
asio::awaitable<void> ChangeQueue::write(ChangeBatch batch) {
  const std::size_t size = batch.size();
  for (;;) {
    bool pushed = false;
    {
      std::lock_guard lock(mutex_);
      if (reader_closed_) throw Cancelled();
      if (batches_.empty() || bytes_ + size <= max_bytes_) {
        batches_.push_back(std::move(batch));
        bytes_ += size;
        pushed = true;
      } else {
        room_.reset();
      }
    }
    if (pushed) {
      filled_.set();
      co_return;
    }
    co_await room_.wait();
  }
}

void ChangeQueue::close_writer(std::exception_ptr error) {
  {
    std::lock_guard lock(mutex_);
    if (writer_closed_) return;
    writer_closed_ = true;
    error_ = std::move(error);
  }
  filled_.set();
}

asio::awaitable<std::optional<ChangeBatch>> ChangeQueue::read() {
  for (;;) {
    std::optional<ChangeBatch> out;
    bool ended = false;
    {
      std::lock_guard lock(mutex_);
      if (!batches_.empty()) {
        out.emplace(std::move(batches_.front()));
        batches_.pop_front();
        bytes_ -= out->size();
      } else if (reader_closed_) {
        throw Cancelled();
      } else if (writer_closed_) {
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
        ended = true;
      } else {
        filled_.reset();
      }
    }
    if (out) room_.set();
    if (out || ended) co_return out;
    co_await filled_.wait();
  }
}

void ChangeQueue::close_reader() {
  {
    std::lock_guard lock(mutex_);
    reader_closed_ = true;
    batches_.clear();
    bytes_ = 0;
  }
  room_.set();
  filled_.set();
}

bool ChangeQueue::empty() const {
  std::lock_guard lock(mutex_);
  return batches_.empty();
}

}  // namespace millrace::connectors
