// The record of one attempt of a step (keys::attempt). Written before the attempt runs, again when it fails, and with
// its heartbeats in between (at most one write a second). The first 5 and the last 50 of a step are kept.
//
// Two writes are saved since the history says the same: an attempt 1 that started with the batch that scheduled its
// step has no record until it fails or heartbeats (events/step.h, startedBy); and the record of an attempt that
// completed its step is left as it was: an attempt of a closed step that has no end ended with the step.
#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/records/record.h"

namespace millrace::engine {

inline constexpr std::uint32_t kKeptFirstAttempts = 5;
inline constexpr std::uint32_t kKeptLastAttempts = 50;

enum class AttemptOutcome : std::uint8_t {
  running = 0,  // or its process died: the next start ends it as `unknown`
  completed = 1,
  failed = 2,     // its failure says how, time-outs included
  unknown = 3,    // its process died; counts as an attempt
  suspended = 4,  // the server drained; doesn't count
};

struct AttemptRecord {
  static constexpr std::uint8_t kVersion = 1;
  static constexpr const char* kWhat = "the record of an attempt";

  WallTime started;
  std::string process;  // id of the engine that ran it
  AttemptOutcome outcome = AttemptOutcome::running;
  std::optional<WallTime> ended;
  std::optional<Failure> failure;
  std::uint32_t counted = 0;                    // attempts that count, up to and with this one
  std::uint32_t failures_without_progress = 0;  // before it ends: those before it; then with it
  std::optional<std::string> heartbeat;         // the latest details, those of earlier attempts included
  bool external = false;                        // on a worker in another process, which `process` names
  std::uint64_t stamp = 0;                      // of the worker's token

  template <class Self, class V>
  static void visit(Self& s, V& v) {
    v("started", s.started);
    v("process", s.process);
    v("outcome", s.outcome);
    v("ended", s.ended);
    v("failure", s.failure);
    v("counted", s.counted);
    v("failuresWithoutProgress", s.failures_without_progress);
    v("heartbeat", s.heartbeat);
    v("external", s.external);
    v("stamp", s.stamp);
  }
};

Attempt to_attempt(std::uint32_t number, const AttemptRecord& record);

}  // namespace millrace::engine
