// What a schedule does when its time has come: turns.
#include <algorithm>

#include "common/errors.h"
#include "common/log.h"
#include "common/metrics.h"
#include "engine/schedules/schedules_impl.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr Duration kRetry = std::chrono::seconds(1);
// The wall clock may be set: a time far away is looked at again so often.
constexpr Duration kLongestSleep = std::chrono::seconds(60);
constexpr Duration kWatch = std::chrono::hours(1);
constexpr int kMaxSteps = 10'000;  // of one turn: more means that nothing moves

// 2026-11-25T02:00:00Z
std::string stamp(std::int64_t nominal) { return format_time(from_seconds(nominal)).substr(0, 19) + "Z"; }

std::string workflow_id_of(const Schedule& s, const DueStart& due) {
  std::string id = s.action.value("workflowId", s.id) + "-" + stamp(due.nominal);
  if (due.cause == Cause::trigger) id += "-t" + std::to_string(due.number);
  if (due.cause == Cause::backfill) id += "-b" + std::to_string(due.number);
  return id;
}

// The moment of making is part of it: a schedule of the same id that was deleted is another.
std::string request_id_of(const Schedule& s, const DueStart& due) {
  return "schedule/" + s.id + "/" + std::to_string(to_micros(s.created)) + "/" + std::string(to_string(due.cause)) +
         "/" + std::to_string(due.number) + "/" + std::to_string(due.nominal);
}

void set_status(Schedule& s, const std::string& run_id, const std::string& status) {
  for (StartedRun& run : s.recent)
    if (run.run_id == run_id) run.status = status;
}

void count_action(const char* outcome, std::uint64_t n) {
  metric_counter("millrace_schedule_actions_total", "What became of scheduled times", {{"outcome", outcome}})
      .add(double(n));
}

}  // namespace

void tell_missed(const Schedule& s, const std::vector<MissedTime>& missed) {
  for (const MissedTime& m : missed) {
    log_warn("a scheduled time started nothing", {{"schedule", s.id},
                                                  {"time", stamp(m.nominal)},
                                                  {"cause", to_string(m.cause)},
                                                  {"reason", m.reason},
                                                  {"detail", m.detail},
                                                  {"count", m.count}});
    metric_counter("millrace_schedule_missed_total", "Scheduled times that started nothing, by reason",
                   {{"reason", m.reason}})
        .add(double(m.count));
    const bool overlaps = m.reason == "overlap" || m.reason == "buffered" || m.reason == "busy";
    count_action(overlaps ? "overlap_skipped" : "missed", m.count);
  }
}

std::shared_ptr<Event> Schedules::Impl::wake(const std::string& id) {
  auto over = std::make_shared<Event>();
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[id];
    entry.waiters.push_back(over);
    if (entry.busy) {
      entry.again = true;
      return over;
    }
    entry.busy = true;
  }
  tasks.spawn("schedule", turns(shared_from_this(), id));
  return over;
}

void Schedules::Impl::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(id);
  if (it == entries_.end()) return;
  timers.cancel(it->second.timer);
  if (!it->second.busy) entries_.erase(it);
}

// With the lock held.
void Schedules::Impl::arm(Entry& entry, const std::string& id, WallTime when) {
  const WallTime latest = std::min(when, runtime.now() + kLongestSleep);
  timers.cancel(entry.timer);
  entry.timer = timers.add_at(latest, [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->wake(id);
  });
}

asio::awaitable<void> Schedules::Impl::turns(std::shared_ptr<Impl> self, std::string id) {
  for (;;) {
    Next next;
    std::exception_ptr error;
    std::vector<std::shared_ptr<Event>> waiters;
    {
      const std::lock_guard lock(self->mutex_);
      waiters.swap(self->entries_[id].waiters);
    }
    try {
      next = co_await self->turn(id);
    } catch (...) {
      error = std::current_exception();
    }
    for (const auto& waiter : waiters) waiter->set();
    if (error && is_cancelled(error)) std::rethrow_exception(error);
    if (error) {
      log_warn("a schedule is tried again", {{"schedule", id}, {"error", millrace::describe(error)}});
      next.when = self->runtime.now() + kRetry;
    }
    const std::lock_guard lock(self->mutex_);
    Entry& entry = self->entries_[id];
    if (entry.again) {
      entry.again = false;
      continue;
    }
    entry.busy = false;
    if (next.gone) {
      self->timers.cancel(entry.timer);
      self->entries_.erase(id);
    } else if (next.when) {
      self->arm(entry, id, *next.when);
    }
    co_return;
  }
}

