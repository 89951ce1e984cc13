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

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/time_point.h"
#include "engine/failure.h"
#include "engine/options.h"

namespace millrace::engine {

class Replayer;  // engine/replayer.h: the machine behind a Context
struct Scope;    // engine/scope.h: what is cancelled together

namespace detail {
// What a suspended workflow waits for. Resolved by the replayer with a value or a failure, exactly once.
struct Pending {
  bool ready = false;
  Payload value;
  std::optional<Failure> failure;
  std::vector<std::coroutine_handle<>> waiters;  // resumed in this order
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
  bool has_failed() const { return pending_->ready && pending_->failure.has_value(); }
  const detail::PendingPtr& pending() const { return pending_; }

  bool await_ready() const noexcept { return pending_->ready; }
  void await_suspend(std::coroutine_handle<> h) { pending_->waiters.push_back(h); }
  Payload await_resume() {
    if (pending_->failure) throw FailureError(*pending_->failure);
    return pending_->value;
  }

 private:
  detail::PendingPtr pending_;
};

template <class T>
class Workflow;
class Context;

// Answers a question about the execution; must not ask for anything. Throws FailureError to refuse.
using QueryHandler = std::function<Payload(Payload input)>;
// Refuses an update by throwing FailureError: then it leaves no trace. Must not change anything.
using UpdateValidator = std::function<void(const Payload& input)>;
// Runs as a part of the execution; its result or FailureError is the update's answer.
using UpdateHandler = std::function<Workflow<Payload>(Context&, Payload input)>;

// Lives as long as the execution's coroutine. Use only from workflow code. A copy is the same context; scope() and
// shield() make one whose steps and timers are cancelled apart.
class Context {
 public:
  Context(Replayer& replayer, std::shared_ptr<Scope> scope) : replayer_(&replayer), scope_(std::move(scope)) {}

  const std::string& workflow_id() const;
  const std::string& run_id() const;
  const std::string& workflow_type() const;

  // Asks for a step; the returned future ends with its result, or throws FailureError when it failed for good.
  // start_step() lets several run at once; step() is for `co_await ctx.step(...)`.
  Future start_step(std::string type, Payload input, StepOptions options);
  Future step(std::string type, Payload input, StepOptions options) {
    return start_step(std::move(type), std::move(input), std::move(options));
  }

  // Runs a step beside the turn: nothing is written before its end (see LocalStepOptions).
  Future local_step(std::string type, Payload input, LocalStepOptions options);

  // Ends at or after `d` from now(), never before; the wait survives a restart.
  Future timer(Duration d);

  // The time of the turn that runs now: the same on replay.
  WallTime now() const;
  // 64 random bits from a generator seeded by the run: the same on replay.
  std::uint64_t random();
  std::string uuid();
  // Runs `value` once and keeps what it returned; on replay the kept value is returned. `value` must not block.
  Payload side_effect(const std::string& name, const std::function<Payload()>& value);

  // Guards a change of the code: true in runs that came here after the change (and where replay finds that they did),
  // false in those that were here before it. The same answer each time in a run.
  bool patched(const std::string& id);

  // Starts another workflow as a child. `started` ends with its run id once it runs, `result` with its result, or
  // throws FailureError: it was not started (an open run has its id, its type is unknown), or ended otherwise.
  struct Child {
    Future started;
    Future result;
  };
  Child start_child(std::string type, Payload input, ChildOptions options);
  // Sends a signal to another execution; ends when it has it, or throws FailureError: there is none, or it is closed.
  Future signal_external(std::string workflow_id, std::string name, Payload input);
  // Asks another execution to end; ends when it has the request, or throws FailureError as signal_external().
  Future cancel_external(std::string workflow_id);

  // The next signal of that name that was not read yet, in the order in which they came; also those from before the
  // ask.
  Future next_signal(const std::string& name);
  void on_query(std::string name, QueryHandler handler);
  void on_update(std::string name, UpdateValidator validator, UpdateHandler handler);
  // The history has grown so that a new run would be better (ContinueAsNew).
  bool continue_as_new_suggested() const;

  // True once cancellation was requested. Steps in flight have been told; futures of cancelled steps and timers fail
  // with type "Cancelled".
  bool cancel_requested() const;

  // A context whose steps and timers the cancellation of this one does not reach: for clean-up.
  Context shield() const;
  // A context that cancel() ends apart from the rest; the cancellation of this one reaches it.
  Context scope() const;
  // Cancels the steps and timers of this context and of the scopes made from it.
  void cancel();

 private:
  Replayer* replayer_;
  std::shared_ptr<Scope> scope_;
};

// Workflow code. May itself be awaited in a Workflow, once: it runs as a part of the caller, which gets its result or
// its exception.
// Thrown out of workflow code: closes the run and begins another of the same workflow id and type with this input, in
// one batch. Signals that were not read move along.
class ContinueAsNew : public std::exception {
 public:
  explicit ContinueAsNew(Payload input) : input_(std::move(input)) {}
  const Payload& input() const { return input_; }
  const char* what() const noexcept override { return "continue as new"; }

 private:
  Payload input_;
};

template <class T>
class Workflow : public detail::EngineAwaitable {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;
    std::coroutine_handle<> caller;  // that awaits this one; empty for the execution's own

    // The caller runs on from here, on this stack; nothing of this frame is touched after it, since it may be gone.
    struct Final {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
        if (const auto caller = h.promise().caller) caller.resume();
      }
      void await_resume() const noexcept {}
    };

    Workflow get_return_object() { return Workflow(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
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

  bool await_ready() const noexcept { return false; }
  // False where it ended without a wait: the caller goes on at once.
  bool await_suspend(std::coroutine_handle<> caller) {
    handle_.resume();
    if (handle_.done()) return false;
    handle_.promise().caller = caller;
    return true;
  }
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

  // For the driver.
  std::coroutine_handle<promise_type> handle() const { return handle_; }

 private:
  explicit Workflow(std::coroutine_handle<promise_type> h) : handle_(h) {}
  std::coroutine_handle<promise_type> handle_;
};

using WorkflowFunction = std::function<Workflow<Payload>(Context&, Payload)>;

}  // namespace millrace::engine
