// Changed code is found: mutated versions of the test workflows against the golden histories of the true ones, each
// reported at the first event that differs, with both sides.
#include <catch2/catch.hpp>

#include "tests/testkit/kit.h"
#include "tests/testkit/replay_file.h"

namespace millrace::testkit {
namespace {

struct Mutant {
  const char* what;
  const char* history;
  engine::WorkflowFunction code;
  // The first event of the history for which this holds is where it must be reported.
  std::function<bool(const engine::HistoryEvent&)> differs_at;
  const char* got;  // a part of what the code is said to ask for
};

bool is_step(const engine::HistoryEvent& e, const std::string& id) {
  const auto* s = std::get_if<engine::events::ActivityTaskScheduled>(&e.attributes);
  return s != nullptr && s->activity_id == id;
}
template <class T>
bool is(const engine::HistoryEvent& e) {
  return std::holds_alternative<T>(e.attributes);
}

Workflow<Payload> steps_named(Context& ctx, std::vector<std::string> names, std::string fourth) {
  std::int64_t i = 0;
  for (const std::string& name : names) {
    ++i;
    const std::string type = i == 4 ? fourth : std::string("test.work");
    co_await ctx.step(type, work(Input("{}"), i), named(name));
  }
  co_return Payload("{\"sum\":15}");
}
engine::WorkflowFunction steps_of(std::vector<std::string> names, std::string fourth = "test.work") {
  return [names = std::move(names), fourth = std::move(fourth)](Context& ctx, Payload) {
    return steps_named(ctx, names, fourth);
  };
}

Workflow<Payload> timer_then(Context& ctx, int count) {
  std::vector<engine::Future> all;
  for (int i = 0; i < count; ++i) all.push_back(ctx.timer(std::chrono::seconds(2)));
  for (engine::Future& one : all) co_await one;
  co_return Payload("{}");
}
Workflow<Payload> signals_without_steps(Context& ctx, Payload) {
  for (int i = 0; i < 3; ++i) co_await ctx.next_signal("s");
  co_return Payload("[]");
}
Workflow<Payload> children_of(Context& ctx, std::string suffix, std::string type) {
  std::vector<Context::Child> all;
  for (int i = 1; i <= 3; ++i) {
    engine::ChildOptions options;
    options.workflow_id = ctx.workflow_id() + suffix + std::to_string(i);
    all.push_back(ctx.start_child(i == 2 ? type : std::string("test.steps"), "{}", options));
  }
  for (Context::Child& one : all) co_await one.result;
  co_return Payload("[]");
}
Workflow<Payload> saga_that_undoes_forwards(Context& ctx, Payload) {
  for (int i = 1; i <= 2; ++i) co_await ctx.step("test.do", "{}", named("do-" + std::to_string(i)));
  std::optional<Failure> failed;
  try {
    co_await ctx.step("test.do", "{}", named("do-3"));
  } catch (const FailureError& e) {
    failed = e.failure();
  }
  for (int i = 1; i <= 2; ++i) co_await ctx.step("test.do", "{}", named("undo-" + std::to_string(i)));
  if (failed) throw FailureError(*failed);
  co_return Payload("{}");
}
Workflow<Payload> values_without(Context& ctx, bool patch, std::string effect) {
  if (patch) (void)ctx.patched("first-change");
  (void)ctx.side_effect(effect, [] { return Payload("42"); });
  (void)ctx.uuid();
  co_await ctx.timer(std::chrono::seconds(1));
  co_await ctx.step("test.work", "{}", named("drawn-" + std::to_string(ctx.random() % 1'000)));
  co_return Payload("{}");
}
Workflow<Payload> values_that_draw_once_more(Context& ctx, Payload) {
  (void)ctx.patched("first-change");
  (void)ctx.side_effect("forty-two", [] { return Payload("42"); });
  (void)ctx.uuid();
  (void)ctx.random();
  co_await ctx.timer(std::chrono::seconds(1));
  co_await ctx.step("test.work", "{}", named("drawn-" + std::to_string(ctx.random() % 1'000)));
  co_return Payload("{}");
}
Workflow<Payload> local_of_another_name(Context& ctx, Payload) {
  engine::LocalStepOptions options;
  options.activity_id = "another";
  co_await ctx.local_step("test.work", "{}", options);
  co_return Payload("{}");
}
Workflow<Payload> ends_instead_of_continuing(Context& ctx, Payload) {
  co_await ctx.step("test.work", "{}", named("work-1"));
  co_return Payload("{}");
}
Workflow<Payload> takes_no_update(Context& ctx, Payload) {
  co_await ctx.next_signal("finish");
  co_return Payload("7");
}
Workflow<Payload> fails_where_it_completed(Context& ctx, Payload) {
  for (int i = 1; i <= 5; ++i) co_await ctx.step("test.work", "{}", named("work-" + std::to_string(i)));
  throw FailureError(Failure());
}
Workflow<Payload> throws_a_bug(Context& ctx, Payload) {
  co_await ctx.step("test.work", "{}", named("work-1"));
  throw std::runtime_error("a bug");
}

std::vector<Mutant> mutants() {
  using namespace engine::events;
  const auto at_step = [](const char* id) {
    return [id = std::string(id)](const engine::HistoryEvent& e) { return is_step(e, id); };
  };
  const auto marker = [](const char* name) {
    return [name = std::string(name)](const engine::HistoryEvent& e) {
      const auto* m = std::get_if<MarkerRecorded>(&e.attributes);
      return m != nullptr && m->name == name;
    };
  };
  const auto child = [](int n) {
    return [n](const engine::HistoryEvent& e) {
      const auto* c = std::get_if<StartChildInitiated>(&e.attributes);
      return c != nullptr && c->workflow_id.ends_with("-c" + std::to_string(n));
    };
  };
  return {
      {"two steps change places", "steps", steps_of({"work-1", "work-3", "work-2", "work-4", "work-5"}),
       at_step("work-2"), "work-3"},
      {"a step gets another name", "steps", steps_of({"work-1", "work-2", "load", "work-4", "work-5"}),
       at_step("work-3"), "load"},
      {"a step gets another type", "steps", steps_of({"work-1", "work-2", "work-3", "work-4", "work-5"}, "test.do"),
       at_step("work-4"), "test.do"},
      {"a step is removed", "steps", steps_of({"work-1", "work-2", "work-3", "work-5"}), at_step("work-4"), "work-5"},
      {"a step is added at the end", "steps", steps_of({"work-1", "work-2", "work-3", "work-4", "work-5", "work-6"}),
       is<WorkflowExecutionCompleted>, "work-6"},
      {"the code ends too early", "steps", steps_of({"work-1", "work-2"}), at_step("work-3"), "COMPLETED"},
      {"the code fails where it completed", "steps", fails_where_it_completed, is<WorkflowExecutionCompleted>,
       "WORKFLOW_EXECUTION_FAILED"},
      {"the code has a bug", "steps", throws_a_bug, at_step("work-2"), "a bug"},
      {"steps at once become steps in a row", "parallel",
       steps_of({"work-1", "work-2", "work-3", "work-4", "work-5", "work-6", "work-7", "work-8"}), at_step("work-2"),
       "nothing"},
      {"a timer is added", "timer", [](Context& ctx, Payload) { return timer_then(ctx, 4); },
       [](const engine::HistoryEvent& e) { return e.id > 2 && !is<TimerStarted>(e); }, "timer-4"},
      {"a timer is removed", "timer", [](Context& ctx, Payload) { return timer_then(ctx, 2); },
       [](const engine::HistoryEvent& e) {
         const auto* t = std::get_if<TimerStarted>(&e.attributes);
         return t != nullptr && t->timer_id == "timer-3";
       },
       "nothing"},
      {"the steps between signals are gone", "signals", signals_without_steps, at_step("between-1"), "nothing"},
      {"children get other ids", "children", [](Context& ctx, Payload) { return children_of(ctx, "-k", "test.steps"); },
       child(1), "w-k1"},
      {"a child gets another type", "children",
       [](Context& ctx, Payload) { return children_of(ctx, "-c", "test.timer"); }, child(2), "test.timer"},
      {"compensations run forwards", "saga", saga_that_undoes_forwards, at_step("undo-2"), "undo-1"},
      {"a version marker is gone", "values",
       [](Context& ctx, Payload) { return values_without(ctx, false, "forty-two"); }, marker("first-change"),
       "forty-two"},
      {"a side effect gets another name", "values",
       [](Context& ctx, Payload) { return values_without(ctx, true, "other"); }, marker("forty-two"), "other"},
      {"one more random number is drawn", "values", values_that_draw_once_more,
       [](const engine::HistoryEvent& e) { return is<ActivityTaskScheduled>(e); }, "drawn-"},
      {"a local step gets another name", "local-steps", local_of_another_name, is<MarkerRecorded>, "nothing"},
      {"the run ends instead of continuing as new", "continue-as-new", ends_instead_of_continuing,
       is<WorkflowExecutionContinuedAsNew>, "WORKFLOW_EXECUTION_COMPLETED"},
      {"an update has no handler any more", "updates", takes_no_update, is<WorkflowExecutionUpdateCompleted>,
       "no handler of update add"},
  };
}

}  // namespace

TEST_CASE("each changed version of a workflow is reported at the first event that differs") {
  for (const Mutant& m : mutants()) {
    INFO(m.what);
    const auto history = engine::read_export(read_file(std::string(MILLRACE_HISTORIES) + "/" + m.history + ".jsonl"));
    std::uint64_t expected = 0;
    for (const engine::HistoryEvent& e : history.events)
      if (expected == 0 && m.differs_at(e)) expected = e.id;
    REQUIRE(expected != 0);
    const auto divergence = replay_against(history, m.code);
    REQUIRE(divergence);
    INFO(divergence->event_id << ": " << divergence->expected << " / " << divergence->got);
    CHECK(divergence->event_id == expected);
    CHECK(divergence->got.find(m.got) != std::string::npos);
    CHECK_FALSE(divergence->position.empty());
  }
}

}  // namespace millrace::testkit
