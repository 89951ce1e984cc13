// The order in which waiting steps of one queue are taken.
//
//   priority (1 first) ─ fairness key (least pass first) ─ lane (oldest head first) ─ first come, first served
//
// A key's pass grows by 1/weight with each step taken of it (stride scheduling), so keys share a queue as their weights
// say, whatever the lengths of their lines. A key that comes back starts where the others are, or where it had got to.
// A lane is the steps of a key that need the same gates (and, for workers, have the same type): when a gate is closed
// the lane is set aside, and neither its key's other lanes nor other keys wait for it.
//
// Pure: no clock, no lock. Lanes and groups have stable addresses while they have waiters.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/queues/limits.h"

namespace millrace::engine {

struct Gate;  // engine/queues/gate.h

using TaskId = std::uint64_t;  // grows with each wait
using TaskOrder = std::pair<WallTime, TaskId>;

struct FairGroup;
class WaitingLine;

struct Lane {
  WaitingLine* line = nullptr;
  FairGroup* group = nullptr;
  std::string type;  // of steps for workers; empty: for this process
  std::vector<Gate*> gates;
  std::set<TaskOrder> waiting;
  Gate* blocked_on = nullptr;  // set aside
};

struct FairGroup {
  std::uint32_t priority = kDefaultPriority;
  std::string key;
  double weight = 1;
  double pass = 0;
  std::uint64_t number = 0;  // breaks ties: order of making
  std::size_t waiting = 0;
  std::map<std::pair<std::string, std::vector<Gate*>>, std::unique_ptr<Lane>> lanes;  // by type and gates
  std::set<std::pair<TaskOrder, Lane*>> ready;
};

class WaitingLine {
 public:
  // `gates` are those of task.limit_keys, without repeats.
  Lane& add(const QueueTask& task, const std::vector<Gate*>& gates, TaskId id);
  // The waiter goes; true if the lane went with it.
  bool remove(Lane& lane, TaskOrder order);
  // The lane whose head is next; null: none. `types` empty: all.
  Lane* best(const std::vector<std::string>& types) const;
  // Takes the head of a ready lane; its order. The lane goes when it was the last.
  TaskOrder take(Lane& lane);
  void set_aside(Lane& lane, Gate* gate);
  void put_back(Lane& lane);

  std::size_t waiting() const { return waiting_; }
  // How many would be taken before this one, were nothing blocked and nothing to come.
  std::size_t ahead_of(const Lane& lane, TaskOrder order) const;
  // True if `a` is taken before `b`.
  static bool before(const Lane& a, const Lane& b);
  std::vector<const FairGroup*> groups() const;

 private:
  struct Level {
    double now = 0;  // the pass of the last step taken
    std::map<std::string, std::unique_ptr<FairGroup>> groups;
    std::set<std::pair<double, FairGroup*>> resting;  // empty, but ahead of `now`
  };
  using ReadyKey = std::pair<std::pair<std::uint32_t, double>, std::pair<std::uint64_t, FairGroup*>>;
  static ReadyKey key_of(FairGroup& g) { return ReadyKey({g.priority, g.pass}, {g.number, &g}); }
  void make_ready(Lane& lane);
  void make_unready(Lane& lane);
  void drop_if_empty(Lane& lane);

  std::map<std::uint32_t, Level> levels_;  // by priority
  std::set<ReadyKey> ready_;
  std::size_t waiting_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace millrace::engine
