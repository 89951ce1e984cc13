#include "engine/queues/waiting_line.h"

#include <algorithm>
#include <cmath>

namespace millrace::engine {

Lane& WaitingLine::add(const QueueTask& task, const std::vector<Gate*>& gates, TaskId id) {
  Level& level = levels_[task.priority];
  auto& group = level.groups[task.fairness_key];
  if (!group) {
    group = std::make_unique<FairGroup>();
    group->priority = task.priority;
    group->key = task.fairness_key;
    group->number = next_number_++;
  }
  if (group->waiting == 0) {
    level.resting.erase({group->pass, group.get()});
    group->pass = std::max(group->pass, level.now);
  }
  group->weight = std::clamp(task.weight, kLeastWeight, kMostWeight);
  const std::string type = task.external ? task.type : std::string();
  auto& lane = group->lanes[{type, gates}];
  const bool is_new = !lane;
  if (is_new) {
    lane = std::make_unique<Lane>();
    lane->line = this;
    lane->group = group.get();
    lane->type = type;
    lane->gates = gates;
  }
  const bool was_ready = !is_new && lane->blocked_on == nullptr;
  if (was_ready) make_unready(*lane);
  lane->waiting.emplace(task.since, id);
  ++group->waiting;
  ++waiting_;
  if (is_new || was_ready) make_ready(*lane);
  return *lane;
}

bool WaitingLine::remove(Lane& lane, TaskOrder order) {
  const bool ready = lane.blocked_on == nullptr;
  if (ready) make_unready(lane);
  lane.waiting.erase(order);
  --lane.group->waiting;
  --waiting_;
  const bool last = lane.waiting.empty();
  if (ready && !last) make_ready(lane);
  drop_if_empty(lane);
  return last;
}

Lane* WaitingLine::best(const std::vector<std::string>& types) const {
  for (const ReadyKey& key : ready_)
    for (const auto& [_, lane] : key.second.second->ready)
      if (types.empty() || std::find(types.begin(), types.end(), lane->type) != types.end()) return lane;
  return nullptr;
}

TaskOrder WaitingLine::take(Lane& lane) {
  FairGroup& group = *lane.group;
  make_unready(lane);
  const TaskOrder head = *lane.waiting.begin();
  lane.waiting.erase(lane.waiting.begin());
  --group.waiting;
  --waiting_;
  Level& level = levels_.at(group.priority);
  level.now = std::max(level.now, group.pass);
  // Its other lanes stand in the order under the old pass.
  const bool others = !group.ready.empty();
  if (others) ready_.erase(key_of(group));
  group.pass += 1 / group.weight;
  if (others) ready_.insert(key_of(group));
  if (!lane.waiting.empty()) make_ready(lane);
  drop_if_empty(lane);
  return head;
}

void WaitingLine::set_aside(Lane& lane, Gate* gate) {
  make_unready(lane);
  lane.blocked_on = gate;
}

void WaitingLine::put_back(Lane& lane) {
  lane.blocked_on = nullptr;
  make_ready(lane);
}

void WaitingLine::make_ready(Lane& lane) {
  FairGroup& group = *lane.group;
  if (group.ready.empty()) ready_.insert(key_of(group));
  group.ready.insert({*lane.waiting.begin(), &lane});
}

void WaitingLine::make_unready(Lane& lane) {
  FairGroup& group = *lane.group;
  group.ready.erase({*lane.waiting.begin(), &lane});
  if (group.ready.empty()) ready_.erase(key_of(group));
}

void WaitingLine::drop_if_empty(Lane& lane) {
  if (!lane.waiting.empty()) return;
  FairGroup& group = *lane.group;
  Level& level = levels_.at(group.priority);
  group.lanes.erase(std::pair<std::string, std::vector<Gate*>>(lane.type, lane.gates));  // a copy: the lane goes
  if (group.waiting == 0) level.resting.insert({group.pass, &group});
  // What rests behind the others gains nothing by being remembered; nor does anything once all rest.
  const bool all_rest = level.resting.size() == level.groups.size();
  while (!level.resting.empty() && (all_rest || level.resting.begin()->first <= level.now)) {
    const auto [pass, gone] = *level.resting.begin();
    if (all_rest) level.now = std::max(level.now, pass);
    level.resting.erase(level.resting.begin());
    level.groups.erase(std::string(gone->key));
  }
}

bool WaitingLine::before(const Lane& a, const Lane& b) {
  const FairGroup &g = *a.group, &h = *b.group;
  if (g.priority != h.priority) return g.priority < h.priority;
  if (g.pass != h.pass) return g.pass < h.pass;
  return *a.waiting.begin() < *b.waiting.begin();
}

std::size_t WaitingLine::ahead_of(const Lane& lane, TaskOrder order) const {
  const FairGroup& own = *lane.group;
  std::size_t ahead = 0, before_in_key = 0;
  for (const auto& [_, other] : own.lanes)
    before_in_key += static_cast<std::size_t>(std::distance(other->waiting.begin(), other->waiting.lower_bound(order)));
  const double pass = own.pass + static_cast<double>(before_in_key) / own.weight;
  for (const auto& [priority, level] : levels_) {
    if (priority > own.priority) break;
    for (const auto& [_, g] : level.groups) {
      if (g.get() == &own) continue;
      if (priority < own.priority) {
        ahead += g->waiting;
      } else if (g->pass <= pass) {
        const double n = std::floor((pass - g->pass) * g->weight) + 1;
        ahead += n >= static_cast<double>(g->waiting) ? g->waiting : static_cast<std::size_t>(n);
      }
    }
  }
  return ahead + before_in_key;
}

std::vector<const FairGroup*> WaitingLine::groups() const {
  std::vector<const FairGroup*> all;
  for (const auto& [_, level] : levels_)
    for (const auto& [__, g] : level.groups)
      if (g->waiting != 0) all.push_back(g.get());
  return all;
}

}  // namespace millrace::engine