// Looks after the runs that were open. True: something changed.
asio::awaitable<bool> Schedules::Impl::refresh(std::shared_ptr<Schedule> s) {
  bool changed = false;
  std::vector<StartedRun> open;
  for (const StartedRun& run : s->running) {
    bool gone = false;
    std::optional<Execution> now;
    try {
      now = co_await engine->wait_closed(run.workflow_id, {}, Duration(0));
    } catch (const Error& e) {
      gone = e.code() == "workflow.not_found";
      if (!gone) throw;
    }
    // Continued: the next run of the chain is looked at when it is the current one.
    if (now && (!now->closed || now->status == ExecutionStatus::continued_as_new)) {
      open.push_back(run);
      continue;
    }
    changed = true;
    set_status(*s, run.run_id, now ? std::string(to_string(now->status)) : "Removed");
    const bool failed = now && (now->status == ExecutionStatus::failed || now->status == ExecutionStatus::timed_out);
    if (failed) ++s->counters["failed"];
    if (failed && s->pause_on_failure && !s->paused) {
      s->paused = true;
      s->note = "paused: " + run.workflow_id + " " + (now->status == ExecutionStatus::failed ? "failed" : "timed out") +
                (now->failure ? ": " + now->failure->message.substr(0, 500) : std::string());
      log_warn("a schedule was paused by a failure", {{"schedule", s->id}, {"workflow", run.workflow_id}});
    }
  }
  s->running = std::move(open);
  co_return changed;
}

asio::awaitable<bool> Schedules::Impl::write(std::string expected, Schedule schedule, std::vector<MissedTime> told) {
  state::Batch batch;
  const std::string key = keys::schedule(schedule.id);
  batch.expect(key, std::move(expected));
  batch.put(key, encode_schedule(schedule));
  const auto done = co_await store->commit(std::move(batch));
  if (done != state::Commit::done) co_return false;
  tell_missed(schedule, told);
  co_return true;
}

asio::awaitable<void> Schedules::Impl::end_running(Schedule s, bool terminate) {
  for (const StartedRun& run : s.running) {
    try {
      if (terminate)
        co_await engine->terminate(run.workflow_id, {}, "another run of schedule " + s.id + " takes its place");
      else
        co_await engine->request_cancel(run.workflow_id, {}, "another run of schedule " + s.id + " waits",
                                        "schedule/" + s.id + "/" + run.run_id);
    } catch (const Error& e) {
      if (e.code() != "workflow.closed" && e.code() != "workflow.not_found") throw;
    }
    if (terminate) co_await engine->wait_closed(run.workflow_id, {}, std::chrono::seconds(5));
  }
}

