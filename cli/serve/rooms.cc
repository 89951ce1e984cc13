#include "cli/serve/rooms.h"

#include <filesystem>

#include "cdc/register.h"
#include "common/errors.h"
#include "engine/crash_file_notes.h"
#include "state/rocksdb_store.h"

namespace millrace::serve {
namespace {

std::unique_ptr<state::Store> open_store(Runtime runtime, const RoomsOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool made = fs::create_directories(options.directory, error);
  if (error || !fs::is_directory(options.directory)) {
    throw Error("store.unavailable",
                options.directory + ": " + (error ? error.message() : std::string("not a directory")));
  }
  if (made) fs::permissions(options.directory, fs::perms::owner_all, error);
  state::RocksDbOptions store(options.directory + "/store");
  store.min_free_bytes = options.min_free_bytes;
  return state::open_rocksdb_store(std::move(runtime), std::move(store));
}

}  // namespace

asio::awaitable<Rooms> open_rooms(Runtime runtime, RoomsOptions options, const Hooks& hooks) {
  Rooms rooms;
  auto open = [runtime, options] { return open_store(runtime, options); };
  rooms.store = co_await runtime.blocking(open);
  auto connectors = std::make_shared<connectors::Registry>();
  connectors::register_all(*connectors);
  cdc::register_all(*connectors, options.directory + "/spill");
  rooms.connectors = connectors;
  const std::string key_file =
      options.secret_key_file.empty() ? options.directory + "/secret.key" : options.secret_key_file;
  auto secrets = resources::SecretBox::open(key_file);
  rooms.resources = std::make_shared<resources::Resources>(runtime, rooms.store, rooms.connectors, std::move(secrets));
  engine::Registry registry;
  workflows::register_all(registry, rooms.resources, runtime);
  if (hooks.register_more) hooks.register_more(registry);
  engine::EngineOptions engine_options = options.engine;
  engine_options.crash_notes = engine::open_crash_notes(options.directory + "/running");
  rooms.engine = std::make_shared<engine::Engine>(runtime, rooms.store, std::move(registry), engine_options);
  rooms.jobs = std::make_shared<workflows::Jobs>(runtime, rooms.store, rooms.engine, rooms.resources);
  rooms.schedules = std::make_shared<engine::Schedules>(runtime, rooms.store, rooms.engine);
  rooms.connection_schedules =
      std::make_shared<workflows::ConnectionSchedules>(runtime, rooms.resources, rooms.jobs, rooms.schedules);
  co_return rooms;
}

asio::awaitable<void> close_rooms(Runtime runtime, Rooms rooms) {
  rooms.connection_schedules.reset();
  rooms.schedules.reset();
  rooms.jobs.reset();
  rooms.engine.reset();
  rooms.resources.reset();
  const auto store = std::move(rooms.store);
  auto close = [store] { store->close(); };
  co_await runtime.blocking(close);
}

}  // namespace millrace::serve
