#include "connectors/pipe.h"

#include <algorithm>
#include <chrono>

#include "common/errors.h"

namespace millrace::connectors {
namespace {

constexpr std::size_t kFreeArenas = 8;
constexpr std::size_t kFreeArenaBytes = 1 << 20;  // a larger one (of a huge row) goes back to the allocator
constexpr std::size_t kItemOverhead = 64;

std::size_t size_of(const PipeItem& item) {
  if (const auto* batch = std::get_if<RowBatch>(&item)) return batch->bytes().size() + kItemOverhead;
  const auto& c = std::get<Checkpoint>(item);
  return c.id.size() + c.state.size() + kItemOverhead;
}

}  // namespace

// All fields but the events are under the mutex. An event is reset under it too, by the side that is about to wait, and
// set after the change that it waits for: whichever order the two take, the wait sees the change.
struct Pipe::State {
  State(std::optional<Runtime> r, std::size_t max) : runtime(std::move(r)), max_bytes(max) {}
  std::optional<Runtime> runtime;
  const std::size_t max_bytes;
  mutable std::mutex mutex;
  std::deque<PipeItem> items;
  std::size_t bytes = 0;
  std::vector<std::vector<char>> free;
  bool writer_closed = false, reader_closed = false;
  std::size_t writer_wants = 0;  // size of the item for which a writer waits; 0: none does
  bool reader_waits = false;
  std::exception_ptr error;
  std::int64_t writer_waited_us = 0, reader_waited_us = 0;
  Event room, filled;

  MonoTime now() const { return runtime ? runtime->mono() : MonoTime(); }
  void add_wait(std::int64_t& total, MonoTime since) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now() - since).count();
    std::lock_guard lock(mutex);
    total += us;
  }
};

namespace {

template <class StatePtr>
asio::awaitable<void> push(StatePtr state, PipeItem item) {
  const std::size_t size = size_of(item);
  for (;;) {
    bool wake = false, pushed = false;
    {
      std::lock_guard lock(state->mutex);
      if (state->reader_closed) throw Cancelled();
      if (state->items.empty() || state->bytes + size <= state->max_bytes) {
        state->items.push_back(std::move(item));
        state->bytes += size;
        pushed = true;
        wake = std::exchange(state->reader_waits, false);
      } else {
        state->writer_wants = size;
        state->room.reset();
      }
    }
    if (wake) state->filled.set();
    if (pushed) co_return;
    const MonoTime since = state->now();
    co_await state->room.wait();
    state->add_wait(state->writer_waited_us, since);
  }
}

}  // namespace

Pipe::Pipe(std::size_t max_bytes) : state_(std::make_shared<State>(std::nullopt, max_bytes)) {}
Pipe::Pipe(Runtime runtime, std::size_t max_bytes) : state_(std::make_shared<State>(std::move(runtime), max_bytes)) {}

asio::awaitable<void> Pipe::write(RowBatch batch) { return push(state_, PipeItem(std::move(batch))); }
asio::awaitable<void> Pipe::checkpoint(Checkpoint checkpoint) { return push(state_, PipeItem(std::move(checkpoint))); }

std::vector<char> Pipe::buffer() {
  std::lock_guard lock(state_->mutex);
  if (state_->free.empty()) return {};
  std::vector<char> arena = std::move(state_->free.back());
  state_->free.pop_back();
  return arena;
}

void Pipe::close_writer(std::exception_ptr error) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->writer_closed) return;
    state_->writer_closed = true;
    state_->error = std::move(error);
    state_->reader_waits = false;
  }
  state_->filled.set();
}

void Pipe::close_reader() {
  std::deque<PipeItem> dropped;
  {
    std::lock_guard lock(state_->mutex);
    state_->reader_closed = true;
    state_->writer_wants = 0;
    dropped.swap(state_->items);
    state_->bytes = 0;
  }
  state_->room.set();
}

asio::awaitable<std::optional<PipeItem>> Pipe::read() {
  auto state = state_;
  for (;;) {
    std::optional<PipeItem> item;
    bool wake = false, ended = false;
    {
      std::lock_guard lock(state->mutex);
      if (!state->items.empty()) {
        item.emplace(std::move(state->items.front()));
        state->items.pop_front();
        state->bytes -= size_of(*item);
        // The writer is woken as soon as its item fits, not when there is room for several: while it waited, its source
        // has filled the socket with just about one batch more, which is then read at once instead of in small pieces.
        if (state->writer_wants > 0 &&
            (state->items.empty() || state->bytes + state->writer_wants <= state->max_bytes)) {
          state->writer_wants = 0;
          wake = true;
        }
      } else if (state->writer_closed) {
        if (state->error) std::rethrow_exception(std::exchange(state->error, nullptr));
        ended = true;
      } else {
        state->reader_waits = true;
        state->filled.reset();
      }
    }
    if (wake) state->room.set();
    if (item || ended) co_return item;
    const MonoTime since = state->now();
    co_await state->filled.wait();
    state->add_wait(state->reader_waited_us, since);
  }
}

void Pipe::recycle(RowBatch batch) {
  std::vector<char> arena = std::move(batch).take_arena();
  arena.clear();
  if (arena.capacity() == 0 || arena.capacity() > kFreeArenaBytes) return;
  std::lock_guard lock(state_->mutex);
  if (state_->free.size() < kFreeArenas) state_->free.push_back(std::move(arena));
}

std::int64_t Pipe::writer_waited_us() const {
  std::lock_guard lock(state_->mutex);
  return state_->writer_waited_us;
}
std::int64_t Pipe::reader_waited_us() const {
  std::lock_guard lock(state_->mutex);
  return state_->reader_waited_us;
}

}  // namespace millrace::connectors