asio::awaitable<Schedules::Impl::Step> Schedules::Impl::start_one(Stored stored, Schedule decided, DueStart due,
                                                                  std::vector<MissedTime> told) {
  const auto action = actions.find(decided.action.value("kind", "workflow"));
  ScheduledStart start;
  start.due = due;
  start.workflow_id = workflow_id_of(decided, due);
  start.request_id = request_id_of(decided, due);
  auto written = std::make_shared<Schedule>(decided);
  const WallTime now = runtime.now();
  start.beside = [written, decided, due, now, expected = stored.row](
                     state::Batch& batch, const std::string& workflow_id, const std::string& run_id) {
    Schedule s = decided;
    StartedRun run;
    run.due = due;
    run.workflow_id = workflow_id;
    run.run_id = run_id;
    run.started = now;
    s.running.push_back(run);
    if (s.running.size() > Schedule::kMaxRunning) s.running.erase(s.running.begin());
    s.recent.push_back(run);
    if (s.recent.size() > Schedule::kRecent) s.recent.erase(s.recent.begin());
    ++s.counters["started"];
    if (s.remaining && *s.remaining > 0) --*s.remaining;
    const std::string key = keys::schedule(s.id);
    batch.expect(key, expected);
    batch.put(key, encode_schedule(s));
    *written = std::move(s);
  };
  start.schedule = decided;
  std::string reason, detail;
  bool tried_later = false;
  try {
    if (action == actions.end()) throw Error("schedule.invalid", "nothing starts actions of this kind");
    co_await action->second(std::move(start));
  } catch (const ScheduledSkip& skip) {
    reason = skip.reason;
    detail = skip.detail;
  } catch (const Error& e) {
    detail = e.what();
    if (e.code() == "workflow.start_refused" || e.code() == "resource.conflict")
      reason = "again";
    else if (e.code() == "workflow.already_running")
      reason = "busy";
    else if (e.kind() == ErrorKind::config && e.code() != "workflow.draining")
      reason = "refused";
    else
      tried_later = true;
  }
  if (tried_later) {
    log_warn("a scheduled start is tried again", {{"schedule", decided.id}, {"error", detail}});
    co_return Step::later;
  }
  if (reason == "again") co_return Step::again;
  if (!reason.empty()) {
    Decision d;
    miss(decided, d, due, now, reason, detail);
    told.insert(told.end(), d.missed.begin(), d.missed.end());
    co_await write(stored.row, std::move(decided), std::move(told));
    co_return Step::again;
  }
  // The same request id may have started it before, in which case the row was not written by this.
  const auto after = co_await store->get(keys::schedule(decided.id));
  if (after && *after == stored.row) co_await write(stored.row, *written, {});
  tell_missed(decided, told);
  log_info("schedule fired", {{"schedule", decided.id},
                              {"time", stamp(due.nominal)},
                              {"cause", to_string(due.cause)},
                              {"workflow", written->recent.empty() ? "" : written->recent.back().workflow_id}});
  count_action("success", 1);
  if (due.cause == Cause::time)
    metric_histogram("millrace_schedule_lateness_seconds", "From the time of a schedule to the start, waits included",
                     latency_buckets())
        .observe(to_seconds(runtime.now() - due.actual));
  co_return Step::again;
}

asio::awaitable<Schedules::Impl::Next> Schedules::Impl::turn(std::string id) {
  Next next;
  int tries = 0;
  for (int i = 0; i < kMaxSteps; ++i) {
    auto stored = co_await read(id);
    if (!stored) {
      next.gone = true;
      co_return next;
    }
    const WallTime now = runtime.now();
    auto s = std::make_shared<Schedule>(stored->schedule);
    const bool ended = co_await refresh(s);
    const ScheduleSpec spec = spec_of(*s);
    Decision d = decide(*s, spec, now);
    if (d.start) {
      const Step step = co_await start_one(*stored, *s, *d.start, d.missed);
      if (step == Step::later) {
        next.when = runtime.now() + kRetry;
        co_return next;
      }
      // What is refused time and again waits a little.
      if (++tries > 1'500) {
        next.when = runtime.now() + kRetry;
        co_return next;
      }
      continue;
    }
    if (ended || d.changed) {
      const bool done = co_await write(stored->row, *s, d.missed);
      if (!done) continue;
    }
    if (d.terminate_running) {
      co_await end_running(*s, true);
      continue;
    }
    if (d.cancel_running) co_await end_running(*s, false);
    watch_running(*s);
    if (!s->backfills.empty() && s->running.empty()) continue;
    if (!s->paused) {
      const auto t = next_time(spec, s->mark);
      if (t) next.when = actual_time(spec, s->id, *t);
    }
    co_return next;
  }
  next.when = runtime.now() + kRetry;
  co_return next;
}

void Schedules::Impl::watch_running(const Schedule& s) {
  std::vector<StartedRun> fresh;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[s.id];
    for (const StartedRun& run : s.running)
      if (entry.watched.insert(run.run_id).second) fresh.push_back(run);
  }
  for (const StartedRun& run : fresh)
    tasks.spawn("schedule watch", watch(shared_from_this(), s.id, run.workflow_id, run.run_id));
}

asio::awaitable<void> Schedules::Impl::watch(std::shared_ptr<Impl> self, std::string id, std::string workflow_id,
                                             std::string run_id) {
  std::exception_ptr error;
  try {
    co_await self->engine->wait_closed(workflow_id, {}, kWatch);
  } catch (...) {
    error = std::current_exception();
  }
  if (error && is_cancelled(error)) std::rethrow_exception(error);
  {
    const std::lock_guard lock(self->mutex_);
    const auto it = self->entries_.find(id);
    if (it == self->entries_.end()) co_return;
    it->second.watched.erase(run_id);
  }
  self->wake(id);
}

}  // namespace millrace::engine
