#include "engine/schedules/schedules.h"

#include "common/errors.h"
#include "common/log.h"
#include "engine/schedules/schedules_impl.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr int kTries = 50;

// The number that a request with this id has been given before.
std::optional<std::uint64_t> taken(const Schedule& s, const std::string& request_id) {
  if (request_id.empty()) return std::nullopt;
  for (const TakenRequest& r : s.requests)
    if (r.id == request_id) return r.number;
  return std::nullopt;
}

std::uint64_t take_number(Schedule& s, const std::string& request_id) {
  ++s.numbers;
  if (request_id.empty()) return s.numbers;
  TakenRequest r;
  r.id = request_id;
  r.number = s.numbers;
  s.requests.push_back(std::move(r));
  if (s.requests.size() > Schedule::kMaxRequests) s.requests.erase(s.requests.begin());
  return s.numbers;
}

asio::awaitable<void> run_queue(TimerQueue* timers) { co_await timers->run(); }

// The action "workflow": a workflow of a type, with its input.
asio::awaitable<void> start_workflow(std::shared_ptr<Engine> engine, Runtime runtime, ScheduledStart start) {
  const nlohmann::json& action = start.schedule.action;
  StartRequest request;
  request.type = action.value("type", "");
  request.workflow_id = start.workflow_id;
  request.run_id = runtime.uuid();
  request.request_id = start.request_id;
  if (action.contains("input")) request.input = action.at("input").dump();
  nlohmann::json memo = action.value("memo", nlohmann::json::object());
  memo["scheduleId"] = start.schedule.id;
  memo["scheduledTime"] = format_time(from_seconds(start.due.nominal));
  request.memo = memo.dump();
  const auto seconds = action.value("runTimeoutSeconds", std::int64_t{0});
  if (seconds > 0) request.run_timeout = std::chrono::seconds(seconds);
  start.beside(request.extra, request.workflow_id, request.run_id);
  co_await engine->start_workflow(std::move(request));
}

}  // namespace

Schedules::Schedules(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<Engine> engine)
    : impl_(std::make_shared<Impl>(runtime, std::move(store), engine)) {
  add_action("workflow",
             [engine, runtime](ScheduledStart start) { return start_workflow(engine, runtime, std::move(start)); });
}
Schedules::~Schedules() = default;

void Schedules::add_action(std::string kind, StartAction action) {
  impl_->actions[std::move(kind)] = std::move(action);
}

asio::awaitable<void> Schedules::start() {
  auto impl = impl_;
  impl->tasks.spawn("schedule timers", run_queue(&impl->timers));
  const auto all = co_await list();
  for (const Schedule& s : all) impl->wake(s.id);
}

asio::awaitable<void> Schedules::stop() {
  auto impl = impl_;
  impl->timers.stop();
  co_await impl->tasks.stop();
}

asio::awaitable<std::optional<Schedules::Impl::Stored>> Schedules::Impl::read(std::string id) {
  std::optional<Stored> out;
  auto row = co_await store->get(keys::schedule(id));
  if (!row) co_return out;
  out.emplace();
  out->schedule = decode_schedule(*row);
  out->row = std::move(*row);
  co_return out;
}

asio::awaitable<Schedule> Schedules::Impl::change(std::string id, std::function<void(Schedule&)> f) {
  for (int i = 0; i < kTries; ++i) {
    auto stored = co_await read(id);
    if (!stored) throw Error("schedule.not_found", "there is no schedule \"" + id + "\"");
    f(stored->schedule);
    state::Batch batch;
    const std::string key = keys::schedule(id);
    batch.expect(key, stored->row);
    batch.put(key, encode_schedule(stored->schedule));
    const auto done = co_await store->commit(std::move(batch));
    if (done == state::Commit::done) {
      wake(id);
      co_return std::move(stored->schedule);
    }
  }
  throw Error("schedule.busy", "\"" + id + "\" changes faster than this request could be written");
}

ScheduleSpec Schedules::spec_of(const Schedule& schedule) {
  std::vector<calendar::Fault> faults;
  ScheduleSpec spec = ScheduleSpec::parse(schedule.spec, "", faults);
  if (!faults.empty()) throw Error("schedule.invalid", "spec" + faults[0].pointer + " " + faults[0].detail);
  return spec;
}

std::vector<Upcoming> Schedules::preview(const ScheduleSpec& spec, const std::string& id, WallTime after,
                                         std::size_t count) {
  std::vector<Upcoming> out;
  for (auto t = next_time(spec, seconds_floor(after)); t && out.size() < count; t = next_time(spec, *t)) {
    Upcoming one;
    one.nominal = *t;
    one.actual = actual_time(spec, id, *t);
    out.push_back(one);
  }
  return out;
}

asio::awaitable<Schedule> Schedules::create(Schedule s) {
  auto impl = impl_;
  (void)spec_of(s);
  s.created = impl->runtime.now();
  s.updated = s.created;
  if (s.mark == 0) s.mark = seconds_floor(s.created);
  state::Batch batch;
  const std::string key = keys::schedule(s.id);
  batch.expect_absent(key);
  batch.put(key, encode_schedule(s));
  const auto done = co_await impl->store->commit(std::move(batch));
  if (done != state::Commit::done) {
    auto stored = co_await impl->read(s.id);
    if (stored && !s.request_id.empty() && stored->schedule.request_id == s.request_id)
      co_return std::move(stored->schedule);
    throw Error("schedule.exists", "there is a schedule \"" + s.id + "\"");
  }
  log_info("schedule created", {{"schedule", s.id}});
  impl->wake(s.id);
  co_return s;
}

