#include "engine/step_run.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "common/errors.h"
#include "engine/noted_executor.h"

namespace millrace::engine {
namespace {

asio::any_io_executor strand_of(const Core& core, const std::string& run_id) {
  asio::any_io_executor strand = core.runtime.make_strand();
  if (!core.options.crash_notes) return strand;
  return NotedExecutor(std::move(strand), core.options.crash_notes, run_id);
}

}  // namespace

StepRun::StepRun(CorePtr core, Plan plan, Reports reports)
    : core_(std::move(core)),
      plan_(std::move(plan)),
      reports_(std::move(reports)),
      strand_(strand_of(*core_, plan_.token.run_id)),
      heartbeat_(plan_.heartbeat),
      last_sign_(core_->runtime.mono()) {}

void StepRun::run(const StepFunction* function, Payload input) {
  asio::co_spawn(strand_, body(shared_from_this(), function, std::move(input)),
                 asio::bind_cancellation_slot(signal_.slot(), [self = shared_from_this()](std::exception_ptr error) {
                   if (error) std::rethrow_exception(error);
                 }));
}

asio::awaitable<void> StepRun::body(std::shared_ptr<StepRun> self, const StepFunction* function, Payload input) {
  AttemptEnd end;
  try {
    if (function == nullptr)
      throw Error("workflow.step_unknown", "no step of type " + self->plan_.activity_type + " is registered");
    end.result = co_await (*function)(*self, std::move(input));
  } catch (const Suspended&) {
    end.suspended = true;
  } catch (...) {
    end.error = std::current_exception();
  }
  self->reports_.ended(std::move(end));
}

void StepRun::cancel(CancelReason reason) {
  auto none = CancelReason::none;
  if (!reason_.compare_exchange_strong(none, reason)) return;
  asio::post(strand_, [self = shared_from_this()] { self->signal_.emit(asio::cancellation_type::terminal); });
}

bool StepRun::is_last_attempt() const {
  if (plan_.retry.maximum_attempts != 0 && plan_.counted >= plan_.retry.maximum_attempts) return true;
  const std::uint32_t failures = (progressed_ ? 0 : plan_.failures_without_progress) + 1;
  return plan_.retry.maximum_attempts_without_progress != 0 &&
         failures >= plan_.retry.maximum_attempts_without_progress;
}

void StepRun::heartbeat(Payload details) {
  std::unique_lock lock(mutex_);
  heartbeat_ = std::move(details);
  heartbeat_unwritten_ = true;
  last_sign_ = core_->runtime.mono();
  ask_for_flush(std::move(lock));
}

void StepRun::log(LogLevel level, std::string text) {
  LogRow row;
  row.time = core_->runtime.now();
  row.level = level;
  row.step = plan_.activity_id;
  row.text = std::move(text);
  std::unique_lock lock(mutex_);
  lines_.push_back(std::move(row));
  ask_for_flush(std::move(lock));
}

// At most one write a second for all that gathers until then.
void StepRun::ask_for_flush(std::unique_lock<std::mutex> lock) {
  if (std::exchange(flush_asked_, true)) return;
  lock.unlock();
  core_->timers.add_in(core_->options.heartbeat_write, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->reports_.flush();
  });
}

StepRun::Unwritten StepRun::take_unwritten() {
  std::lock_guard lock(mutex_);
  Unwritten u;
  if (std::exchange(heartbeat_unwritten_, false)) u.heartbeat = heartbeat_;
  u.lines = std::exchange(lines_, {});
  flush_asked_ = false;
  return u;
}

std::optional<Payload> StepRun::latest_heartbeat() const {
  std::lock_guard lock(mutex_);
  return heartbeat_;
}

MonoTime StepRun::last_sign_of_life() const {
  std::lock_guard lock(mutex_);
  return last_sign_;
}

asio::awaitable<void> StepRun::checkpoint(std::string scope, Payload state) {
  auto ack = std::make_shared<Ack>();
  reports_.checkpoint(std::move(scope), std::move(state), ack);
  co_await ack->wait();
  progressed_ = true;
}

}  // namespace millrace::engine
