// The schedules of a server: kept in the store, fired in time, exactly once for each nominal time.
//
// A turn reads the schedule's row, decides (decide.h) and writes the row again, conditional on what was read. A start
// writes the row in the batch of the start itself, so no crash falls between the two. The workflow id is the action's
// workflow id and the nominal time; the request id names schedule and nominal time too.
//
// Thread-safe. The engine must be started before start() and stopped after stop().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "engine/engine.h"
#include "engine/schedules/schedule.h"
#include "engine/schedules/times.h"
#include "state/store.h"

namespace millrace::engine {

// One start that an action is asked for.
struct ScheduledStart {
  ScheduledStart() = default;
  Schedule schedule;
  DueStart due;
  std::string workflow_id;  // that it should have
  std::string request_id;
  // Adds what must be in the batch of the start, for the ids that it gets. An action that leaves it out breaks the
  // promise of the room.
  std::function<void(state::Batch& batch, const std::string& workflow_id, const std::string& run_id)> beside;
};

// Thrown by an action that does not start now, and need not later: told as a missed time with this reason.
class ScheduledSkip : public std::exception {
 public:
  ScheduledSkip(std::string r, std::string d) : reason(std::move(r)), detail(std::move(d)) {}
  const char* what() const noexcept override { return detail.c_str(); }
  std::string reason;
  std::string detail;
};

// Starts it; throws workflow.start_refused or resource.conflict if a condition failed (it is decided again), other
// errors as usual: what may be better later is tried again, the rest is told as a missed time ("refused").
using StartAction = std::function<asio::awaitable<void>(ScheduledStart start)>;

// A time to come, or that was, as previews show it.
struct Upcoming {
  Upcoming() = default;
  std::int64_t nominal = 0;
  WallTime actual;
};

// What has come of a trigger.
struct Triggered {
  Triggered() = default;
  std::optional<StartedRun> started;
  std::optional<MissedTime> missed;  // neither: it waits
  std::int64_t nominal = 0;
};

class Schedules {
 public:
  Schedules(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<Engine> engine);
  ~Schedules();

  // What starts actions of this kind; "workflow" is there. Before start().
  void add_action(std::string kind, StartAction action);

  asio::awaitable<void> start();
  asio::awaitable<void> stop();

  // `definition` brings id, owner, spec, action, policies, and the id of the request if there is one: the same one
  // makes nothing twice. Times after now count, or from `definition.mark` on if that is set. Throws schedule.exists;
  // schedule.invalid if the spec can't be read.
  asio::awaitable<Schedule> create(Schedule definition);
  // Throw schedule.not_found.
  asio::awaitable<Schedule> get(std::string id);
  asio::awaitable<std::vector<Schedule>> list();  // by id
  // `change` gets the schedule as it is, maybe several times. Where it changes the spec or ends a pause, times before
  // now are told as missed. Counts and runs stay.
  asio::awaitable<Schedule> update(std::string id, std::function<void(Schedule&)> change);
  asio::awaitable<void> remove(std::string id);
  asio::awaitable<Schedule> pause(std::string id, std::string note);
  asio::awaitable<Schedule> unpause(std::string id, std::string note);
  // Both: the same request id does nothing twice.
  asio::awaitable<Triggered> trigger(std::string id, std::optional<Overlap> overlap, std::string request_id = {});
  // All nominal times from `from` to `to`, both inclusive, whether paused or not. Throws schedule.busy if too many
  // backfills wait.
  asio::awaitable<Schedule> backfill(std::string id, WallTime from, WallTime to, Overlap overlap,
                                     std::string request_id = {});

  // The next `count` times after `after`.
  static std::vector<Upcoming> preview(const ScheduleSpec& spec, const std::string& id, WallTime after,
                                       std::size_t count);
  // Throws schedule.invalid.
  static ScheduleSpec spec_of(const Schedule& schedule);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::engine
