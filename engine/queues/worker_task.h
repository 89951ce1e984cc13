// A step as it is handed to a worker in another process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/failure.h"
#include "engine/options.h"

namespace millrace::engine {

// A step as a worker gets it. Its start is durable.
struct WorkerTask {
  WorkerTask() = default;
  std::string token;
  std::string workflow_id, run_id, workflow_type;
  std::string activity_id, type, queue;
  Payload input;
  std::uint64_t scheduled_event_id = 0;
  std::uint32_t attempt = 0;
  WallTime scheduled, started;
  StepTimeouts timeouts;
  std::optional<Payload> heartbeat;  // the latest details of earlier attempts
  std::uint32_t priority = 0;
};

}  // namespace millrace::engine
