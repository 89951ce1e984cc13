#include "engine/engine_metrics.h"

namespace millrace::engine {

struct EngineMetrics::OfType {
  explicit OfType(const std::string& type)
      : started(metric_counter("millrace_workflow_started_total", "Executions that began.", {{"type", type}})),
        completed(metric_counter("millrace_workflow_completed_total", "Executions that completed.", {{"type", type}})),
        failed(
            metric_counter("millrace_workflow_failed_total", "Executions that failed or timed out.", {{"type", type}})),
        canceled(
            metric_counter("millrace_workflow_canceled_total", "Executions that ended as asked to.", {{"type", type}})),
        terminated(
            metric_counter("millrace_workflow_terminated_total", "Executions ended by force.", {{"type", type}})),
        open(metric_gauge("millrace_workflow_open", "Executions that are not closed.", {{"type", type}})),
        blocked(metric_gauge("millrace_workflow_blocked",
                             "Open executions whose code does not agree with their history.", {{"type", type}})),
        seconds(metric_histogram("millrace_workflow_endtoend_seconds", "From start to close.",
                                 {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 3600, 36000}, {{"type", type}})) {}
  Counter started, completed, failed, canceled, terminated;
  Gauge open, blocked;
  Histogram seconds;
};

EngineMetrics::OfType& EngineMetrics::of(const std::string& type) {
  std::lock_guard lock(mutex_);
  auto& slot = types_[type];
  if (!slot) slot = std::make_shared<OfType>(type);
  return *slot;
}

void EngineMetrics::started(const std::string& type) { of(type).started.add(); }
void EngineMetrics::evicted(int count) {
  static Counter counter = metric_counter("millrace_workflow_evicted_total",
                                          "Executions that left memory while they wait, to be replayed when needed");
  counter.add(count);
}

void EngineMetrics::opened(const std::string& type, int change) { of(type).open.add(change); }
void EngineMetrics::blocked(const std::string& type, int change) { of(type).blocked.add(change); }

void EngineMetrics::closed(const std::string& type, ExecutionStatus status, Duration took) {
  OfType& m = of(type);
  m.seconds.observe(to_seconds(took));
  switch (status) {
    case ExecutionStatus::completed:
      m.completed.add();
      break;
    case ExecutionStatus::failed:
    case ExecutionStatus::timed_out:
      m.failed.add();
      break;
    case ExecutionStatus::canceled:
      m.canceled.add();
      break;
    case ExecutionStatus::terminated:
      m.terminated.add();
      break;
    default:
      break;
  }
}

void EngineMetrics::attempt(const std::string& step_type, AttemptOutcome outcome, bool timed_out) {
  std::string word;
  switch (outcome) {
    case AttemptOutcome::completed:
      word = "completed";
      break;
    case AttemptOutcome::failed:
      word = timed_out ? "timed_out" : "failed";
      break;
    case AttemptOutcome::unknown:
      word = "unknown_outcome";
      break;
    case AttemptOutcome::suspended:
      word = "suspended";
      break;
    case AttemptOutcome::running:
      return;
  }
  std::lock_guard lock(mutex_);
  const auto key = std::make_pair(step_type, word);
  auto it = attempts_.find(key);
  if (it == attempts_.end())
    it = attempts_
             .emplace(key, metric_counter("millrace_activity_attempts_total", "Attempts of steps, by how they ended.",
                                          {{"type", step_type}, {"outcome", word}}))
             .first;
  it->second.add();
}

}  // namespace millrace::engine
