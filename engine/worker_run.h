// An attempt that runs on a worker in another process, as its execution sees it; and the token that names it.
#pragma once

#include <optional>
#include <string>

#include "common/time_point.h"
#include "engine/queues/queues.h"
#include "engine/step.h"

namespace millrace::engine {

struct WorkerRun {
  explicit WorkerRun(SlotPtr s, MonoTime now) : slot(std::move(s)), last_sign(now) {}
  SlotPtr slot;  // goes back with this
  MonoTime last_sign;
  std::optional<Payload> heartbeat;
  bool unwritten = false;    // a heartbeat that is newer than the record
  bool flush_asked = false;  // its write is on its way
};

// What a worker shows to speak of its attempt: "<run id>.<scheduled event>.<attempt>.<stamp>". The stamp is drawn when
// the attempt starts, so that a token can't be guessed and dies with its attempt.
struct WorkerToken {
  WorkerToken() = default;
  std::string run_id;
  std::uint64_t scheduled_event_id = 0;
  std::uint32_t attempt = 0;
  std::uint64_t stamp = 0;
  std::string text() const;
  // Empty: it is no token.
  static std::optional<WorkerToken> parse(std::string_view text);
};

}  // namespace millrace::engine
