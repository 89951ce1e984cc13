// One attempt of a step while its code runs: the StepContext it sees, on a strand of its own.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "engine/core.h"
#include "engine/records/rows.h"
#include "engine/step.h"
#include "engine/wait.h"

namespace millrace::engine {

// How the code of an attempt ended.
struct AttemptEnd {
  std::optional<Payload> result;
  std::exception_ptr error;
  bool suspended = false;
};

// Thread-safe but for what its comment says otherwise.
class StepRun final : public StepContext, public std::enable_shared_from_this<StepRun> {
 public:
  // What an attempt is made of, apart from its context.
  struct Plan {
    std::string workflow_id;
    std::string activity_id;
    std::string activity_type;
    StepToken token;
    std::uint32_t counted = 0;
    RetryPolicy retry;
    std::uint32_t failures_without_progress = 0;
    std::optional<Payload> heartbeat;
    std::map<std::string, Payload> checkpoints;
  };
  // How it reaches its execution. Called on any thread.
  struct Reports {
    std::function<void(AttemptEnd)> ended;
    std::function<void()> flush;  // heartbeat or log lines wait to be written
    std::function<void(std::string scope, Payload state, AckPtr ack)> checkpoint;
  };
  StepRun(CorePtr core, Plan plan, Reports reports);

  // Runs `function` and reports its end. Once.
  void run(const StepFunction* function, Payload input);
  // Makes the code's awaits throw. The first reason stays.
  void cancel(CancelReason reason);

  // What is to be written: taken once. `heartbeat` only if it is newer than the last one taken.
  struct Unwritten {
    std::optional<Payload> heartbeat;
    std::vector<LogRow> lines;
  };
  Unwritten take_unwritten();
  std::optional<Payload> latest_heartbeat() const;
  MonoTime last_sign_of_life() const;

  const std::string& workflow_id() const override { return plan_.workflow_id; }
  const std::string& activity_id() const override { return plan_.activity_id; }
  const std::string& activity_type() const override { return plan_.activity_type; }
  const StepToken& token() const override { return plan_.token; }
  bool is_last_attempt() const override;
  Runtime runtime() const override { return core_->runtime; }
  void heartbeat(Payload details) override;
  std::optional<Payload> last_heartbeat() const override { return plan_.heartbeat; }
  asio::awaitable<void> checkpoint(std::string scope, Payload state) override;
  const std::map<std::string, Payload>& checkpoints() const override { return plan_.checkpoints; }
  void log(LogLevel level, std::string text) override;
  CancelReason cancel_reason() const override { return reason_; }
  bool draining() const override { return core_->draining; }

 private:
  static asio::awaitable<void> body(std::shared_ptr<StepRun> self, const StepFunction* function, Payload input);
  void ask_for_flush(std::unique_lock<std::mutex> lock);

  const CorePtr core_;
  const Plan plan_;
  const Reports reports_;
  const asio::any_io_executor strand_;
  asio::cancellation_signal signal_;  // on strand_
  std::atomic<CancelReason> reason_{CancelReason::none};
  std::atomic<bool> progressed_{false};

  mutable std::mutex mutex_;
  std::optional<Payload> heartbeat_;
  bool heartbeat_unwritten_ = false;
  MonoTime last_sign_;
  std::vector<LogRow> lines_;
  bool flush_asked_ = false;
};

}  // namespace millrace::engine
