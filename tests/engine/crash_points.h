// A crash point, hit by name: a small story is crashed before, within and after each of its durable writes; what the
// disk holds after each crash says whether this was the point that is meant. Each crash, at the point or not, must lose
// and double nothing: another life goes on and ends the story.
#pragma once

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>

#include "engine/doctor.h"
#include "engine/history.h"
#include "engine/records/attempt_record.h"
#include "engine/records/outbox_row.h"
#include "engine/records/rows.h"
#include "engine/records/run_record.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {

// What really happened, outside of everything that crashes.
struct CrashLedger {
  std::map<std::string, int> began, ended;     // "workflow activity attempt"
  std::map<std::string, std::string> answers;  // what callers were told, by a name of theirs
  std::map<std::string, WallTime> times;       // by a name of the story's
  bool ran(const std::string& what) const { return began.contains(what); }
  bool finished(const std::string& what) const { return ended.contains(what); }
};
using CrashLedgerPtr = std::shared_ptr<CrashLedger>;

// What the disk holds.
struct DiskAfterCrash {
  struct Run {
    std::string id;
    RunRecord record;
    std::vector<std::string> events;
    std::size_t count(const std::string& type) const {
      return static_cast<std::size_t>(std::count(events.begin(), events.end(), type));
    }
  };
  std::vector<Run> runs;
  std::map<std::string, std::string> current;  // workflow id -> run
  std::vector<OutboxRow> outbox;
  std::vector<std::pair<WallTime, TimerRow>> timers;
  std::vector<AttemptRecord> attempts;

  // The current run of a workflow id; null: none.
  const Run* run(const std::string& workflow_id) const {
    const auto it = current.find(workflow_id);
    for (const Run& r : runs)
      if (it != current.end() && r.id == it->second) return &r;
    return nullptr;
  }
  bool is_open(const std::string& workflow_id) const {
    const Run* r = run(workflow_id);
    return r != nullptr && engine::is_open(r->record.status);
  }
  bool has(const std::string& workflow_id, const std::string& type, std::size_t at_least = 1) const {
    const Run* r = run(workflow_id);
    return r != nullptr && r->count(type) >= at_least;
  }
  bool sends(OutboxKind kind) const {
    return std::any_of(outbox.begin(), outbox.end(), [&](const OutboxRow& row) { return row.kind == kind; });
  }
};

struct CrashStory {
  CrashStory() = default;
  std::function<void(Registry&, CrashLedgerPtr)> code;
  // Runs in each life; every request of it carries an id. Returns when the story has come to its end.
  std::function<asio::awaitable<void>(Engine*, CrashLedgerPtr, Runtime)> client;
  // The crash was at the point that is meant.
  std::function<bool(const DiskAfterCrash&, const CrashLedger&, WallTime now)> is_there;
  std::function<void(Engine&, SimRuntime&, const CrashLedger&)> end = {};  // what must hold at the end, beside all else
  state::MemoryFaults faults;
  std::function<void(SimRuntime&)> between_lives = {};
  int crashes = 1;  // that many lives in a row are crashed at their same write
  bool attempts_may_repeat = false;
};

// Requires that the point was hit at least once.
void hit_crash_point(const CrashStory& story);

// Steps "work" (its input comes back; counted in the ledger) under any name.
void add_counted_step(Registry& registry, const std::string& type, CrashLedgerPtr ledger, Duration takes = Duration(0));

}  // namespace millrace::engine
