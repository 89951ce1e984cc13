// The rooms of one process, wired: what a server and a copy have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/serve/hooks.h"
#include "common/awaitable.h"
#include "common/runtime.h"
#include "engine/engine.h"
#include "resources/resources.h"
#include "state/store.h"
#include "workflows/connection_schedules.h"
#include "workflows/jobs.h"

namespace millrace::serve {

struct Rooms {
  Rooms() = default;
  std::shared_ptr<state::Store> store;
  std::shared_ptr<const connectors::Registry> connectors;
  std::shared_ptr<resources::Resources> resources;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<workflows::Jobs> jobs;
  std::shared_ptr<engine::Schedules> schedules;
  std::shared_ptr<workflows::ConnectionSchedules> connection_schedules;
};

struct RoomsOptions {
  RoomsOptions() = default;
  std::string directory;        // made (0700) if it is missing; the store lies in it
  std::string secret_key_file;  // empty: secret.key in the directory
  std::optional<std::uint64_t> min_free_bytes;
  engine::EngineOptions engine;
};

// Opens the store and makes the rooms; the engine is not started. Throws store.* and secret.*.
asio::awaitable<Rooms> open_rooms(Runtime runtime, RoomsOptions options, const Hooks& hooks);
// After the engine has stopped.
asio::awaitable<void> close_rooms(Runtime runtime, Rooms rooms);

}  // namespace millrace::serve
