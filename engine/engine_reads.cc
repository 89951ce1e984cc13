// What is shown of an execution: its record, its history, its steps with all their attempts, its log.
#include "common/errors.h"
#include "engine/describe_links.h"
#include "engine/engine_impl.h"
#include "engine/history.h"
#include "engine/records/attempt_record.h"
#include "engine/records/rows.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

asio::awaitable<Engine::Impl::Found> Engine::Impl::find(std::string workflow_id, std::string run_id) {
  Found found;
  found.run_id = std::move(run_id);
  if (found.run_id.empty()) {
    const auto row = co_await core_->store->get(keys::current(workflow_id));
    if (!row) throw Error("workflow.not_found", "no workflow has the id " + workflow_id);
    found.run_id = decode_record<CurrentRow>(*row).run_id;
  }
  const auto record = co_await core_->store->get(keys::run(found.run_id));
  if (!record) throw Error("workflow.not_found", "no run has the id " + found.run_id);
  found.record = decode_record<RunRecord>(*record);
  if (!workflow_id.empty() && found.record.workflow_id != workflow_id)
    throw Error("workflow.not_found", "run " + found.run_id + " is not of workflow " + workflow_id);
  co_return found;
}

asio::awaitable<RunningPtr> Engine::Impl::find_open(std::string workflow_id, std::string run_id) {
  const Found found = co_await find(std::move(workflow_id), std::move(run_id));
  RunningPtr execution = core_->executions.find(found.run_id);
  if (!execution)
    throw Error("workflow.closed", "run " + found.run_id + " is " + std::string(to_string(found.record.status)));
  co_return execution;
}

asio::awaitable<Execution> Engine::Impl::read_execution(Found found) {
  Execution execution = to_execution(found.run_id, found.record);
  const auto first = co_await read_batch(*core_->store, found.run_id, 1);
  if (!first.empty())
    if (const auto* s = std::get_if<events::WorkflowExecutionStarted>(&first.front().attributes))
      execution.input = s->input.text;
  if (found.record.status == ExecutionStatus::completed) {
    const auto last = co_await read_batch(*core_->store, found.run_id, found.record.last_batch);
    for (const HistoryEvent& e : last)
      if (const auto* c = std::get_if<events::WorkflowExecutionCompleted>(&e.attributes))
        execution.result = c->result.text;
  }
  co_return execution;
}

asio::awaitable<Execution> Engine::Impl::wait_closed(std::string workflow_id, std::string run_id, Duration at_most) {
  if (run_id.empty()) run_id = (co_await find(workflow_id, {})).run_id;
  if (const RunningPtr execution = core_->executions.find(run_id)) {
    co_await execution->wait_closed(at_most);
    auto end = execution->final_state();
    if (end && (workflow_id.empty() || end->workflow_id == workflow_id)) co_return std::move(*end);
  }
  auto found = co_await find(std::move(workflow_id), std::move(run_id));
  co_return co_await read_execution(std::move(found));
}

asio::awaitable<void> Engine::Impl::wait_event(std::string workflow_id, std::string run_id, std::uint64_t after,
                                               Duration at_most) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  if (const RunningPtr execution = core_->executions.find(found.run_id)) co_await execution->wait_event(after, at_most);
}