asio::awaitable<Schedule> Schedules::get(std::string id) {
  auto impl = impl_;
  auto stored = co_await impl->read(id);
  if (!stored) throw Error("schedule.not_found", "there is no schedule \"" + id + "\"");
  co_return std::move(stored->schedule);
}

asio::awaitable<std::vector<Schedule>> Schedules::list() {
  auto impl = impl_;
  std::vector<Schedule> out;
  state::Range range = state::prefix_range(keys::schedule_prefix());
  for (;;) {
    const auto rows = co_await impl->store->scan(range);
    if (rows.empty()) break;
    for (const state::KeyValue& row : rows) out.push_back(decode_schedule(row.value));
    range.begin = rows.back().key + '\0';
  }
  co_return out;
}

asio::awaitable<Schedule> Schedules::update(std::string id, std::function<void(Schedule&)> f) {
  auto impl = impl_;
  const WallTime now = impl->runtime.now();
  auto told = std::make_shared<Decision>();
  std::function<void(Schedule&)> edit = [f, now, told](Schedule& s) {
    *told = Decision();
    const Schedule before = s;
    f(s);
    (void)spec_of(s);
    s.updated = now;
    if (before.paused && !s.paused)
      pass_over(s, *told, spec_of(before), now, "paused");
    else if (before.spec != s.spec)
      pass_over(s, *told, spec_of(before), now, "changed");
  };
  auto s = co_await impl->change(std::move(id), std::move(edit));
  tell_missed(s, told->missed);
  co_return s;
}

asio::awaitable<void> Schedules::remove(std::string id) {
  auto impl = impl_;
  for (int i = 0; i < kTries; ++i) {
    const auto stored = co_await impl->read(id);
    if (!stored) throw Error("schedule.not_found", "there is no schedule \"" + id + "\"");
    state::Batch batch;
    const std::string key = keys::schedule(id);
    batch.expect(key, stored->row);
    batch.erase(key);
    const auto done = co_await impl->store->commit(std::move(batch));
    if (done != state::Commit::done) continue;
    log_info("schedule deleted", {{"schedule", id}});
    impl->forget(id);
    co_return;
  }
  throw Error("schedule.busy", "\"" + id + "\" changes faster than this request could be written");
}

asio::awaitable<Schedule> Schedules::pause(std::string id, std::string note) {
  auto impl = impl_;
  const WallTime now = impl->runtime.now();
  std::function<void(Schedule&)> f = [note, now](Schedule& s) {
    if (!s.paused) s.updated = now;
    s.paused = true;
    s.note = note;
  };
  co_return co_await impl->change(std::move(id), std::move(f));
}

asio::awaitable<Schedule> Schedules::unpause(std::string id, std::string note) {
  auto impl = impl_;
  const WallTime now = impl->runtime.now();
  auto told = std::make_shared<Decision>();
  std::function<void(Schedule&)> f = [note, now, told](Schedule& s) {
    *told = Decision();
    if (s.paused) pass_over(s, *told, spec_of(s), now, "paused");
    s.paused = false;
    s.note = note;
    s.updated = now;
  };
  auto s = co_await impl->change(std::move(id), std::move(f));
  tell_missed(s, told->missed);
  co_return s;
}

asio::awaitable<Triggered> Schedules::trigger(std::string id, std::optional<Overlap> overlap, std::string request_id) {
  auto impl = impl_;
  DueStart due;
  due.cause = Cause::trigger;
  due.actual = impl->runtime.now();
  due.nominal = seconds_floor(due.actual);
  due.overlap = overlap;
  auto number = std::make_shared<std::uint64_t>(0);
  std::function<void(Schedule&)> f = [due, number, request_id](Schedule& s) mutable {
    const auto before = taken(s, request_id);
    if (before) {
      *number = *before;
      return;
    }
    if (s.buffer.size() >= Schedule::kMaxBuffer)
      throw Error("schedule.busy", std::to_string(s.buffer.size()) + " starts of \"" + s.id + "\" wait");
    due.number = take_number(s, request_id);
    *number = due.number;
    s.buffer.push_back(due);
  };
  co_await impl->change(id, std::move(f));
  const auto over = impl->wake(id);
  co_await over->wait();
  Triggered out;
  out.nominal = due.nominal;
  const auto stored = co_await impl->read(id);
  if (!stored) co_return out;
  for (const StartedRun& run : stored->schedule.recent)
    if (run.due.cause == Cause::trigger && run.due.number == *number) out.started = run;
  for (const MissedTime& m : stored->schedule.missed)
    if (m.cause == Cause::trigger && m.number == *number) out.missed = m;
  if (out.started) out.nominal = out.started->due.nominal;
  if (out.missed) out.nominal = out.missed->nominal;
  co_return out;
}

asio::awaitable<Schedule> Schedules::backfill(std::string id, WallTime from, WallTime to, Overlap overlap,
                                              std::string request_id) {
  auto impl = impl_;
  std::function<void(Schedule&)> f = [from, to, overlap, request_id](Schedule& s) {
    if (taken(s, request_id)) return;
    if (s.backfills.size() >= Schedule::kMaxBackfills)
      throw Error("schedule.busy", std::to_string(s.backfills.size()) + " backfills of \"" + s.id + "\" wait");
    Backfill b;
    b.number = take_number(s, request_id);
    b.mark = seconds_floor(from - Duration(1));
    b.end = seconds_floor(to);
    b.overlap = overlap;
    s.backfills.push_back(b);
  };
  co_return co_await impl->change(std::move(id), std::move(f));
}

}  // namespace millrace::engine
