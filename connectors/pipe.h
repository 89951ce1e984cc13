// Pipe: the bounded way from one source coroutine to one destination coroutine.
//
// Carries batches and checkpoints in order. Bounded in bytes: write() waits while more than the bound is queued, but an
// empty pipe takes any item, so that one huge row still gets through. A slow reader slows the writer; nothing is
// dropped. The ends may live on different strands. Drained arenas go back to the writer through buffer().
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "common/awaitable.h"
#include "common/event.h"
#include "common/runtime.h"
#include "connectors/row_batch.h"

namespace millrace::connectors {

using PipeItem = std::variant<RowBatch, Checkpoint>;

// The writer's end, which is all a source sees.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual asio::awaitable<void> write(RowBatch batch) = 0;
  virtual asio::awaitable<void> checkpoint(Checkpoint checkpoint) = 0;
  // An arena to fill, recycled where one is free.
  virtual std::vector<char> buffer() = 0;
};

class Pipe final : public BatchSink {
 public:
  // Without a Runtime there is no clock, and the waited times below stay 0.
  explicit Pipe(std::size_t max_bytes = kDefaultBytes);
  Pipe(Runtime runtime, std::size_t max_bytes);

  asio::awaitable<void> write(RowBatch batch) override;  // throws Cancelled once the reader closed its end
  asio::awaitable<void> checkpoint(Checkpoint checkpoint) override;
  std::vector<char> buffer() override;
  // Writer: no more items. With an error, the reader gets it after what is queued.
  void close_writer(std::exception_ptr error = nullptr);

  // Reader: the next item, or empty at the end.
  asio::awaitable<std::optional<PipeItem>> read();
  void recycle(RowBatch batch);
  // Reader: wants no more; the writer's waits throw Cancelled.
  void close_reader();

  // Time that each side waited for the other, to tell which is the slow one (microseconds).
  std::int64_t writer_waited_us() const;
  std::int64_t reader_waited_us() const;

  static constexpr std::size_t kDefaultBytes = 1 << 20;
  static constexpr std::size_t kBatchBytes = 128 << 10;  // what sources aim at
  static_assert(kBatchBytes * 4 <= kDefaultBytes, "a pipe holds several batches, so that both sides overlap");

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace millrace::connectors