namespace {

// Fills steps and timers from one event after the other.
void describe_event_into(ExecutionDetail& detail, std::map<std::uint64_t, std::size_t>& by_id,
                         const HistoryEvent& event) {
  const auto step_of = [&](std::uint64_t id) -> StepDescription* {
    const auto it = by_id.find(id);
    return it == by_id.end() ? nullptr : &detail.steps[it->second];
  };
  const auto close = [&](std::uint64_t id, StepState state) {
    StepDescription* s = step_of(id);
    if (s == nullptr) return s;
    s->state = state;
    s->closed = event.time;
    return s;
  };
  if (const auto* a = std::get_if<events::ActivityTaskScheduled>(&event.attributes)) {
    StepDescription s;
    s.activity_id = a->activity_id;
    s.type = a->activity_type;
    s.scheduled_event_id = event.id;
    s.scheduled = event.time;
    s.queue = a->task_queue;
    if (a->priority != 0) s.priority = a->priority;
    s.fairness_key = a->fairness_key;
    s.limit_keys = a->limit_keys;
    if (!a->started_by.empty()) {
      Attempt first;
      first.number = 1;
      first.started = event.time;
      s.state = StepState::running;
      s.attempts.push_back(std::move(first));
    }
    by_id.emplace(event.id, detail.steps.size());
    detail.steps.push_back(std::move(s));
  } else if (const auto* c = std::get_if<events::ActivityTaskCompleted>(&event.attributes)) {
    if (auto* s = close(c->scheduled_event_id, StepState::completed)) s->result = c->result.text;
  } else if (const auto* f = std::get_if<events::ActivityTaskFailed>(&event.attributes)) {
    if (auto* s = close(f->scheduled_event_id, StepState::failed)) s->last_failure = f->failure;
  } else if (const auto* t = std::get_if<events::ActivityTaskTimedOut>(&event.attributes)) {
    if (auto* s = close(t->scheduled_event_id, StepState::timed_out)) s->last_failure = t->failure;
  } else if (const auto* x = std::get_if<events::ActivityTaskCanceled>(&event.attributes)) {
    close(x->scheduled_event_id, StepState::canceled);
  } else if (const auto* ts = std::get_if<events::TimerStarted>(&event.attributes)) {
    PendingTimer timer;
    timer.timer_id = ts->timer_id;
    timer.started_event_id = event.id;
    timer.fires = ts->fires;
    detail.timers.push_back(std::move(timer));
  } else if (const auto* tf = std::get_if<events::TimerFired>(&event.attributes)) {
    std::erase_if(detail.timers, [&](const PendingTimer& x) { return x.started_event_id == tf->started_event_id; });
  } else if (const auto* tc = std::get_if<events::TimerCanceled>(&event.attributes)) {
    std::erase_if(detail.timers, [&](const PendingTimer& x) { return x.started_event_id == tc->started_event_id; });
  } else if (is_closing_event(type_of(event))) {
    // What was pending ended with the run.
    for (StepDescription& s : detail.steps) {
      if (s.closed) continue;
      s.state = StepState::canceled;
      s.closed = event.time;
    }
    detail.timers.clear();
    if (const auto* done = std::get_if<events::WorkflowExecutionCompleted>(&event.attributes))
      detail.execution.result = done->result.text;
  } else if (const auto* started = std::get_if<events::WorkflowExecutionStarted>(&event.attributes)) {
    detail.execution.input = started->input.text;
  }
}

}  // namespace

