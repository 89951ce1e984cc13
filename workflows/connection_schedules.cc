#include "workflows/connection_schedules.h"

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"
#include "common/task_group.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;

namespace {

constexpr Duration kRetry = std::chrono::seconds(5);

asio::awaitable<void> start_sync(std::shared_ptr<Jobs> jobs, engine::ScheduledStart start) {
  JobRequest request;
  request.connection_id = start.schedule.action.value("connectionId", "");
  request.request_id = start.request_id;
  request.principal = resources::Principal("schedule");
  request.scheduled = start.due.cause == engine::Cause::time;
  request.beside = start.beside;
  try {
    co_await jobs->start(std::move(request));
  } catch (const JobConflict& e) {
    throw engine::ScheduledSkip("busy", e.detail());
  } catch (const Error& e) {
    if (e.code() == "resource.not_found") throw engine::ScheduledSkip("inactive", "the connection is gone");
    if (e.code() == "job.connection_inactive") throw engine::ScheduledSkip("inactive", "the connection is inactive");
    throw;
  }
}

}  // namespace

std::string connection_schedule_id(const std::string& connection_id) { return "connection-" + connection_id; }

std::optional<json> connection_times(const json& spec, std::int64_t phase) {
  if (spec.value("status", "active") != "active") return std::nullopt;
  const json schedule = spec.value("schedule", json::object());
  const std::string type = schedule.value("scheduleType", "manual");
  if (type == "cron")
    return json{{"crons", {schedule.value("cronExpression", "")}},
                {"timeZone", schedule.value("cronTimeZone", "UTC")},
                {"skipped", "run-after"}};
  if (type != "basic") return std::nullopt;
  const auto every = calendar::parse_basic_timing(schedule.value("basicTiming", ""));
  if (!every) return std::nullopt;
  return json{{"intervals", {{{"everySeconds", *every}, {"phaseSeconds", phase % *every}}}}};
}

class ConnectionSchedules::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Runtime r, std::shared_ptr<resources::Resources> res, std::shared_ptr<Jobs> j,
       std::shared_ptr<engine::Schedules> s)
      : runtime(r), resources(std::move(res)), jobs(std::move(j)), schedules(std::move(s)), tasks(r) {}

  // An empty id: all connections.
  void changed(const std::string& id) {
    const std::lock_guard lock(mutex);
    pending.push_back(id);
    wake.set();
  }

  static asio::awaitable<void> follow_changes(std::shared_ptr<Impl> self) {
    for (;;) {
      co_await self->wake.wait();
      std::string id;
      {
        const std::lock_guard lock(self->mutex);
        if (self->pending.empty()) {
          self->wake.reset();
          continue;
        }
        id = self->pending.front();
        self->pending.pop_front();
      }
      std::exception_ptr error;
      try {
        if (id.empty())
          co_await self->follow_all();
        else
          co_await self->follow(id);
      } catch (...) {
        error = std::current_exception();
      }
      if (!error) continue;
      if (is_cancelled(error)) std::rethrow_exception(error);
      log_warn("the schedule of a connection is made again later", {{"connection", id}, {"error", describe(error)}});
      self->changed(id);
      co_await self->runtime.sleep_for(kRetry);
    }
  }

  asio::awaitable<void> follow_all() {
    std::string next;
    do {
      const auto page = co_await resources->list(Kind::connection, 1'000, next);
      for (const auto& connection : page.items) co_await follow(connection.id);
      next = page.next;
    } while (!next.empty());
    const auto all = co_await schedules->list();
    for (const auto& s : all)
      if (s.owner.starts_with("connection/")) co_await follow(s.owner.substr(11));
  }

  asio::awaitable<std::optional<resources::Resource>> find(std::string id) {
    std::optional<resources::Resource> out;
    try {
      out = co_await resources->get(Kind::connection, id);
    } catch (const Error& e) {
      if (e.code() != "resource.not_found") throw;
    }
    co_return out;
  }
  asio::awaitable<std::optional<engine::Schedule>> find_schedule(std::string id) {
    std::optional<engine::Schedule> out;
    try {
      out = co_await schedules->get(connection_schedule_id(id));
    } catch (const Error& e) {
      if (e.code() != "schedule.not_found") throw;
    }
    co_return out;
  }

  // The times that the connection should have, and where the first of them lies: a basic schedule goes on from the last
  // sync, or begins at once.
  struct Wanted {
    Wanted() = default;
    json spec;
    std::int64_t mark = 0;  // 0: from now on
  };
  asio::awaitable<std::optional<Wanted>> wanted_for(resources::Resource connection,
                                                    std::optional<engine::Schedule> existing) {
    std::optional<Wanted> out;
    const json spec = json::parse(connection.spec);
    auto times = connection_times(spec, 0);
    if (!times) co_return out;
    out.emplace();
    if (times->contains("intervals")) {
      const std::int64_t every = times->at("intervals").at(0).at("everySeconds").get<std::int64_t>();
      const json* before = nullptr;
      if (existing && existing->spec.contains("intervals")) before = &existing->spec.at("intervals").at(0);
      if (before != nullptr && before->value("everySeconds", std::int64_t{0}) == every) {
        times = existing->spec;
      } else {
        const std::int64_t now = engine::seconds_floor(runtime.now());
        std::int64_t first = now;
        JobFilter filter;
        filter.connection_id = connection.id;
        filter.job_type = "sync";
        filter.limit = 1;
        const json last = json::parse(co_await jobs->list_json(filter));
        if (!last.at("data").empty()) {
          const auto started = parse_time(last.at("data").at(0).value("startTime", ""));
          if (started) first = std::max(now, engine::seconds_floor(*started) + every);
        }
        times = connection_times(spec, first);
        out->mark = first - 1;
      }
    }
    out->spec = std::move(*times);
    co_return out;
  }

  asio::awaitable<void> follow(std::string id) {
    const auto connection = co_await find(id);
    const auto existing = co_await find_schedule(id);
    std::optional<Wanted> wanted;
    if (connection) wanted = co_await wanted_for(*connection, existing);
    if (!wanted) {
      if (existing) co_await schedules->remove(existing->id);
      co_return;
    }
    if (existing && existing->spec == wanted->spec) co_return;
    std::exception_ptr error;
    try {
      if (existing) {
        std::function<void(engine::Schedule&)> edit = [spec = wanted->spec](engine::Schedule& s) { s.spec = spec; };
        co_await schedules->update(existing->id, std::move(edit));
      } else {
        engine::Schedule s;
        s.id = connection_schedule_id(id);
        s.owner = "connection/" + id;
        s.spec = wanted->spec;
        s.action = {{"kind", "sync"}, {"connectionId", id}};
        s.mark = wanted->mark;
        co_await schedules->create(std::move(s));
      }
    } catch (const Error& e) {
      if (e.code() != "schedule.invalid") throw;
      log_error("the schedule of a connection cannot be used", {{"connection", id}, {"error", e.what()}});
    }
  }

  const Runtime runtime;
  const std::shared_ptr<resources::Resources> resources;
  const std::shared_ptr<Jobs> jobs;
  const std::shared_ptr<engine::Schedules> schedules;
  std::mutex mutex;
  std::deque<std::string> pending;
  Event wake;
  TaskGroup tasks;
};

