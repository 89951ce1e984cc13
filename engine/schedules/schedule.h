// A durable schedule: when (times.h), what it starts, how runs that overlap are treated, and what has come of
// it.
//
// Stored whole as one row (keys::schedule), JSON with "v":1; drawn in schedule_row.cc. The mark is the heart of it: all
// nominal times up to it have been taken into account. It moves in the very batch that starts the workflow, so that a
// crash neither loses nor doubles a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/time_point.h"

namespace millrace::engine {

// What becomes of a time that comes while a run of the schedule is open.
enum class Overlap {
  skip,             // nothing is started
  buffer_one,       // the first waits, more are skipped
  buffer_all,       // all wait
  cancel_other,     // the open run is asked to end; it starts when that has ended
  terminate_other,  // the open run is ended at once
  allow_all,        // both run
};
std::string_view to_string(Overlap overlap);  // "skip", "buffer_one", ...
std::optional<Overlap> parse_overlap(std::string_view text);

// Why something is to be started.
enum class Cause { time, trigger, backfill };
std::string_view to_string(Cause cause);

// A start that is due: a nominal time, or what a person asked for.
struct DueStart {
  DueStart() = default;
  Cause cause = Cause::time;
  std::int64_t nominal = 0;        // seconds since the epoch
  WallTime actual;                 // nominal and jitter
  std::uint64_t number = 0;        // of a trigger or backfill: tells those of one second apart
  std::optional<Overlap> overlap;  // instead of the schedule's own
};

struct StartedRun {
  StartedRun() = default;
  DueStart due;
  std::string workflow_id;
  std::string run_id;
  WallTime started;
  std::string status = "Running";  // Temporal's words
};

// A time that started nothing.
struct MissedTime {
  MissedTime() = default;
  Cause cause = Cause::time;
  std::int64_t nominal = 0;
  std::uint64_t number = 0;
  WallTime noticed;
  std::string reason;  // a word: overlap, buffered, catch_up, buffer_full, paused, changed, exhausted, busy, inactive,
                       // refused
  std::string detail;  // for people
  std::uint64_t count = 1;  // of times, this one the last
};

struct Backfill {
  Backfill() = default;
  std::uint64_t number = 0;
  std::int64_t mark = 0;  // all times up to it are taken
  std::int64_t end = 0;   // inclusive
  Overlap overlap = Overlap::buffer_all;
};

// A request to trigger or backfill that has been taken: asked again, it does nothing twice.
struct TakenRequest {
  TakenRequest() = default;
  std::string id;
  std::uint64_t number = 0;  // that it got
};

struct Schedule {
  Schedule() = default;

  static constexpr Duration kLeastCatchUp = std::chrono::seconds(10);
  static constexpr std::size_t kMaxBuffer = 1'000;   // starts that wait
  static constexpr std::size_t kMaxAutomatic = 950;  // of them, by time; the rest is for people
  static constexpr std::size_t kMaxBackfills = 100;
  static constexpr std::size_t kMaxRunning =
      1'000;                                        // open runs that are looked after; with allow_all there may be more
  static constexpr std::size_t kMaxRequests = 100;  // request ids that are remembered, the last ones
  static constexpr std::size_t kRecent = 10;
  static constexpr std::size_t kMissed = 50;

  std::string id;
  std::string owner;  // "connection/<id>": made and changed with that; empty: by itself
  nlohmann::json spec;
  nlohmann::json
      action;  // {"kind": "workflow", "type", "workflowId", "input", "memo", "runTimeoutSeconds"}, or another's
  Overlap overlap = Overlap::skip;
  Duration catch_up = std::chrono::hours(24 * 365);
  bool pause_on_failure = false;
  bool paused = false;
  std::string note;
  std::optional<std::uint64_t> remaining;  // actions that are left; empty: no bound
  WallTime created;
  WallTime updated;

  std::int64_t mark = 0;
  std::uint64_t numbers = 0;  // given to triggers and backfills
  std::string request_id;     // that made it; empty: none
  std::vector<TakenRequest> requests;
  std::vector<DueStart> buffer;
  std::vector<Backfill> backfills;
  std::vector<StartedRun> running;
  std::vector<StartedRun> recent;                 // the last ones, oldest first
  std::vector<MissedTime> missed;                 // the same
  std::map<std::string, std::uint64_t> counters;  // "started", and each reason of MissedTime
};

std::string encode_schedule(const Schedule& schedule);
// Throws store.corrupt.
Schedule decode_schedule(const std::string& row);

}  // namespace millrace::engine
