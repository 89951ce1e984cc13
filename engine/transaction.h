// What one decision of an execution changes, and what happens once that is durable.
#pragma once

#include <functional>
#include <vector>

#include "engine/events/event.h"
#include "engine/wait.h"
#include "state/store.h"

namespace millrace::engine {

struct Transaction {
  explicit Transaction(WallTime t) : now(t) {}
  const WallTime now;
  std::vector<HistoryEvent> events;            // appended to the history
  state::Batch batch;                          // everything beside it
  std::vector<std::function<void()>> actions;  // on the execution's strand, in order, after the commit
  std::vector<std::function<void()>> anyway;   // after the commit, or its failure
  std::vector<AckPtr> acks;                    // answered after the actions, or failed with the commit

  // Like act(), but also where the commit fails: to end what nothing else would reach any more.
  void act_anyway(std::function<void()> action) { anyway.push_back(std::move(action)); }
  void act(std::function<void()> action) { actions.push_back(std::move(action)); }
};

}  // namespace millrace::engine
