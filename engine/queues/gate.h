// A limit key: how many of the steps that name it run, in whatever queue, and which lanes wait for it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "engine/queues/limits.h"
#include "engine/queues/token_bucket.h"
#include "engine/queues/waiting_line.h"
#include "engine/timer_queue.h"

namespace millrace::engine {

struct Gate {
  std::string key;
  Limits limits;
  TokenBucket bucket;
  std::size_t running = 0;
  std::size_t waiting = 0;                          // steps that name it
  std::map<WaitingLine*, std::set<Lane*>> blocked;  // set aside, by their line
  TimerQueue::Id timer = 0;                         // wakes it when its rate allows the next

  bool is_open(MonoTime now) { return running < limits.concurrency && bucket.has(now); }
};

}  // namespace millrace::engine
