// The schedules behind their handle: schedules.cc (life, requests), schedule_turn.cc (what fires).
#pragma once

#include <mutex>
#include <set>
#include <unordered_map>

#include "common/event.h"
#include "common/task_group.h"
#include "engine/schedules/decide.h"
#include "engine/schedules/schedules.h"
#include "engine/timer_queue.h"

namespace millrace::engine {

class Schedules::Impl : public std::enable_shared_from_this<Schedules::Impl> {
 public:
  Impl(Runtime r, std::shared_ptr<state::Store> s, std::shared_ptr<Engine> e)
      : runtime(r), store(std::move(s)), engine(std::move(e)), timers(r), tasks(r) {}

  struct Stored {
    Stored() = default;
    Schedule schedule;
    std::string row;  // its bytes: the condition of changing it
  };
  asio::awaitable<std::optional<Stored>> read(std::string id);
  // Reads, changes, writes; again if it changed in between. Wakes it. Throws schedule.not_found.
  asio::awaitable<Schedule> change(std::string id, std::function<void(Schedule&)> f);

  // Has a turn taken soon. The event is set when a turn that began after this call is over.
  std::shared_ptr<Event> wake(const std::string& id);
  void forget(const std::string& id);

  const Runtime runtime;
  const std::shared_ptr<state::Store> store;
  const std::shared_ptr<Engine> engine;
  std::map<std::string, StartAction> actions;
  TimerQueue timers;

 private:
  struct Entry {
    TimerQueue::Id timer = 0;
    bool busy = false;   // a turn is under way
    bool again = false;  // another is wanted behind it
    std::vector<std::shared_ptr<Event>> waiters;
    std::set<std::string> watched;  // run ids whose end is waited for
  };
  static asio::awaitable<void> turns(std::shared_ptr<Impl> self, std::string id);
  struct Next {
    Next() = default;
    bool gone = false;             // there is no such schedule any more
    std::optional<WallTime> when;  // to be looked at again at the latest; empty: when something wakes it
  };
  asio::awaitable<Next> turn(std::string id);
  enum class Step { again, rest, later };
  asio::awaitable<Step> start_one(Stored stored, Schedule decided, DueStart due, std::vector<MissedTime> told);
  asio::awaitable<bool> refresh(std::shared_ptr<Schedule> schedule);
  asio::awaitable<bool> write(std::string expected, Schedule schedule, std::vector<MissedTime> told);
  asio::awaitable<void> end_running(Schedule schedule, bool terminate);
  static asio::awaitable<void> watch(std::shared_ptr<Impl> self, std::string id, std::string workflow_id,
                                     std::string run_id);
  void watch_running(const Schedule& schedule);
  void arm(Entry& entry, const std::string& id, WallTime when);

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;

 public:
  TaskGroup tasks;
};

// Lines and metrics of what was missed.
void tell_missed(const Schedule& schedule, const std::vector<MissedTime>& missed);

}  // namespace millrace::engine