ConnectionSchedules::ConnectionSchedules(Runtime runtime, std::shared_ptr<resources::Resources> resources,
                                         std::shared_ptr<Jobs> jobs, std::shared_ptr<engine::Schedules> schedules)
    : impl_(std::make_shared<Impl>(runtime, std::move(resources), jobs, schedules)) {
  schedules->add_action("sync", [jobs](engine::ScheduledStart start) { return start_sync(jobs, std::move(start)); });
}
ConnectionSchedules::~ConnectionSchedules() = default;

asio::awaitable<void> ConnectionSchedules::start() {
  auto impl = impl_;
  impl->resources->on_change([weak = std::weak_ptr<Impl>(impl)](Kind kind, const std::string& id) {
    const auto self = weak.lock();
    if (self && (kind == Kind::connection || id.empty())) self->changed(id);
  });
  co_await impl->follow_all();
  impl->tasks.spawn("connection schedules", Impl::follow_changes(impl));
}

asio::awaitable<void> ConnectionSchedules::stop() {
  auto impl = impl_;
  impl->resources->on_change({});
  co_await impl->tasks.stop();
}

asio::awaitable<std::vector<engine::Upcoming>> ConnectionSchedules::next_times(resources::Resource connection,
                                                                               std::size_t count) {
  auto impl = impl_;
  std::vector<engine::Upcoming> out;
  const auto existing = co_await impl->find_schedule(connection.id);
  const auto wanted = co_await impl->wanted_for(connection, existing);
  if (!wanted || (existing && existing->paused)) co_return out;
  std::vector<calendar::Fault> faults;
  const auto spec = engine::ScheduleSpec::parse(wanted->spec, "", faults);
  if (!faults.empty()) co_return out;
  WallTime after = impl->runtime.now();
  if (!existing && wanted->mark != 0) after = engine::from_seconds(wanted->mark);
  co_return engine::Schedules::preview(spec, connection_schedule_id(connection.id), after, count);
}

}  // namespace millrace::workflows
