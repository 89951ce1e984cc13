// The whole way of one stream, for tests: plan, read each split through a pipe into its writer, finish. What the sync
// step does, without history and parallelism.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/task_group.h"
#include "connectors/destination.h"
#include "connectors/pipe.h"
#include "connectors/source.h"

namespace millrace::test {

namespace c = millrace::connectors;

// Collects what a source gives, for tests of sources alone.
class CollectingSink final : public c::BatchSink {
 public:
  asio::awaitable<void> write(c::RowBatch batch) override {
    rows += batch.rows();
    tuples.append(batch.bytes());
    if (batch.empty()) ++empty_batches;
    after_checkpoint = after_checkpoint || (!checkpoints.empty() && checkpoints.back().complete);
    batches.push_back(std::move(batch));
    co_return;
  }
  asio::awaitable<void> checkpoint(c::Checkpoint checkpoint) override {
    checkpoints.push_back(std::move(checkpoint));
    co_return;
  }
  std::vector<char> buffer() override { return {}; }

  std::int64_t rows = 0;
  int empty_batches = 0;
  bool after_checkpoint = false;  // a batch came after the complete checkpoint
  std::string tuples;
  std::vector<c::RowBatch> batches;
  std::vector<c::Checkpoint> checkpoints;
};

inline asio::awaitable<void> read_into(c::Source& source, c::ConfiguredStream stream, c::Split split, c::Pipe& pipe) {
  std::exception_ptr error;
  try {
    co_await source.read(stream, split, std::nullopt, pipe);
  } catch (...) {
    error = std::current_exception();
  }
  pipe.close_writer(error);
}

// Reads one split and writes it; returns the rows that are durable.
inline asio::awaitable<std::int64_t> copy_split(Runtime runtime, c::Source& source, c::StreamWriter& writer,
                                                c::ConfiguredStream stream, c::Split split) {
  c::Pipe pipe;
  TaskGroup group(runtime);
  group.spawn("read", read_into(source, stream, split, pipe));
  auto split_writer = co_await writer.open_split(split.id);
  std::int64_t rows = 0;
  std::exception_ptr error;
  try {
    while (auto item = co_await pipe.read()) {
      if (auto* batch = std::get_if<c::RowBatch>(&*item)) {
        co_await split_writer->write(*batch);
        pipe.recycle(std::move(*batch));
      } else {
        const auto committed = co_await split_writer->commit(std::get<c::Checkpoint>(*item));
        rows = committed.rows;
      }
    }
  } catch (...) {
    error = std::current_exception();
  }
  pipe.close_reader();
  co_await split_writer->abort();
  co_await group.stop();
  if (error) std::rethrow_exception(error);
  co_return rows;
}

// Everything but publish; returns the rows of the stream.
inline asio::awaitable<std::int64_t> load_stream(Runtime runtime, c::Source& source, c::Destination& destination,
                                                 c::ConfiguredStream stream, c::StreamTarget target, std::string token,
                                                 std::uint32_t attempt, c::PlanOptions options) {
  const auto plan = co_await source.plan(stream, options);
  auto writer = co_await destination.open_stream(target, token, attempt);
  std::int64_t total = 0;
  std::vector<std::string> ids;
  for (const auto& split : plan.splits) {
    ids.push_back(split.id);
    const auto it = writer->committed().find(split.id);
    if (it != writer->committed().end() && it->second.complete)
      total += it->second.rows;
    else
      total += co_await copy_split(runtime, source, *writer, stream, split);
  }
  co_await writer->finish(ids, total);
  co_return total;
}

}  // namespace millrace::test
