// What workflow code is written with: Workflow<T>, the coroutine, and Context, the only things it may await.
//
// A workflow decides and never acts: it must take time, randomness and every outside value from its Context, so that
// running it again over its history asks for the same things in the same order (replay).
//
//   engine::Workflow<Payload> copy_table(engine::Context& ctx, Payload input) {
//     Payload plan = co_await ctx.step("plan", input, plan_options);
//     co_await ctx.timer(std::chrono::seconds(5));
//     co_return co_await ctx.step("load", std::move(plan), load_options);
//   }
//
// Only the awaitables of Context compile inside a Workflow; the engine's driver resumes it, on its execution's strand,
// in the order of the history. Dropping a suspended workflow issues nothing. A workflow that throws FailureError fails
// its execution; any other exception blocks it (a bug, not an outcome).
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/time_point.h"
#include "engine/failure.h"
#include "engine/options.h"

namespace millrace::engine {

class Replayer;  // engine/replayer.h: the machine behind a Context

namespace detail {
// What a suspended workflow waits for. Resolved by the replayer with a value or a failure, exactly once.
struct Pending {
  bool ready = false;
  Payload value;
  std::optional<Failure> failure;
  std::coroutine_handle<> waiter;
};
using PendingPtr = std::shared_ptr<Pending>;

// Marks the awaitables that a Workflow's promise lets through.
struct EngineAwaitable {};
}  // namespace detail

// A result that comes later. May be awaited once or several times; is_ready() may be asked at any time.
class Future : public detail::EngineAwaitable {
 public:
  explicit Future(detail::PendingPtr pending) : pending_(std::move(pending)) {}
  bool is_ready() const { return pending_->ready; }

  bool await_ready() const noexcept { return pending_->ready; }
  void await_suspend(std::coroutine_handle<> h) noexcept { pending_->waiter = h; }
  Payload await_resume() {
    if (pending_->failure) throw FailureError(*pending_->failure);
    return pending_->value;
  }

 private:
  detail::PendingPtr pending_;
};

// Lives as long as the execution's coroutine. Use only from workflow code.
class Context {
 public:
  explicit Context(Replayer& replayer) : replayer_(&replayer) {}

  const std::string& workflow_id() const;
  const std::string& run_id() const;
  const std::string& workflow_type() const;

  // Asks for a step; the returned future ends with its result, or throws FailureError when it failed for good.
  // start_step() lets several run at once; step() is for `co_await ctx.step(...)`.
  Future start_step(std::string type, Payload input, StepOptions options);
  Future step(std::string type, Payload input, StepOptions options) {
    return start_step(std::move(type), std::move(input), std::move(options));
  }

  // Ends at or after `d` from now(), never before; the wait survives a restart.
  Future timer(Duration d);

  // The time of the turn that runs now: the same on replay.
  WallTime now() const;
  // 64 random bits from a generator seeded by the run: the same on replay.
  std::uint64_t random();
  std::string uuid();
  // Runs `value` once and keeps what it returned; on replay the kept value is returned. `value` must not block.
  Payload side_effect(const std::string& name, const std::function<Payload()>& value);

  // True once cancellation was requested. Steps in flight have been told; futures of cancelled steps and timers fail
  // with type "Cancelled".
  bool cancel_requested() const;

 private:
  Replayer* replayer_;
};

template <class T>
class Workflow {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;

    Workflow get_return_object() { return Workflow(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(T v) { value.emplace(std::move(v)); }
    void unhandled_exception() noexcept { error = std::current_exception(); }

    template <class A>
      requires std::derived_from<std::remove_cvref_t<A>, detail::EngineAwaitable>
    A&& await_transform(A&& a) {
      return std::forward<A>(a);
    }
  };

  Workflow(Workflow&& o) noexcept : handle_(std::exchange(o.handle_, nullptr)) {}
  Workflow& operator=(Workflow&&) = delete;
  ~Workflow() {
    if (handle_) handle_.destroy();
  }

  // For the driver.
  std::coroutine_handle<promise_type> handle() const { return handle_; }

 private:
  explicit Workflow(std::coroutine_handle<promise_type> h) : handle_(h) {}
  std::coroutine_handle<promise_type> handle_;
};

using WorkflowFunction = std::function<Workflow<Payload>(Context&, Payload)>;

}  // namespace millrace::engine
