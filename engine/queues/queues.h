// Task queues: which of the waiting steps may run next.
//
// A step takes a slot of its queue, and room at each of its limit keys, before its start is written, and gives both
// back when its code has ended, which may be later than its outcome is known. A slot is given back when it is
// destroyed, so no way out can lose one. Steps of this process are granted as soon as there is room; steps for workers
// when there is room and a worker polls.
//
// In memory only: what waits is known from the histories, and waits again after a restart, in the order of its
// scheduling. Thread-safe; `granted` and what a slot's end sets going are called outside the lock, on any thread.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/metrics.h"
#include "common/runtime.h"
#include "engine/queues/gate.h"
#include "engine/queues/limits.h"
#include "engine/queues/poller.h"
#include "engine/queues/view.h"
#include "engine/queues/waiting_line.h"

namespace millrace::engine {

class Queues;
struct Queue;

// The right of one attempt to run. Given back once: by give_back() or the destructor.
class Slot {
 public:
  Slot(std::shared_ptr<Queues> owner, std::string queue, std::vector<Gate*> gates, PollerPtr p)
      : queues_(std::move(owner)), queue_(std::move(queue)), gates_(std::move(gates)), poller_(std::move(p)) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { give_back(); }
  void give_back();
  // For whom the step is started; null: for this process. A poller that was handed nothing waits again when the slot
  // goes.
  const PollerPtr& poller() const { return poller_; }

 private:
  std::shared_ptr<Queues> queues_;
  std::string queue_;
  std::vector<Gate*> gates_;
  PollerPtr poller_;
};
using SlotPtr = std::shared_ptr<Slot>;

class Queues : public std::enable_shared_from_this<Queues> {
 public:
  Queues(Runtime runtime, TimerQueue& timers, QueueSettings settings);
  ~Queues();
  // Nothing is granted from here on.
  void close();

  // Empty when there is no room, or others wait.
  SlotPtr try_take(const QueueTask& task);
  // For an attempt that runs on a worker since before this process: counts, whatever the bounds.
  SlotPtr take_over(const QueueTask& task);
  using Granted = std::function<void(SlotPtr)>;
  // `granted` is called once, with a slot taken for it, unless cancel() comes first. It may be called before this
  // returns.
  TaskId wait(QueueTask task, Granted granted);
  // Sets `id` to 0. False: it was granted, or never waited.
  bool cancel(TaskId& id);
  std::optional<WaitingFor> waiting_for(TaskId id);

  void add_poller(const std::string& queue, const PollerPtr& poller);
  // False: a step is being started for it.
  bool remove_poller(const std::string& queue, const PollerPtr& poller);

  // Whoever polls is told that nothing comes, and so is whoever polls from here on: the server stops.
  void end_polls();

  std::vector<QueueView> list();
  // Empty: never heard of.
  std::optional<QueueView> view(const std::string& queue);
  void configure(const std::string& queue, Limits limits);
  void configure(QueueSettings settings);
  // Brings gauges up to date that grow by themselves.
  void refresh_metrics();

 private:
  friend class Slot;
  struct Waiter {
    QueueTask task;
    Granted granted;
    Lane* lane = nullptr;
    Queue* queue = nullptr;
    TaskOrder order;
  };
  using Grants = std::vector<std::pair<Granted, SlotPtr>>;
  using Lock = std::unique_lock<std::mutex>;

  Queue& queue_of(const std::string& name);
  Limits limits_of_queue(const std::string& name) const;
  Limits limits_of_key(const std::string& key) const;
  std::vector<Gate*> gates_of(const QueueTask& task);
  void drop_unused(Gate& gate, MonoTime now);
  SlotPtr take(Queue& queue, const std::vector<Gate*>& gates, PollerPtr poller, MonoTime now);
  void give_back(const std::string& queue, const std::vector<Gate*>& gates, const PollerPtr& poller);
  // Grants what can be granted in the queues of touched_, then unlocks and tells.
  void run(Lock lock);
  void touch(Queue& queue);
  void dispatch(Queue& queue, Grants& grants);
  void open(Gate& gate, MonoTime now);
  void set_aside(Lane& lane, Gate& gate, MonoTime now);
  void leave_lane(const std::vector<Gate*>& gates, MonoTime now);
  void arm(TimerQueue::Id& timer, MonoTime when, std::function<void(Queues&)> due);
  void show(Queue& queue);
  QueueView view_of(Queue& queue);

  const Runtime runtime_;
  TimerQueue& timers_;
  std::mutex mutex_;
  bool closed_ = false;
  bool polls_ended_ = false;
  QueueSettings settings_;
  std::map<std::string, std::unique_ptr<Queue>> queues_;
  std::map<std::string, std::unique_ptr<Gate>> gates_;
  std::unordered_map<TaskId, Waiter> waiters_;
  TaskId next_id_ = 1;
  std::map<std::string, Queue*> touched_;  // to be looked at before the lock is left
};

}  // namespace millrace::engine
