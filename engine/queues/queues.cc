#include "engine/queues/queues.h"

#include <algorithm>

#include "engine/queues/queue.h"

namespace millrace::engine {

void Slot::give_back() {
  if (!queues_) return;
  const auto queues = std::exchange(queues_, nullptr);
  queues->give_back(queue_, gates_, poller_);
}

Queues::Queues(Runtime runtime, TimerQueue& timers, QueueSettings settings)
    : runtime_(std::move(runtime)), timers_(timers), settings_(std::move(settings)) {
  queue_of(kDefaultQueue);
  for (const auto& [name, _] : settings_.queues) queue_of(name);
}

Queues::~Queues() = default;

void Queues::close() {
  std::unordered_map<TaskId, Waiter> dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(waiters_);
}

// ---- queues and gates ----

Limits Queues::limits_of_queue(const std::string& name) const {
  const auto it = settings_.queues.find(name);
  return it == settings_.queues.end() ? settings_.otherwise : it->second;
}

Limits Queues::limits_of_key(const std::string& key) const {
  if (const auto it = settings_.keys.find(key); it != settings_.keys.end()) return it->second;
  const Limits* found = nullptr;
  std::size_t longest = 0;
  for (const auto& [pattern, limits] : settings_.keys) {
    if (!pattern.ends_with('*')) continue;
    const std::string_view prefix = std::string_view(pattern).substr(0, pattern.size() - 1);
    if (key.starts_with(prefix) && (found == nullptr || prefix.size() >= longest)) {
      found = &limits;
      longest = prefix.size();
    }
  }
  return found == nullptr ? Limits() : *found;
}

Queue& Queues::queue_of(const std::string& name) {
  auto& queue = queues_[name];
  if (!queue) {
    queue = std::make_unique<Queue>();
    queue->name = name;
    queue->limits = limits_of_queue(name);
    queue->bucket.set_rate(queue->limits.rate_per_second, runtime_.mono());
  }
  return *queue;
}

std::vector<Gate*> Queues::gates_of(const QueueTask& task) {
  std::vector<Gate*> gates;
  for (const std::string& key : task.limit_keys) {
    auto& gate = gates_[key];
    if (!gate) {
      gate = std::make_unique<Gate>();
      gate->key = key;
      gate->limits = limits_of_key(key);
      gate->bucket.set_rate(gate->limits.rate_per_second, runtime_.mono());
    }
    if (std::find(gates.begin(), gates.end(), gate.get()) == gates.end()) gates.push_back(gate.get());
  }
  std::sort(gates.begin(), gates.end(), [](const Gate* a, const Gate* b) { return a->key < b->key; });
  return gates;
}

// A rate that is not used up must be remembered.
void Queues::drop_unused(Gate& gate, MonoTime now) {
  if (gate.running != 0 || gate.waiting != 0 || gate.timer != 0 || !gate.bucket.is_full(now)) return;
  gates_.erase(std::string(gate.key));
}

// ---- taking and giving back ----

SlotPtr Queues::take(Queue& queue, const std::vector<Gate*>& gates, PollerPtr poller, MonoTime now) {
  ++queue.running;
  queue.bucket.take(now);
  for (Gate* gate : gates) {
    ++gate->running;
    gate->bucket.take(now);
  }
  return std::make_shared<Slot>(shared_from_this(), queue.name, gates, std::move(poller));
}

SlotPtr Queues::try_take(const QueueTask& task) {
  SlotPtr slot;
  const std::lock_guard lock(mutex_);
  if (closed_ || task.external) return slot;
  Queue& queue = queue_of(task.queue);
  const MonoTime now = runtime_.mono();
  if (queue.running >= queue.limits.concurrency || !queue.bucket.has(now) || queue.own.best({}) != nullptr) return slot;
  const std::vector<Gate*> gates = gates_of(task);
  for (Gate* gate : gates)
    if (!gate->is_open(now)) return slot;
  slot = take(queue, gates, nullptr, now);
  show(queue);
  queue.metrics->schedule_to_start.observe(0);
  return slot;
}

SlotPtr Queues::take_over(const QueueTask& task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return nullptr;
  Queue& queue = queue_of(task.queue);
  ++queue.running;
  const std::vector<Gate*> gates = gates_of(task);
  for (Gate* gate : gates) ++gate->running;
  show(queue);
  return std::make_shared<Slot>(shared_from_this(), queue.name, gates, nullptr);
}

void Queues::give_back(const std::string& name, const std::vector<Gate*>& gates, const PollerPtr& poller) {
  Lock lock(mutex_);
  if (poller && (closed_ || polls_ended_)) poller->last_call();
  const bool waits_again = poller && poller->return_unused();
  if (closed_) return;
  Queue& queue = queue_of(name);
  --queue.running;
  if (waits_again) queue.pollers.push_front(poller);
  touch(queue);
  const MonoTime now = runtime_.mono();
  for (Gate* gate : gates) --gate->running;
  for (Gate* gate : gates) {
    open(*gate, now);
    drop_unused(*gate, now);
  }
  run(std::move(lock));
}

// ---- waiting ----

TaskId Queues::wait(QueueTask task, Granted granted) {
  task.priority = std::clamp(task.priority, kHighestPriority, kLowestPriority);
  Lock lock(mutex_);
  const TaskId id = next_id_++;
  if (closed_) return id;
  Queue& queue = queue_of(task.queue);
  const std::vector<Gate*> gates = gates_of(task);
  for (Gate* gate : gates) ++gate->waiting;
  Waiter waiter;
  waiter.queue = &queue;
  waiter.order = TaskOrder(task.since, id);
  waiter.lane = &(task.external ? queue.external : queue.own).add(task, gates, id);
  waiter.task = std::move(task);
  waiter.granted = std::move(granted);
  queue.order.insert(waiter.order);
  waiters_.emplace(id, std::move(waiter));
  touch(queue);
  run(std::move(lock));
  return id;
}

bool Queues::cancel(TaskId& id) {
  Waiter dropped;  // its closure is destroyed outside the lock
  Lock lock(mutex_);
  const auto it = waiters_.find(std::exchange(id, 0));
  if (it == waiters_.end()) return false;
  dropped = std::move(it->second);
  waiters_.erase(it);
  const std::vector<Gate*> gates = dropped.lane->gates;
  Gate* blocked_on = dropped.lane->blocked_on;
  WaitingLine* line = dropped.lane->line;
  Lane* lane = dropped.lane;
  if (line->remove(*lane, dropped.order) && blocked_on != nullptr) {
    const auto blocked = blocked_on->blocked.find(line);
    blocked->second.erase(lane);
    if (blocked->second.empty()) blocked_on->blocked.erase(blocked);
  }
  dropped.queue->order.erase(dropped.order);
  touch(*dropped.queue);
  leave_lane(gates, runtime_.mono());
  run(std::move(lock));
  return true;
}

// A step that named these gates waits no more: what it may have kept from others is offered again.
void Queues::leave_lane(const std::vector<Gate*>& gates, MonoTime now) {
  for (Gate* gate : gates) --gate->waiting;
  for (Gate* gate : gates) {
    open(*gate, now);
    drop_unused(*gate, now);
  }
}

void Queues::set_aside(Lane& lane, Gate& gate, MonoTime now) {
  const std::vector<Gate*> gates = lane.gates;
  lane.line->set_aside(lane, &gate);
  gate.blocked[lane.line].insert(&lane);
  if (gate.running < gate.limits.concurrency)  // its rate holds it
    arm(gate.timer, gate.bucket.next(now), [key = gate.key](Queues& q) {
      const auto it = q.gates_.find(key);
      if (it == q.gates_.end()) return;
      it->second->timer = 0;
      q.open(*it->second, q.runtime_.mono());
      q.drop_unused(*it->second, q.runtime_.mono());
    });
  // Others may have been waiting behind this lane for a gate that it does not use now.
  for (Gate* other : gates)
    if (other != &gate) open(*other, now);
}

// As many lanes of each line as there is room for come back into the order; those that are next.
void Queues::open(Gate& gate, MonoTime now) {
  if (!gate.is_open(now)) return;
  const std::size_t room = gate.limits.concurrency - gate.running;
  for (auto it = gate.blocked.begin(); it != gate.blocked.end();) {
    WaitingLine* line = it->first;
    std::set<Lane*>& lanes = it->second;
    for (std::size_t n = 0; n < room && !lanes.empty(); ++n) {
      const auto best =
          std::min_element(lanes.begin(), lanes.end(), [](Lane* a, Lane* b) { return WaitingLine::before(*a, *b); });
      Lane* lane = *best;
      lanes.erase(best);
      line->put_back(*lane);
      touch(*waiters_.at(lane->waiting.begin()->second).queue);
    }
    it = lanes.empty() ? gate.blocked.erase(it) : std::next(it);
  }
}

void Queues::dispatch(Queue& queue, Grants& grants) {
  const MonoTime now = runtime_.mono();
  while (queue.running < queue.limits.concurrency) {
    if (!queue.bucket.has(now)) {
      if (queue.own.waiting() + queue.external.waiting() == 0) return;
      arm(queue.timer, queue.bucket.next(now), [name = queue.name](Queues& q) {
        const auto it = q.queues_.find(name);
        if (it == q.queues_.end()) return;
        it->second->timer = 0;
        q.touch(*it->second);
      });
      return;
    }
    Lane* lane = queue.own.best({});
    auto poller = queue.pollers.end();
    for (auto p = queue.pollers.begin(); p != queue.pollers.end() && queue.external.waiting() != 0; ++p) {
      Lane* other = queue.external.best((*p)->types());
      if (other == nullptr) continue;
      if (lane == nullptr || WaitingLine::before(*other, *lane)) {
        lane = other;
        poller = p;
      }
      break;
    }
    if (lane == nullptr) return;
    Gate* closed = nullptr;
    for (Gate* gate : lane->gates)
      if (closed == nullptr && !gate->is_open(now)) closed = gate;
    if (closed != nullptr) {
      set_aside(*lane, *closed, now);
      continue;
    }
    PollerPtr taker;
    if (poller != queue.pollers.end()) {
      taker = *poller;
      queue.pollers.erase(poller);
    }
    const std::vector<Gate*> gates = lane->gates;
    for (Gate* gate : gates) --gate->waiting;
    const TaskOrder order = lane->line->take(*lane);
    const auto it = waiters_.find(order.second);
    grants.emplace_back(std::move(it->second.granted), take(queue, gates, std::move(taker), now));
    waiters_.erase(it);
    queue.order.erase(order);
    show(queue);
    queue.metrics->schedule_to_start.observe(std::max(0.0, to_seconds(runtime_.now() - order.first)));
  }
}

void Queues::touch(Queue& queue) { touched_[queue.name] = &queue; }

void Queues::run(Lock lock) {
  Grants grants;
  while (!touched_.empty()) {
    Queue* queue = touched_.begin()->second;
    touched_.erase(touched_.begin());
    dispatch(*queue, grants);
    show(*queue);
    if (queue->is_unused() && !touched_.contains(queue->name) && queue->name != kDefaultQueue &&
        !settings_.queues.contains(queue->name))
      queues_.erase(std::string(queue->name));
  }
  lock.unlock();
  for (auto& [granted, slot] : grants) granted(std::move(slot));
}

void Queues::arm(TimerQueue::Id& timer, MonoTime when, std::function<void(Queues&)> due) {
  if (timer != 0) return;
  timer = timers_.add(when, [weak = weak_from_this(), due = std::move(due)] {
    const auto self = weak.lock();
    if (!self) return;
    Lock lock(self->mutex_);
    if (self->closed_) return;
    due(*self);
    self->run(std::move(lock));
  });
}

// ---- workers ----

void Queues::add_poller(const std::string& name, const PollerPtr& poller) {
  Lock lock(mutex_);
  if (closed_ || polls_ended_) {
    poller->last_call();
    poller->return_unused();
    return;
  }
  Queue& queue = queue_of(name);
  queue.pollers.push_back(poller);
  touch(queue);
  run(std::move(lock));
}

void Queues::end_polls() {
  const std::lock_guard lock(mutex_);
  polls_ended_ = true;
  for (const auto& [_, queue] : queues_) {
    for (const PollerPtr& poller : queue->pollers) {
      poller->last_call();
      poller->return_unused();
    }
    queue->pollers.clear();
  }
}

bool Queues::remove_poller(const std::string& name, const PollerPtr& poller) {
  Lock lock(mutex_);
  const auto it = queues_.find(name);
  if (it == queues_.end()) return closed_;
  Queue& queue = *it->second;
  const auto at = std::find(queue.pollers.begin(), queue.pollers.end(), poller);
  if (at == queue.pollers.end()) return closed_;
  queue.pollers.erase(at);
  touch(queue);
  run(std::move(lock));
  return true;
}

}  // namespace millrace::engine
