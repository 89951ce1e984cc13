// What is shown of the queues: why a step waits, views, metrics; and how limits change while the server runs.
#include <algorithm>

#include <fmt/format.h>

#include "engine/queues/queue.h"
#include "engine/queues/queues.h"

namespace millrace::engine {
namespace {

constexpr std::size_t kShown = 100;     // keys of a view
constexpr std::size_t kLabelled = 100;  // queues with metrics of their own

std::string rate_text(double rate) { return fmt::format("{:g} a second", rate); }

// Seconds a step may wait: up to days.
const std::vector<double>& wait_buckets() {
  static const std::vector<double> all = {0.001, 0.01, 0.1, 1, 10, 60, 600, 3'600, 21'600, 86'400};
  return all;
}

}  // namespace

QueueMetrics::QueueMetrics(const std::string& queue)
    : backlog(metric_gauge("millrace_task_queue_backlog", "Steps that wait in a task queue",
                           {{"queue", queue}, {"kind", "activity"}})),
      oldest(metric_gauge("millrace_task_queue_oldest_age_seconds", "Since when the step that waits longest waits",
                          {{"queue", queue}})),
      used(metric_gauge("millrace_worker_slots", "Slots of a task queue", {{"queue", queue}, {"state", "used"}})),
      free(metric_gauge("millrace_worker_slots", "Slots of a task queue", {{"queue", queue}, {"state", "free"}})),
      schedule_to_start(metric_histogram("millrace_activity_schedule_to_start_seconds",
                                         "From when an attempt could start to when it got its slot", wait_buckets(),
                                         {{"queue", queue}})) {}

void Queues::show(Queue& queue) {
  if (!queue.metrics) {
    std::size_t labelled = 0;
    for (const auto& [_, q] : queues_)
      if (q->metrics) ++labelled;
    queue.metrics = std::make_shared<QueueMetrics>(labelled < kLabelled ? queue.name : "other");
  }
  QueueMetrics& m = *queue.metrics;
  m.backlog.set(static_cast<double>(queue.order.size()));
  m.used.set(static_cast<double>(queue.running));
  const bool bounded = queue.limits.concurrency != Limits::kNoBound;
  m.free.set(bounded && queue.running < queue.limits.concurrency
                 ? static_cast<double>(queue.limits.concurrency - queue.running)
                 : 0);
  if (queue.order.empty()) m.oldest.set(0);
}

void Queues::refresh_metrics() {
  const std::lock_guard lock(mutex_);
  const WallTime now = runtime_.now();
  for (const auto& [_, q] : queues_) {
    show(*q);
    if (!q->order.empty()) q->metrics->oldest.set(std::max(0.0, to_seconds(now - q->order.begin()->first)));
  }
}

std::optional<WaitingFor> Queues::waiting_for(TaskId id) {
  std::optional<WaitingFor> out;
  const std::lock_guard lock(mutex_);
  const auto it = waiters_.find(id);
  if (it == waiters_.end()) return out;
  const Waiter& w = it->second;
  Queue& queue = *w.queue;
  const MonoTime now = runtime_.mono();
  out.emplace();
  out->queue = queue.name;
  out->position = w.lane->line->ahead_of(*w.lane, w.order) + 1;
  Gate* closed = nullptr;
  for (Gate* gate : w.lane->gates)
    if (closed == nullptr && !gate->is_open(now)) closed = gate;
  if (closed != nullptr) {
    out->limit_key = closed->key;
    const bool full = closed->running >= closed->limits.concurrency;
    out->reason = full ? "key_full" : "key_rate";
    out->detail =
        full ? fmt::format("{} of {} steps run under the key {}", closed->running, closed->limits.concurrency,
                           closed->key)
             : fmt::format("under the key {} start {}", closed->key, rate_text(closed->limits.rate_per_second));
  } else if (queue.running >= queue.limits.concurrency) {
    out->reason = "queue_full";
    out->detail =
        fmt::format("{} of {} steps of the queue {} run", queue.running, queue.limits.concurrency, queue.name);
  } else if (!queue.bucket.has(now)) {
    out->reason = "queue_rate";
    out->detail = fmt::format("of the queue {} start {}", queue.name, rate_text(queue.limits.rate_per_second));
  } else if (w.task.external) {
    out->reason = "no_worker";
    out->detail = fmt::format("no worker that takes steps of type {} polls the queue {}", w.task.type, queue.name);
  } else {
    out->reason = "turn";
    out->detail = "its turn comes next";
  }
  return out;
}

QueueView Queues::view_of(Queue& queue) {
  QueueView v;
  v.name = queue.name;
  v.limits = queue.limits;
  v.running = queue.running;
  v.waiting = queue.order.size();
  v.waiting_for_workers = queue.external.waiting();
  v.pollers = queue.pollers.size();
  if (!queue.order.empty()) v.oldest = queue.order.begin()->first;
  for (const WaitingLine* line : {&queue.own, &queue.external})
    for (const FairGroup* g : line->groups()) {
      QueueView::Key key;
      key.key = g->key;
      key.priority = g->priority;
      key.weight = g->weight;
      key.waiting = g->waiting;
      v.fairness_keys.push_back(std::move(key));
    }
  std::stable_sort(v.fairness_keys.begin(), v.fairness_keys.end(),
                   [](const auto& a, const auto& b) { return a.waiting > b.waiting; });
  if (v.fairness_keys.size() > kShown) v.fairness_keys.resize(kShown);
  for (const auto& [_, gate] : gates_) {
    if (v.limit_keys.size() == kShown) break;
    QueueView::Limit limit;
    limit.key = gate->key;
    limit.limits = gate->limits;
    limit.running = gate->running;
    limit.waiting = gate->waiting;
    v.limit_keys.push_back(std::move(limit));
  }
  return v;
}

std::vector<QueueView> Queues::list() {
  std::vector<QueueView> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [_, q] : queues_) all.push_back(view_of(*q));
  return all;
}

std::optional<QueueView> Queues::view(const std::string& queue) {
  std::optional<QueueView> out;
  const std::lock_guard lock(mutex_);
  if (const auto it = queues_.find(queue); it != queues_.end()) out = view_of(*it->second);
  return out;
}

void Queues::configure(const std::string& name, Limits limits) {
  Lock lock(mutex_);
  settings_.queues[name] = limits;
  Queue& queue = queue_of(name);
  queue.limits = limits;
  queue.bucket.set_rate(limits.rate_per_second, runtime_.mono());
  timers_.cancel(queue.timer);
  touch(queue);
  run(std::move(lock));
}

void Queues::configure(QueueSettings settings) {
  Lock lock(mutex_);
  settings_ = std::move(settings);
  const MonoTime now = runtime_.mono();
  for (const auto& [name, _] : settings_.queues) queue_of(name);
  for (const auto& [name, q] : queues_) {
    q->limits = limits_of_queue(name);
    q->bucket.set_rate(q->limits.rate_per_second, now);
    timers_.cancel(q->timer);
    touch(*q);
  }
  for (const auto& [key, gate] : gates_) {
    gate->limits = limits_of_key(key);
    gate->bucket.set_rate(gate->limits.rate_per_second, now);
    timers_.cancel(gate->timer);
    open(*gate, now);
  }
  run(std::move(lock));
}

}  // namespace millrace::engine
