// An engine over the in-memory store on virtual time, and what tests of it need again and again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/errors.h"
#include "common/runtime_sim.h"
#include "engine/engine.h"
#include "state/memory_store.h"

namespace millrace::engine {

// Lives as long as a test. Several engines may follow each other on its store: boot(), stop() or crash, boot() again.
class EngineFixture {
 public:
  explicit EngineFixture(std::uint64_t seed = 1)
      : sim(seed), store(std::make_shared<state::MemoryStore>(sim.runtime())) {}
  ~EngineFixture() {
    if (engine) stop();
  }

  void boot() {
    engine = std::make_unique<Engine>(sim.runtime(), store, registry, options);
    run(engine->start());
  }
  void stop(Duration grace = Duration(0)) {
    run(engine->stop(grace));
    engine.reset();
  }
  // Runs `work` to its end on virtual time.
  void run(asio::awaitable<void> work) { sim.run_until_done(std::move(work)); }
  template <class T>
  T get(asio::awaitable<T> work) {
    std::optional<T> out;
    run(keep(std::move(work), &out));
    return std::move(*out);
  }
  StartResult start(const std::string& type, const std::string& id, Payload input = {}, std::string request_id = {}) {
    StartRequest r;
    r.type = type;
    r.workflow_id = id;
    r.input = std::move(input);
    r.request_id = std::move(request_id);
    return get(engine->start_workflow(std::move(r)));
  }
  Execution wait(const std::string& id, Duration at_most = std::chrono::hours(24 * 365)) {
    return get(engine->wait_closed(id, {}, at_most));
  }
  Execution run_workflow(const std::string& type, const std::string& id, Payload input = {}) {
    start(type, id, std::move(input));
    return wait(id);
  }
  ExecutionDetail describe(const std::string& id) { return get(engine->describe(id, {})); }
  std::vector<EventView> history(const std::string& id) { return get(engine->history(id, {}, 0, 100'000)); }
  std::vector<std::string> event_types(const std::string& id) {
    std::vector<std::string> types;
    for (const EventView& e : history(id)) types.push_back(e.type);
    return types;
  }
  // The code of the Error that `work` throws; "" if it throws none.
  template <class T>
  std::string error_of(asio::awaitable<T> work);

  SimRuntime sim;
  std::shared_ptr<state::MemoryStore> store;
  Registry registry;
  EngineOptions options;
  std::unique_ptr<Engine> engine;

 private:
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>* out) {
    out->emplace(co_await std::move(work));
  }
};

template <class T>
std::string EngineFixture::error_of(asio::awaitable<T> work) {
  try {
    if constexpr (std::is_void_v<T>)
      run(std::move(work));
    else
      (void)get(std::move(work));
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return {};
}

}  // namespace millrace::engine
