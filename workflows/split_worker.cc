// The way of the rows.
//
//   reader: source.read(split) ──► pipe ──► writer: SplitWriter.write ... ──► committer: SplitWriter.commit
//
// All three are coroutines on the worker's strand: one thread at a time, no locks, and no two of them wait for each
// other but through the bounded pipe. While split n is being committed the writer already fills n+1 over another
// session and the reader reads ahead as far as the pipe is deep; one commit at most is under way.
//
// Three counts are held against each other at each checkpoint: what the source says it read, what came out of the pipe,
// and what the destination says is durable. An inequality is never retried: the next attempt would build on it.
#include "workflows/split_worker.h"

#include <boost/asio/this_coro.hpp>
#include <deque>

#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"
#include "common/task_group.h"
#include "connectors/pipe.h"
#include "workflows/row_mapper.h"
#include "workflows/stream_failure.h"
#include "workflows/sync_stream.h"

namespace millrace::workflows {
namespace {

using connectors::Checkpoint;
using connectors::RowBatch;
using connectors::Split;
using connectors::SplitWriter;

// A split on its way: rows and bytes that came out of the pipe since its last commit.
struct OpenSplit {
  const Split* split = nullptr;
  std::unique_ptr<SplitWriter> writer;
  std::int64_t base_rows = 0;  // durable before this read began
  std::int64_t rows = 0;       // of this read
  std::int64_t uncommitted_rows = 0;
  std::int64_t uncommitted_bytes = 0;
  std::int64_t uncommitted_unfit = 0;  // rows with a value that did not fit
};

struct Worker {
  explicit Worker(StreamSync& s)
      : stream(s),
        mapper(make_row_mapper(s.plan())),
        pipe(s.ctx().runtime(), connectors::Pipe::kDefaultBytes),
        tasks(s.ctx().runtime()) {}
  StreamSync& stream;
  std::unique_ptr<RowMapper> mapper;  // null: the rows go through as they are
  connectors::Pipe pipe;
  std::deque<const Split*> begun;  // splits whose reading began, and that the writer has not met
  Event committed;                 // set: no commit is under way
  std::exception_ptr commit_error;
  std::int64_t source_waits_told = 0;
  std::int64_t destination_waits_told = 0;
  TaskGroup tasks;  // last: nothing of the above is used after it is empty
};

[[noreturn]] void throw_mismatch(const StreamSync& stream, const std::string& split, const char* what, std::int64_t one,
                                 std::int64_t other) {
  auto failure = failure_of_code("sync.count_mismatch", scope_of(stream.configured().name) + ", split " + split + ": " +
                                                            what + " (" + std::to_string(one) + " and " +
                                                            std::to_string(other) + " rows)");
  failure.retryable = false;
  throw engine::FailureError(std::move(failure));
}

void tell_waits(Worker& w) {
  const auto move = [](std::int64_t total, std::int64_t& told, std::atomic<std::int64_t>& counter) {
    counter += total - told;
    told = total;
  };
  move(w.pipe.reader_waited_us(), w.source_waits_told, w.stream.progress().waited_for_source_us);
  move(w.pipe.writer_waited_us(), w.destination_waits_told, w.stream.progress().waited_for_destination_us);
}

asio::awaitable<void> read_all(Worker& w) {
  std::exception_ptr error;
  try {
    while (const Split* split = w.stream.next_split()) {
      std::optional<std::string> from;
      if (const auto* at = w.stream.committed(split->id)) from = at->state;
      w.begun.push_back(split);
      co_await w.stream.source().read(w.stream.configured(), *split, from, w.pipe);
    }
  } catch (...) {
    error = std::current_exception();
  }
  // The writer gets the error behind the rows before it, so that a commit under way is not torn down.
  w.pipe.close_writer(error);
  if (is_cancelled(error)) std::rethrow_exception(error);
}

// What has come of a split since its last commit.
struct Moved {
  std::int64_t rows = 0, bytes = 0, unfit = 0;
};
Moved take_moved(OpenSplit& open) {
  Moved moved;
  moved.rows = std::exchange(open.uncommitted_rows, 0);
  moved.bytes = std::exchange(open.uncommitted_bytes, 0);
  moved.unfit = std::exchange(open.uncommitted_unfit, 0);
  return moved;
}

asio::awaitable<void> commit_split(Worker& w, std::unique_ptr<SplitWriter> writer, Checkpoint checkpoint, Moved moved) {
  const auto committed = co_await writer->commit(checkpoint);
  if (committed.rows != checkpoint.rows)
    throw_mismatch(w.stream, checkpoint.id, "the destination holds other rows than the source gave", committed.rows,
                   checkpoint.rows);
  co_await w.stream.split_committed(std::move(checkpoint), moved.rows, moved.bytes, moved.unfit);
}

asio::awaitable<void> commit_behind(Worker& w, std::unique_ptr<SplitWriter> writer, Checkpoint checkpoint,
                                    Moved moved) {
  std::exception_ptr error;
  try {
    co_await commit_split(w, std::move(writer), std::move(checkpoint), moved);
  } catch (...) {
    error = std::current_exception();
  }
  w.commit_error = error;
  w.committed.set();
}

void throw_commit_error(Worker& w) {
  if (w.commit_error) std::rethrow_exception(w.commit_error);
}

asio::awaitable<void> open_next(Worker& w, OpenSplit& open) {
  open.split = w.begun.front();
  w.begun.pop_front();
  open.base_rows = 0;
  if (const auto* at = w.stream.committed(open.split->id)) open.base_rows = at->rows;
  open.rows = open.uncommitted_rows = open.uncommitted_bytes = open.uncommitted_unfit = 0;
  open.writer = co_await w.stream.open_split(open.split->id);
}

asio::awaitable<void> take_checkpoint(Worker& w, OpenSplit& open, Checkpoint checkpoint) {
  if (checkpoint.id != open.split->id)
    throw Error("sync.incomplete",
                "a checkpoint of split " + checkpoint.id + " came in the midst of split " + open.split->id);
  // A source counts a split from its beginning, also where it goes on in the midst of it.
  if (checkpoint.rows != open.base_rows + open.rows)
    throw_mismatch(w.stream, checkpoint.id, "the pipe brought other rows than the source read",
                   open.base_rows + open.rows, checkpoint.rows);
  const Moved moved = take_moved(open);
  co_await w.committed.wait();
  throw_commit_error(w);
  if (!checkpoint.complete) {
    // The writer goes on with this split, so the commit can't be left behind.
    const auto committed = co_await open.writer->commit(checkpoint);
    if (committed.rows != checkpoint.rows)
      throw_mismatch(w.stream, checkpoint.id, "the destination holds other rows than the source gave", committed.rows,
                     checkpoint.rows);
    co_await w.stream.split_committed(std::move(checkpoint), moved.rows, moved.bytes, moved.unfit);
    co_return;
  }
  w.committed.reset();
  open.split = nullptr;
  auto strand = co_await asio::this_coro::executor;
  w.tasks.spawn_on(strand, "commit", commit_behind(w, std::move(open.writer), std::move(checkpoint), moved));
}

asio::awaitable<void> write_batches(Worker& w, OpenSplit& open) {
  auto& progress = w.stream.progress();
  for (;;) {
    auto item = co_await w.pipe.read();
    if (!item) break;
    throw_commit_error(w);
    if (!open.split) co_await open_next(w, open);
    if (auto* batch = std::get_if<RowBatch>(&*item)) {
      const auto rows = static_cast<std::int64_t>(batch->rows());
      const auto bytes = static_cast<std::int64_t>(batch->bytes().size());
      if (w.mapper) {
        const RowBatch& mapped = w.mapper->map(*batch, open.base_rows + open.rows);
        open.uncommitted_unfit += w.mapper->unfit_rows();
        open.writer->quarantine(w.mapper->take_unfit());
        co_await open.writer->write(mapped);
      } else {
        co_await open.writer->write(*batch);
      }
      open.rows += rows;
      open.uncommitted_rows += rows;
      open.uncommitted_bytes += bytes;
      progress.rows_read += rows;
      progress.bytes_read += bytes;
      w.pipe.recycle(std::move(*batch));
    } else {
      co_await take_checkpoint(w, open, std::get<Checkpoint>(std::move(*item)));
    }
    tell_waits(w);
  }
  if (open.split)
    throw Error("sync.incomplete", "the source ended split " + open.split->id + " without a last checkpoint");
  if (!w.begun.empty())
    throw Error("sync.incomplete", "the source ended split " + w.begun.front()->id + " without a checkpoint");
}

asio::awaitable<void> write_all(Worker& w) {
  OpenSplit open;
  std::exception_ptr error;
  try {
    co_await write_batches(w, open);
    co_await w.committed.wait();
    throw_commit_error(w);
  } catch (...) {
    error = std::current_exception();
  }
  if (!error) co_return;
  w.pipe.close_reader();
  const bool cancelled = is_cancelled(error);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  // A commit that is under way may end well, and its work is then kept. A cancelled one ends by itself.
  co_await w.committed.wait();
  if (open.writer) {
    try {
      co_await open.writer->abort();
    } catch (const std::exception& e) {
      log_debug("dropping an open split failed", {{"error", e.what()}});
    }
  }
  if (!cancelled) w.stream.fail(error);
  w.tasks.cancel();  // the reader, should it wait for its server rather than for the pipe
  if (cancelled || !w.stream.resumable()) std::rethrow_exception(error);
}

}  // namespace

asio::awaitable<void> run_split_worker(StreamSync& stream) {
  Worker w(stream);
  w.committed.set();
  auto strand = co_await asio::this_coro::executor;
  w.tasks.spawn_on(strand, "reader", read_all(w));
  w.tasks.spawn_on(strand, "writer", write_all(w));
  co_await w.tasks.join();
}

}  // namespace millrace::workflows