asio::awaitable<ExecutionDetail> Engine::Impl::describe(std::string workflow_id, std::string run_id) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  state::Store& store = *core_->store;
  ExecutionDetail detail;
  detail.execution = to_execution(found.run_id, found.record);
  std::map<std::uint64_t, std::size_t> by_id;
  HistoryReader reader(store, found.run_id);
  for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next())
    for (const HistoryEvent& event : events) {
      describe_event_into(detail, by_id, event);
      describe_link_into(detail, event);
    }

  state::Range attempts = state::prefix_range(keys::attempts_of_run_prefix(found.run_id));
  for (;;) {
    const auto rows = co_await store.scan(attempts);
    if (rows.empty()) break;
    for (const state::KeyValue& row : rows) {
      state::KeyReader key(row.key);
      (void)key.str();
      const auto it = by_id.find(key.u64());
      if (it == by_id.end()) continue;
      StepDescription& step = detail.steps[it->second];
      const auto record = decode_record<AttemptRecord>(row.value);
      const std::uint32_t number = key.u32();
      if (!step.attempts.empty() && step.attempts.back().number == number) step.attempts.pop_back();
      step.attempts.push_back(to_attempt(number, record));
      if (record.failure && !step.closed) step.last_failure = record.failure;
      if (record.heartbeat) step.heartbeat = *record.heartbeat;
      if (!step.closed && record.outcome == AttemptOutcome::running) step.state = StepState::running;
    }
    attempts.begin = rows.back().key + '\0';
  }
  for (StepDescription& step : detail.steps) {
    if (!step.closed || step.attempts.empty() || step.attempts.back().ended) continue;
    step.attempts.back().ended = step.closed;
    if (step.state != StepState::completed) step.attempts.back().failure = step.last_failure;
  }
  state::Range checkpoints = state::prefix_range(keys::step_checkpoints_of_run_prefix(found.run_id));
  for (;;) {
    const auto rows = co_await store.scan(checkpoints);
    if (rows.empty()) break;
    for (const state::KeyValue& row : rows) {
      state::KeyReader key(row.key);
      (void)key.str();
      const auto it = by_id.find(key.u64());
      if (it == by_id.end()) continue;
      auto value = decode_record<CheckpointRow>(row.value);
      detail.steps[it->second].checkpoints[key.str()] = std::move(value.state);
    }
    checkpoints.begin = rows.back().key + '\0';
  }
  if (const RunningPtr execution = core_->executions.find(found.run_id)) {
    RunningExecution::Live live = co_await execution->live();
    detail.pending_signals = std::move(live.signals);
    for (const auto& [id, s] : live.steps) {
      const auto it = by_id.find(id);
      if (it == by_id.end() || detail.steps[it->second].closed) continue;
      StepDescription& step = detail.steps[it->second];
      step.state = s.state;
      step.next_attempt = s.next_attempt;
      step.paused = s.paused;
      step.pause_reason = s.pause_reason;
      step.waiting_for = s.waiting_for;
      if (s.heartbeat) step.heartbeat = *s.heartbeat;
    }
  }
  co_return detail;
}

asio::awaitable<std::vector<EventView>> Engine::Impl::history(std::string workflow_id, std::string run_id,
                                                              std::uint64_t after, std::size_t limit) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  std::vector<EventView> views;
  // The batch that holds the event behind `after`: the last that begins at or before it.
  std::uint64_t first = 1;
  if (after > 0) {
    state::Range range = state::prefix_range(keys::history_prefix(found.run_id));
    range.end = keys::history(found.run_id, after + 1) + '\0';
    range.reverse = true;
    range.limit = 1;
    const auto rows = co_await core_->store->scan(range);
    if (rows.empty()) co_return views;
    state::KeyReader key(rows.front().key);
    (void)key.str();
    first = key.u64();
  }
  HistoryReader reader(*core_->store, found.run_id, first);
  for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next()) {
    for (const HistoryEvent& event : events) {
      if (event.id <= after) continue;
      if (views.size() >= limit) co_return views;
      views.push_back(view_of(event));
    }
  }
  co_return views;
}

asio::awaitable<std::vector<LogLine>> Engine::Impl::log(std::string workflow_id, std::string run_id,
                                                        std::uint64_t after, std::size_t limit) {
  const auto found = co_await find(std::move(workflow_id), std::move(run_id));
  std::vector<LogLine> lines;
  state::Range range = state::prefix_range(keys::log_prefix(found.run_id));
  range.begin = keys::log(found.run_id, after + 1);
  while (lines.size() < limit) {
    range.limit = std::min<std::size_t>(limit - lines.size(), 1000);
    const auto rows = co_await core_->store->scan(range);
    if (rows.empty()) break;
    for (const state::KeyValue& row : rows) {
      auto value = decode_record<LogRow>(row.value);
      state::KeyReader key(row.key);
      (void)key.str();
      LogLine line;
      line.seq = key.u64();
      line.time = value.time;
      line.level = value.level;
      line.step = std::move(value.step);
      line.text = std::move(value.text);
      lines.push_back(std::move(line));
    }
    range.begin = rows.back().key + '\0';
  }
  co_return lines;
}

}  // namespace millrace::engine
