// What the executions of one engine share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/event.h"
#include "common/task_group.h"
#include "engine/engine.h"
#include "engine/engine_metrics.h"
#include "engine/idle_set.h"
#include "engine/loader.h"
#include "engine/queues/queues.h"
#include "engine/records/outbox_row.h"
#include "engine/timer_queue.h"

namespace millrace::engine {

class RunningExecution;
using RunningPtr = std::shared_ptr<RunningExecution>;

// Open executions by run id. Thread-safe.
class OpenExecutions {
 public:
  // False if there is one of this run.
  bool insert(const std::string& run_id, const RunningPtr& execution);
  // Only this one, not another of the same run.
  void erase(const std::string& run_id, const RunningExecution* execution);
  RunningPtr find(const std::string& run_id) const;
  std::vector<RunningPtr> all() const;
  std::size_t size() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, RunningPtr> executions_;
};

// Counts what is under way and tells when nothing is. Thread-safe.
class Busy {
 public:
  void enter();
  void leave();
  std::size_t count() const { return count_; }
  // Set whenever the count falls to 0.
  asio::awaitable<void> wait_idle();

 private:
  std::atomic<std::size_t> count_{0};
  Event idle_;
};

struct Core {
  Core(Runtime r, std::shared_ptr<state::Store> s, Registry reg, EngineOptions o)
      : runtime(std::move(r)),
        store(std::move(s)),
        registry(std::move(reg)),
        options(o),
        process(runtime.uuid()),
        timers(runtime),
        queues(std::make_shared<Queues>(runtime, timers, options.queues)),
        idle(options.idle_bytes),
        loader(options.recovery_at_once),
        tasks(runtime) {}
  ~Core() { queues->close(); }

  const Runtime runtime;
  const std::shared_ptr<state::Store> store;
  const Registry registry;
  const EngineOptions options;
  const std::string process;  // this life of the server; who ran an attempt
  EngineMetrics metrics;
  TimerQueue timers;
  const std::shared_ptr<Queues> queues;
  OpenExecutions executions;
  IdleSet idle;
  Loader loader;
  Busy steps;                         // attempts whose code runs
  Busy pumps;                         // executions that decide or write
  std::atomic<bool> draining{false};  // no new work
  std::atomic<bool> stopped{false};   // nothing more is written
  // Begins the delivery of an outbox row; set before anything runs.
  std::function<void(const std::string& key, const OutboxRow& row)> deliver;
  TaskGroup tasks;
};
using CorePtr = std::shared_ptr<Core>;

inline constexpr std::string_view kBuildId = MILLRACE_VERSION;

}  // namespace millrace::engine
