// One map behind one mutex, a log that stands for the disk, and the commit queue driven by a coroutine on a strand: it
// is started when a batch is pushed and nothing runs, writes group after group, and ends when the queue is empty.
//
// The batch is pushed first and the flusher is posted after it, so all batches that are pushed before the executor gets
// to the flusher share one write, as they would share a sync.
#include "state/memory_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "state/memory_log.h"

namespace millrace::state {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

void apply_to(Map& map, const Batch::Operation& op) {
  switch (op.kind) {
    case Batch::Operation::Kind::put:
      map[op.key] = op.value;
      break;
    case Batch::Operation::Kind::erase:
      map.erase(op.key);
      break;
    case Batch::Operation::Kind::erase_range:
      if (op.key < op.value) map.erase(map.lower_bound(op.key), map.lower_bound(op.value));
      break;
  }
}

std::vector<KeyValue> scan_map(const Map& map, const Range& range) {
  std::vector<KeyValue> rows;
  if (!range.end.empty() && range.end <= range.begin) return rows;
  const auto first = map.lower_bound(range.begin);
  const auto last = range.end.empty() ? map.end() : map.lower_bound(range.end);
  std::size_t bytes = 0;
  const auto take = [&](const Map::value_type& row) {
    bytes += row.first.size() + row.second.size();
    rows.push_back({row.first, row.second});
    return rows.size() < range.limit && bytes < range.max_bytes;
  };
  if (range.limit == 0) return rows;
  if (range.reverse) {
    for (auto it = last; it != first;)
      if (!take(*--it)) break;
  } else {
    for (auto it = first; it != last; ++it)
      if (!take(*it)) break;
  }
  return rows;
}

}  // namespace

struct MemoryStore::Core {
  Core(Runtime r, CommitQueueOptions options)
      : runtime(std::move(r)), strand(runtime.make_strand()), queue(std::move(options)) {}

  Runtime runtime;
  asio::any_io_executor strand;
  CommitQueue queue;
  Event crash_event;  // the store has crashed
  Event released;     // ... and its dead users may go
  mutable std::mutex mutex;
  std::shared_ptr<Map> map = std::make_shared<Map>();  // shared with snapshots: copied before a change if they hold it
  std::string log;
  std::size_t dropped = 0;
  std::uint64_t writes = 0;
  std::uint64_t crash_write = 0;  // 0: none
  CrashPoint crash_point = CrashPoint::before;
  bool crashed = false;
  bool flushing = false;
  bool closed = false;
  MemoryFaults faults;

  Map& writable_map() {
    if (map.use_count() > 1) map = std::make_shared<Map>(*map);
    return *map;
  }

  // Writes what is queued as one group. False if there was nothing, or the store has crashed.
  bool write_group() {
    CommitGroup group;
    {
      std::lock_guard lock(mutex);
      if (crashed) return false;
      group = queue.take_group();
      if (group.empty()) return false;
      const auto admitted = admit(group, [this](const std::string& key) -> std::optional<std::string> {
        const auto it = map->find(key);
        return it == map->end() ? std::nullopt : std::optional(it->second);
      });
      const bool changes =
          std::any_of(admitted.begin(), admitted.end(), [](auto* b) { return !b->operations().empty(); });
      if (changes && !write(admitted)) {
        lost.insert(lost.end(), group.begin(), group.end());
        return false;
      }
    }
    complete(group);
    return true;
  }

  // Under the mutex. False: the store crashed instead of completing this write.
  bool write(const std::vector<const Batch*>& admitted) {
    ++writes;
    std::string record = encode_record(admitted);
    if (writes == crash_write) {
      if (crash_point == CrashPoint::torn) log += record.substr(0, 1 + runtime.random() % (record.size() - 1));
      if (crash_point == CrashPoint::after) log += record;
      crashed = true;
      crash_event.set();
      return false;
    }
    log += record;
    Map& m = writable_map();
    for (const Batch* batch : admitted)
      for (const auto& op : batch->operations()) apply_to(m, op);
    return true;
  }

  // What waits for ever: kept so that release() can wake it.
  CommitGroup lost;

  static asio::awaitable<void> flush(std::shared_ptr<Core> core) {
    while (core->has_work()) {
      const Duration delay = core->draw_delay();
      if (delay > Duration(0)) co_await core->runtime.sleep_for(delay);
      core->write_group();
    }
  }

  // False also ends the flusher: the next push starts another one.
  bool has_work() {
    std::lock_guard lock(mutex);
    flushing = !crashed && !queue.empty();
    return flushing;
  }

  Duration draw_delay() {
    std::lock_guard lock(mutex);
    Duration d = faults.commit_delay;
    if (faults.commit_jitter > Duration(0))
      d += Duration(
          static_cast<std::int64_t>(runtime.random() % static_cast<std::uint64_t>(faults.commit_jitter.count() + 1)));
    return d;
  }

  bool is_crashed() const {
    std::lock_guard lock(mutex);
    return crashed;
  }

  // In a dead process nothing goes on.
  static asio::awaitable<void> gate(std::shared_ptr<Core> core) {
    if (!core->is_crashed()) co_return;
    co_await core->released.wait();
    throw StoreCrashed();
  }

  void check_open() const {
    if (closed) throw Error("store.unavailable", "the store is closed");
  }
};

