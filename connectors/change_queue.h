// ChangeQueue: the bounded way from a feed to a change writer. Like Pipe, for ChangeBatches.
//
// Bounded in bytes; an empty queue takes any batch. The ends may live on different strands.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>

#include "common/event.h"
#include "connectors/change.h"

namespace millrace::connectors {

class ChangeQueue final : public ChangeSink {
 public:
  explicit ChangeQueue(std::size_t max_bytes = kDefaultBytes) : max_bytes_(max_bytes) {}

  asio::awaitable<void> write(ChangeBatch batch) override;  // throws Cancelled once the reader closed its end
  // Writer: no more batches. With an error, the reader gets it after what is queued.
  void close_writer(std::exception_ptr error = nullptr);

  // Reader: the next batch, or empty at the end.
  asio::awaitable<std::optional<ChangeBatch>> read();
  void close_reader();
  bool empty() const;

  static constexpr std::size_t kDefaultBytes = 4 << 20;

 private:
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::deque<ChangeBatch> batches_;
  std::size_t bytes_ = 0;
  bool writer_closed_ = false, reader_closed_ = false;
  std::exception_ptr error_;
  Event room_, filled_;
};

}  // namespace millrace::connectors
