// features/update and features/query.
#include "tests/engine/mirror_fixture.h"

namespace millrace::engine {
namespace {

// Counts: update add {number}, refuses what is no number; update slow runs a step and a timer; query get; signal end.
void add_counter(Mirror& m, int* validations = nullptr) {
  m.add("w", [validations](Context& ctx, Payload) -> Workflow<Payload> {
    auto count = std::make_shared<int>(0);
    const auto validate = [validations](const Payload& input) {
      if (validations != nullptr) ++*validations;
      if (input.empty() || input.find_first_not_of("0123456789") != std::string::npos)
        throw FailureError(mirror_failure("NoNumber"));
    };
    const auto add = [](std::shared_ptr<int> n, Payload by) -> Workflow<Payload> {
      *n += std::stoi(by);
      co_return std::to_string(*n);
    };
    const auto slow = [](Context& c, std::shared_ptr<int> n, Payload by) -> Workflow<Payload> {
      const StepOptions options;
      co_await c.timer(std::chrono::seconds(10));
      *n += std::stoi(co_await c.step("echo", by, options));
      co_return std::to_string(*n);
    };
    ctx.on_update("add", validate, [count, add](Context&, Payload by) { return add(count, std::move(by)); });
    ctx.on_update("slow", {}, [count, slow](Context& c, Payload by) { return slow(c, count, std::move(by)); });
    ctx.on_update("fails", {}, [](Context& c, Payload) -> Workflow<Payload> {
      co_await c.timer(std::chrono::seconds(1));
      throw FailureError(mirror_failure("UpdateFailed"));
    });
    ctx.on_query("get", [count](const Payload&) { return std::to_string(*count); });
    ctx.on_query("refuses", [](const Payload&) -> Payload { throw FailureError(mirror_failure("WrongArguments")); });
    co_await ctx.next_signal("end");
    co_return std::to_string(*count);
  });
}

// How an update ended that did not succeed.
std::string failure_of(Mirror& m, UpdateRequest u) {
  try {
    (void)m.get(m.engine->update(std::move(u)));
  } catch (const UpdateFailed& e) {
    return "failed: " + e.failure().type;
  } catch (const FailureError& e) {
    return "refused: " + e.failure().type;
  } catch (const Error& e) {
    return std::string(e.code());
  }
  return {};
}

}  // namespace

TEST_CASE("update/basic, update/async_accepted: an answer at its end, or once it is durable") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  CHECK(m.get(m.engine->update(m.update_of("add", "2"))).value == "2");
  UpdateRequest u = m.update_of("slow", "5", "u-1");
  u.wait_completed = false;
  const UpdateResult accepted = m.get(m.engine->update(u));
  CHECK_FALSE(accepted.completed);
  CHECK(accepted.update_id == "u-1");
  CHECK(m.describe("w").pending_updates.size() == 1);
  CHECK(m.get(m.engine->query("w", {}, "get", "")) == "2");
  u.wait_completed = true;
  CHECK(m.get(m.engine->update(u)).value == "7");
  CHECK(m.describe("w").pending_updates.empty());
  m.signal("w", "end");
  CHECK(m.ends("w").result == "7");
}

TEST_CASE("update/deduplication: one id is done once, whoever asks how often, also after the end") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  for (int i = 0; i < 3; ++i) CHECK(m.get(m.engine->update(m.update_of("add", "2", "u"))).value == "2");
  CHECK(m.count("w", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1);
  m.signal("w", "end");
  CHECK(m.ends("w").result == "2");
  CHECK(m.get(m.engine->update(m.update_of("add", "2", "u"))).value == "2");
  CHECK(failure_of(m, m.update_of("add", "2", "other")) == "workflow.closed");
}

TEST_CASE("update/non_durable_reject: a refused one leaves no event and does not run") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  const auto before = m.history("w").size();
  for (int i = 0; i < 5; ++i) CHECK(failure_of(m, m.update_of("add", "\"no number\"")) == "refused: NoNumber");
  CHECK(failure_of(m, m.update_of("nothing")) == "workflow.update_unknown");
  CHECK(m.history("w").size() == before);
  CHECK(m.get(m.engine->query("w", {}, "get", "")) == "0");
}