class MemoryStore::View final : public Snapshot {
 public:
  View(std::shared_ptr<Core> core, std::shared_ptr<const Map> map) : core_(std::move(core)), map_(std::move(map)) {}
  asio::awaitable<std::optional<std::string>> get(std::string key) override {
    return get_from(core_, map_, std::move(key));
  }
  asio::awaitable<std::vector<KeyValue>> scan(Range range) override { return scan_from(core_, map_, std::move(range)); }

 private:
  static asio::awaitable<std::optional<std::string>> get_from(std::shared_ptr<Core> core,
                                                              std::shared_ptr<const Map> map, std::string key) {
    co_await Core::gate(core);
    const auto it = map->find(key);
    co_return it == map->end() ? std::nullopt : std::optional(it->second);
  }
  static asio::awaitable<std::vector<KeyValue>> scan_from(std::shared_ptr<Core> core, std::shared_ptr<const Map> map,
                                                          Range range) {
    co_await Core::gate(core);
    co_return scan_map(*map, range);
  }
  std::shared_ptr<Core> core_;
  std::shared_ptr<const Map> map_;
};

MemoryStore::MemoryStore(Runtime runtime, DurableImage image, CommitQueueOptions options)
    : core_(std::make_shared<Core>(std::move(runtime), std::move(options))) {
  const auto replay = replay_log(image.log, [this](const auto& op) { apply_to(*core_->map, op); });
  core_->dropped = replay.dropped_bytes;
  image.log.resize(image.log.size() - replay.dropped_bytes);
  core_->log = std::move(image.log);
}

MemoryStore::~MemoryStore() {
  if (!core_->is_crashed()) close();
}

asio::awaitable<std::optional<std::string>> MemoryStore::get(std::string key) {
  auto core = core_;
  co_await Core::gate(core);
  std::lock_guard lock(core->mutex);
  core->check_open();
  const auto it = core->map->find(key);
  co_return it == core->map->end() ? std::nullopt : std::optional(it->second);
}

asio::awaitable<std::vector<KeyValue>> MemoryStore::scan(Range range) {
  auto core = core_;
  co_await Core::gate(core);
  std::lock_guard lock(core->mutex);
  core->check_open();
  co_return scan_map(*core->map, range);
}

asio::awaitable<Commit> MemoryStore::commit(Batch batch) {
  PendingPtr pending;
  bool start = false;
  {
    std::lock_guard lock(core_->mutex);
    if (core_->crashed) {
      pending = std::make_shared<PendingCommit>(std::move(batch), core_->runtime.mono());
      if (core_->released.is_set()) return wait_commit(refused_commit(std::make_exception_ptr(StoreCrashed())));
      core_->lost.push_back(pending);
    } else if (core_->faults.disk_full && !core_->closed) {
      pending = refused_commit(std::make_exception_ptr(Error("store.disk_full", "a test fills the disk")));
    } else {
      pending = core_->queue.push(std::move(batch), core_->runtime.mono());
      start = !core_->closed && !std::exchange(core_->flushing, true);
    }
  }
  if (start) asio::co_spawn(core_->strand, Core::flush(core_), asio::detached);
  return wait_commit(std::move(pending));
}

std::unique_ptr<Snapshot> MemoryStore::snapshot() {
  std::lock_guard lock(core_->mutex);
  core_->check_open();
  return std::make_unique<View>(core_, core_->map);
}

StoreStatus MemoryStore::status() {
  std::lock_guard lock(core_->mutex);
  StoreStatus s;
  s.size_bytes = core_->log.size();
  s.accepts_work = !core_->faults.disk_full && !core_->closed && !core_->crashed;
  return s;
}

void MemoryStore::close() {
  core_->queue.close();
  while (core_->write_group()) {
  }
  std::lock_guard lock(core_->mutex);
  core_->closed = true;
}

void MemoryStore::set_faults(MemoryFaults faults) {
  std::lock_guard lock(core_->mutex);
  core_->faults = std::move(faults);
}

std::uint64_t MemoryStore::writes() const {
  std::lock_guard lock(core_->mutex);
  return core_->writes;
}

void MemoryStore::crash_at(std::uint64_t write, CrashPoint point) {
  std::lock_guard lock(core_->mutex);
  check(write > core_->writes, "a crash lies in the future");
  core_->crash_write = write;
  core_->crash_point = point;
}

void MemoryStore::crash() {
  std::lock_guard lock(core_->mutex);
  core_->crashed = true;
  core_->crash_event.set();
}

bool MemoryStore::crashed() const { return core_->is_crashed(); }
asio::awaitable<void> MemoryStore::wait_crashed() { return core_->crash_event.wait(); }

void MemoryStore::release() {
  const auto error = std::make_exception_ptr(StoreCrashed());
  CommitGroup lost;
  {
    std::lock_guard lock(core_->mutex);
    check(core_->crashed, "only a crashed store is released");
    lost.swap(core_->lost);
    core_->released.set();
  }
  for (const auto& pending : lost) pending->error = error;
  complete(lost, error);
  core_->queue.fail(error);
}

DurableImage MemoryStore::take_durable_image() const {
  std::lock_guard lock(core_->mutex);
  return DurableImage(core_->log);
}

std::size_t MemoryStore::dropped_at_open() const { return core_->dropped; }

}  // namespace millrace::state
