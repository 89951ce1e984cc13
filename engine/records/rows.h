// The small rows of the engine beside run and attempt records.
#pragma once

#include <string>

#include "common/log.h"
#include "common/time_point.h"
#include "engine/failure.h"
#include "engine/records/record.h"

namespace millrace::engine {

// keys::current: the run that a workflow id means.
struct CurrentRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the current run of a workflow id";
  std::string run_id;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("runId", s.run_id);
  }
};

// keys::open_run: a run that a restart has to look at.
struct OpenRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of an open run";
  std::uint32_t crashes = 0;  // in a row, while it was running
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("crashes", s.crashes);
  }
};

// keys::dedupe(scope, request id): what a request made. Scopes: "start", "cancel/<run id>".
struct DedupeRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a request id";
  std::string workflow_id;
  std::string run_id;
  std::string digest;  // of the request, so that another request under the same id is refused
  WallTime time;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("workflowId", s.workflow_id);
    v("runId", s.run_id);
    v("digest", s.digest);
    v("time", s.time);
  }
};

// keys::dedupe("refused/<run id>", update id): an update that the code refused, so that the same one is refused again
// in the same words. It leaves nothing in the history.
struct RefusedRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a refused update";
  std::optional<Failure> failure;
  WallTime time;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("failure", s.failure);
    v("time", s.time);
  }
};

// keys::timer(fire, run, seq): something to do at a time. seq = event id * 8 + kind, so it is unique in the run.
enum class TimerKind : std::uint8_t { user = 1, retry = 2, run_timeout = 3 };
struct TimerRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a timer";
  TimerKind kind = TimerKind::user;
  std::uint64_t event_id = 0;
  std::uint32_t attempt = 0;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("kind", s.kind);
    v("eventId", s.event_id);
    v("attempt", s.attempt);
  }
};
inline std::uint64_t timer_seq(TimerKind kind, std::uint64_t event_id) {
  return event_id * 8 + static_cast<std::uint64_t>(kind);
}

// keys::step_checkpoint: what checkpoint() kept.
struct CheckpointRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a checkpoint";
  std::uint32_t attempt = 0;
  WallTime time;
  std::string state;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("attempt", s.attempt);
    v("time", s.time);
    v("state", s.state);
  }
};

// keys::log: a line of a run's log.
struct LogRow {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the row of a log line";
  WallTime time;
  LogLevel level = LogLevel::info;
  std::string step;
  std::string text;
  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("time", s.time);
    v("level", s.level);
    v("step", s.step);
    v("text", s.text);
  }
};

}  // namespace millrace::engine
