// Saga: steps that are undone in reverse order when a later one fails.
//
//   engine::Saga saga(ctx);
//   saga.compensate_with("refund", order, options);   // before the step: it may have had its effect though it failed
//   co_await ctx.step("charge", order, options);
//   …
//   catch (const FailureError& e) { failure = e.failure(); }
//   if (failure) { co_await saga.undo(); throw FailureError(*failure); }
//
// Compensations run in a shielded scope, so a cancel request does not stop them; each must bear to find nothing to
// undo.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/workflow.h"

namespace millrace::engine {

class Saga {
 public:
  explicit Saga(const Context& context) : shielded_(context.shield()) {}

  void compensate_with(std::string step_type, Payload input, StepOptions options) {
    undo_.emplace_back(std::move(step_type), std::move(input), std::move(options));
  }
  // Everything went well: nothing is undone any more.
  void forget() { undo_.clear(); }
  std::size_t size() const { return undo_.size(); }

  // Runs the compensations, the latest first, one after the other; one that fails for good does not keep the others
  // from running. Returns how many failed. The saga must outlive the wait.
  Workflow<std::size_t> undo() { return run(this); }

 private:
  struct Compensation {
    Compensation(std::string t, Payload i, StepOptions o)
        : type(std::move(t)), input(std::move(i)), options(std::move(o)) {}
    std::string type;
    Payload input;
    StepOptions options;
  };
  static Workflow<std::size_t> run(Saga* self) {
    std::size_t failed = 0;
    while (!self->undo_.empty()) {
      Compensation next = std::move(self->undo_.back());
      self->undo_.pop_back();
      Future step = self->shielded_.start_step(std::move(next.type), std::move(next.input), std::move(next.options));
      (void)co_await settled(step);
      if (step.has_failed()) ++failed;
    }
    co_return failed;
  }
  // Ends with the future, and throws nothing.
  struct Settled : detail::EngineAwaitable {
    explicit Settled(Future f) : future(std::move(f)) {}
    Future future;
    bool await_ready() const noexcept { return future.is_ready(); }
    void await_suspend(std::coroutine_handle<> h) { future.pending()->waiters.push_back(h); }
    bool await_resume() const { return !future.has_failed(); }
  };
  static Settled settled(Future future) { return Settled(std::move(future)); }

  Context shielded_;
  std::vector<Compensation> undo_;
};

}  // namespace millrace::engine