TEST_CASE("update/validation_replay: what was accepted is not validated again") {
  int validations = 0;
  Mirror m;
  add_counter(m, &validations);
  m.boot();
  m.start("w", "w");
  m.get(m.engine->update(m.update_of("add", "2")));
  CHECK(validations == 1);
  m.stop();
  m.boot();
  m.settle();
  CHECK(m.get(m.engine->query("w", {}, "get", "")) == "2");
  m.agrees("w");
  CHECK(validations == 1);
}

TEST_CASE("update/activities and update/worker_restart: an update that works on steps survives a restart") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  UpdateRequest u = m.update_of("slow", "5", "u");
  u.wait_completed = false;
  m.get(m.engine->update(u));
  m.settle(std::chrono::seconds(2));
  m.stop();
  m.boot();
  m.settle(std::chrono::seconds(2));
  u.wait_completed = true;
  CHECK(m.get(m.engine->update(u)).value == "5");
  m.signal("w", "end");
  CHECK(m.ends("w").result == "5");
}

TEST_CASE("update/task_failure: a failure of the handler is the update's answer, the run goes on") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  for (int i = 0; i < 2; ++i) CHECK(failure_of(m, m.update_of("fails", "", "u")) == "failed: UpdateFailed");
  CHECK(m.get(m.engine->update(m.update_of("add", "1"))).value == "1");
  m.signal("w", "end");
  CHECK(m.ends("w").status == ExecutionStatus::completed);
  CHECK(failure_of(m, m.update_of("fails", "", "u")) == "failed: UpdateFailed");
}

TEST_CASE("update/self: a workflow's own step updates it") {
  Mirror m;
  m.registry.add_step("update", [&m](StepContext& ctx, Payload by) -> asio::awaitable<Payload> {
    UpdateRequest u;
    u.workflow_id = ctx.workflow_id();
    u.name = "add";
    u.input = by;
    u.update_id = ctx.token().text();
    const UpdateResult done = co_await m.engine->update(std::move(u));
    co_return done.value;
  });
  m.add("w", [](Context& ctx, Payload) -> Workflow<Payload> {
    const auto add = [](Payload by) -> Workflow<Payload> { co_return by + by; };
    ctx.on_update("add", {}, [add](Context&, Payload by) { return add(std::move(by)); });
    const StepOptions options;
    co_return co_await ctx.step("update", "4", options);
  });
  m.boot();
  CHECK(m.runs("w").result == "44");
}

TEST_CASE("query/successful_query: sees what was acknowledged, changes nothing, also of a closed run") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  m.get(m.engine->update(m.update_of("add", "3")));
  const auto before = m.history("w").size();
  CHECK(m.get(m.engine->query("w", {}, "get", "")) == "3");
  CHECK(m.history("w").size() == before);
  m.signal("w", "end");
  m.ends("w");
  CHECK(m.get(m.engine->query("w", {}, "get", "")) == "3");
}

TEST_CASE("query/unexpected_query_type_name, unexpected_arguments, timeout_due_to_no_active_workers") {
  Mirror m;
  add_counter(m);
  m.boot();
  m.start("w", "w");
  CHECK(m.error_of(m.engine->query("w", {}, "nonsense", "")) == "workflow.query_unknown");
  CHECK_THROWS_AS(m.get(m.engine->query("w", {}, "refuses", "")), FailureError);
  CHECK(m.error_of(m.engine->query("nobody", {}, "get", "")) == "workflow.not_found");
  // A build without the code: the run is blocked, and says so at once instead of timing out.
  m.stop();
  m.registry = Registry();
  m.boot();
  m.settle();
  CHECK(m.error_of(m.engine->query("w", {}, "get", "")) == "workflow.query_failed");
}

}  // namespace millrace::engine
