// The schedule of a connection: one schedule of the engine, "connection-<id>", that starts its syncs.
//
// It follows the connection: made with a schedule of type cron or basic, changed with it, removed when the connection
// is inactive, manual or gone. What a crash leaves undone between the two is done at the next start.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "engine/schedules/schedules.h"
#include "resources/resources.h"
#include "workflows/jobs.h"

namespace millrace::workflows {

std::string connection_schedule_id(const std::string& connection_id);

// When a connection is synced, from its specification; empty: it is manual, or inactive. `phase`: seconds since the
// epoch to which the times of a `basic` schedule are aligned.
std::optional<nlohmann::json> connection_times(const nlohmann::json& connection_spec, std::int64_t phase);

// Thread-safe.
class ConnectionSchedules {
 public:
  // Registers the action "sync".
  ConnectionSchedules(Runtime runtime, std::shared_ptr<resources::Resources> resources, std::shared_ptr<Jobs> jobs,
                      std::shared_ptr<engine::Schedules> schedules);
  ~ConnectionSchedules();

  // Before the schedules start: looks at all connections, then at each that changes.
  asio::awaitable<void> start();
  asio::awaitable<void> stop();

  // The next times of a connection as it is now; none if nothing fires.
  asio::awaitable<std::vector<engine::Upcoming>> next_times(resources::Resource connection, std::size_t count);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::workflows
