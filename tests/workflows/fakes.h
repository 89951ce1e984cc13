// A source and a destination in memory whose every failure a test can choose, and a step context that keeps checkpoints
// as the engine does: what one attempt wrote, the next one finds.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/errors.h"
#include "common/event.h"
#include "connectors/destination.h"
#include "connectors/registry.h"
#include "connectors/source.h"
#include "engine/step.h"

namespace millrace::test {

class FakeContext final : public engine::StepContext {
 public:
  explicit FakeContext(Runtime runtime) : runtime_(std::move(runtime)) { token_.run_id = "run", token_.attempt = 1; }

  // The step is tried again: what was kept is found.
  void next_attempt() {
    ++token_.attempt;
    std::lock_guard lock(mutex_);
    found_ = kept_;
    draining_now = false;
  }
  std::map<std::string, std::string> kept() const {
    std::lock_guard lock(mutex_);
    return kept_;
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

  const std::string& workflow_id() const override { return name_; }
  const std::string& activity_id() const override { return name_; }
  const std::string& activity_type() const override { return name_; }
  const engine::StepToken& token() const override { return token_; }
  bool is_last_attempt() const override { return last_attempt; }
  Runtime runtime() const override { return runtime_; }
  void heartbeat(engine::Payload details) override {
    std::lock_guard lock(mutex_);
    heartbeat_ = std::move(details);
  }
  std::optional<engine::Payload> last_heartbeat() const override {
    std::lock_guard lock(mutex_);
    return heartbeat_;
  }
  asio::awaitable<void> checkpoint(std::string scope, engine::Payload state) override {
    std::lock_guard lock(mutex_);
    kept_[scope] = std::move(state);
    co_return;
  }
  const std::map<std::string, engine::Payload>& checkpoints() const override { return found_; }
  void log(LogLevel, std::string text) override {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(text));
  }
  engine::CancelReason cancel_reason() const override { return engine::CancelReason::none; }
  bool draining() const override { return draining_now; }

  bool last_attempt = false;
  std::atomic<bool> draining_now{false};

 private:
  Runtime runtime_;
  std::string name_ = "sync";
  engine::StepToken token_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> found_;
  std::map<std::string, std::string> kept_;
  std::vector<std::string> lines_;
  std::optional<engine::Payload> heartbeat_;
};

// What both ends share. Fields are set before a run; the hooks run inside it and may throw.
struct FakeWorld {
  struct Table {
    std::size_t splits = 3;
    std::int64_t rows_per_split = 10;
    bool resumable = true;
  };
  std::map<std::string, Table> tables;  // "public.a"

  std::function<void(const std::string& stream, const std::string& split)> before_read = [](auto&, auto&) {};
  std::function<void(const std::string& stream, const std::string& split)> before_commit = [](auto&, auto&) {};
  std::function<void(const std::string& stream)> before_open = [](auto&) {};
  std::function<void(const std::string& stream)> before_publish = [](auto&) {};
  std::function<asio::awaitable<void>(std::string stream, std::string split)>
      in_read;  // awaited between the rows, if set
  std::int64_t source_counts_wrong_by = 0;
  std::int64_t destination_counts_wrong_by = 0;
  bool check_fails = false;

  struct Stored {
    std::map<std::string, connectors::Checkpoint> splits;
    bool finished = false;
    bool published = false;
    std::uint32_t attempt = 0;
    int restarts = 0;
  };
  std::mutex mutex;
  std::map<std::string, Stored> stored;  // guarded
  std::map<std::string, int> reads;      // "public.a/0001" -> times begun; guarded
  std::map<std::string, int> plans;      // guarded
  std::vector<std::string> closed;       // guarded

  int read_times(const std::string& split) {
    std::lock_guard lock(mutex);
    return reads[split];
  }
};
using WorldPtr = std::shared_ptr<FakeWorld>;

connectors::Connector fake_sync_connector(WorldPtr world);
std::unique_ptr<connectors::Source> make_fake_source(WorldPtr world);
std::unique_ptr<connectors::Destination> make_fake_destination(WorldPtr world);
connectors::Schema fake_schema();

}  // namespace millrace::test
