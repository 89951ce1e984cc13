// What the mirror tests share. Each of their cases is named after a directory of the features suite by which Temporal's
// SDKs are held to one behaviour (temporalio/features), and shows the same behaviour here, and that replay agrees.
#pragma once

#include <catch2/catch.hpp>

#include "engine/combine.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {

inline Failure mirror_failure(const std::string& type, bool retryable = false) {
  Failure f;
  f.type = type;
  f.message = "as the test wants it";
  f.retryable = retryable;
  return f;
}

struct Mirror : EngineFixture {
  Mirror() {
    registry.add_step("echo", [](StepContext&, Payload input) -> asio::awaitable<Payload> { co_return input; });
    registry.add_step("fails", [](StepContext&, Payload input) -> asio::awaitable<Payload> {
      throw FailureError(mirror_failure(input, true));
      co_return Payload();
    });
    registry.add_step("third", [this](StepContext& ctx, Payload) -> asio::awaitable<Payload> {
      ++calls;
      if (ctx.token().attempt < 3) throw FailureError(mirror_failure("Early", true));
      co_return std::to_string(ctx.token().attempt);
    });
    // Runs until it is told to end; the answer to that is its input: "cancelled", "completed" or "failed".
    registry.add_step("endless", [this](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      ++calls;
      std::exception_ptr error;
      try {
        co_await ctx.runtime().sleep_for(std::chrono::hours(1'000));
      } catch (...) {
        error = std::current_exception();
      }
      told = ctx.cancel_reason();
      if (input == "completed") co_return Payload("\"completed all the same\"");
      if (input == "failed") throw FailureError(mirror_failure("Untidy"));
      std::rethrow_exception(error);
    });
    registry.add_workflow("sleeper", [](Context& ctx, Payload) -> Workflow<Payload> {
      co_await ctx.timer(std::chrono::hours(100));
      co_return Payload("1");
    });
    registry.add_workflow("echo", [](Context& ctx, Payload input) -> Workflow<Payload> {
      co_await ctx.timer(std::chrono::seconds(1));
      co_return input;
    });
    registry.add_workflow(
        "listener", [](Context& ctx, Payload) -> Workflow<Payload> { co_return co_await ctx.next_signal("word"); });
  }
  void add(const std::string& type, WorkflowFunction f) { registry.add_workflow(type, std::move(f)); }
  void agrees(const std::string& id, const std::string& run_id = {}) {
    const VerifyReport report = get(engine->verify(id, run_id));
    if (report.divergence) UNSCOPED_INFO(report.divergence->expected << " / " << report.divergence->got);
    CHECK_FALSE(report.divergence);
  }
  Execution ends(const std::string& id, Duration at_most = std::chrono::hours(10)) {
    Execution e = wait(id, at_most);
    agrees(id);
    return e;
  }
  Execution runs(const std::string& type, Payload input = {}) {
    start(type, type, std::move(input));
    return ends(type);
  }
  void settle(Duration d = std::chrono::seconds(5)) { sim.run_until_idle(d); }
  void cancel(const std::string& id) { run(engine->request_cancel(id, {}, "", "")); }
  void signal(const std::string& id, const std::string& name, Payload input = "1") {
    get(engine->signal(id, {}, name, std::move(input), {}));
  }
  UpdateRequest update_of(const std::string& name, Payload input = {}, const std::string& id = {}) {
    UpdateRequest u;
    u.workflow_id = "w";
    u.name = name;
    u.input = std::move(input);
    u.update_id = id;
    return u;
  }
  std::size_t count(const std::string& id, const std::string& type) {
    const auto types = event_types(id);
    return static_cast<std::size_t>(std::count(types.begin(), types.end(), type));
  }
  int calls = 0;
  CancelReason told = CancelReason::none;
};

}  // namespace millrace::engine
