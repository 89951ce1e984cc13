// Task queues: who runs next, what bounds it, and that no way out loses a slot.
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "state/keys.h"
#include "tests/engine/fixture.h"

namespace millrace::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Steps "act" on one queue; each tells its input when it starts and lasts a second.
struct Line : EngineFixture {
  explicit Line(QueueSettings settings = QueueSettings()) {
    options.queues = std::move(settings);
    registry.add_step("act", [this](StepContext& ctx, Payload input) -> asio::awaitable<Payload> {
      most = std::max(most, ++now);
      order.push_back(input);
      times.push_back(ctx.runtime().mono());
      std::exception_ptr error;
      try {
        co_await ctx.runtime().sleep_for(seconds(1));
      } catch (...) {
        error = std::current_exception();
      }
      --now;
      if (error) std::rethrow_exception(error);
      co_return input;
    });
    registry.add_workflow("one",
                          [this](Context& ctx, Payload input) { return body(ctx, std::move(input), &step_options); });
    boot();
  }
  ~Line() {
    if (engine) stop();
  }
  static Workflow<Payload> body(Context& ctx, Payload input, const std::map<std::string, StepOptions>* all) {
    const auto it = all->find(input.substr(0, input.find('-')));
    StepOptions o = it == all->end() ? StepOptions() : it->second;
    co_return co_await ctx.step("act", std::move(input), std::move(o));
  }
  // `n` executions "<key>-<i>" with the options of that key.
  void add(const std::string& key, int n) {
    for (int i = 0; i < n; ++i) start("one", key + "-" + std::to_string(i), key + "-" + std::to_string(i));
  }
  std::size_t count(const std::string& key, std::size_t first) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < std::min(first, order.size()); ++i)
      if (order[i].starts_with(key + "-")) ++n;
    return n;
  }
  WaitingFor waiting(const std::string& id) {
    const auto step = describe(id).steps.at(0);
    CHECK(step.state == StepState::scheduled);
    REQUIRE(step.waiting_for);
    return *step.waiting_for;
  }

  std::map<std::string, StepOptions> step_options;
  int now = 0, most = 0;
  std::vector<std::string> order;
  std::vector<MonoTime> times;
};

QueueSettings at_once(std::size_t n) {
  QueueSettings s;
  s.otherwise = Limits(n);
  return s;
}

StepOptions of_key(std::string key, double weight = 1, std::uint32_t priority = kDefaultPriority) {
  StepOptions o;
  o.fairness_key = std::move(key);
  o.fairness_weight = weight;
  o.priority = priority;
  return o;
}

}  // namespace

TEST_CASE("a key with many steps in line does not keep another key waiting") {
  Line f(at_once(2));
  f.step_options["big"] = of_key("big");
  f.step_options["small"] = of_key("small");
  f.add("big", 500);
  f.sim.run_until_idle(milliseconds(100));
  f.add("small", 5);
  const auto begun = f.sim.runtime().mono();
  for (int i = 0; i < 5; ++i) CHECK(f.wait("small-" + std::to_string(i)).status == ExecutionStatus::completed);
  // Of two slots the small key gets one of each pair: five steps are done within about six seconds, not 250.
  CHECK(f.sim.runtime().mono() - begun < seconds(8));
  CHECK(f.most == 2);
}

TEST_CASE("a key that comes back one step at a time takes no more than its share") {
  Line f(at_once(1));
  f.step_options["big"] = of_key("big");
  f.step_options["one"] = of_key("one");
  f.add("big", 40);
  for (int i = 0; i < 10; ++i) {
    f.start("one", "one-" + std::to_string(i), "one-" + std::to_string(i));
    f.wait("one-" + std::to_string(i));
  }
  CHECK(f.count("one", 20) >= 9);
  CHECK(f.count("big", 20) >= 9);
}

TEST_CASE("keys share a queue by their weights") {
  Line f(at_once(1));
  f.step_options["a"] = of_key("a", 3);
  f.step_options["b"] = of_key("b", 1);
  f.add("a", 60);
  f.add("b", 60);
  f.sim.run_until_idle(seconds(41));
  CHECK(f.count("a", 40) >= 29);
  CHECK(f.count("a", 40) <= 31);
}

TEST_CASE("priority comes before fairness, and within a key it is first come, first served") {
  Line f(at_once(1));
  f.step_options["low"] = of_key("x", 1, 5);
  f.step_options["mid"] = of_key("y", 1, 3);
  f.step_options["top"] = of_key("z", 1, 1);
  f.add("low", 3);
  f.add("mid", 3);
  f.add("top", 3);
  f.sim.run_until_idle(seconds(20));
  CHECK(f.order ==
        std::vector<std::string>{"low-0", "top-0", "top-1", "top-2", "mid-0", "mid-1", "mid-2", "low-1", "low-2"});
}

TEST_CASE("a step at the limit of its key keeps nobody waiting who does not need that key") {
  QueueSettings s = at_once(10);
  s.keys["host:*"] = Limits(2);
  s.keys["host:big"] = Limits(3);
  Line f(s);
  f.step_options["a"] = of_key("a");
  f.step_options["a"].limit_keys = {"host:one"};
  f.step_options["b"] = of_key("b");
  f.step_options["b"].limit_keys = {"host:big", "host:two"};
  f.step_options["c"] = of_key("a");  // the same fairness key, no limit
  f.step_options["d"] = of_key("d");
  f.step_options["d"].queue = "other";
  f.step_options["d"].limit_keys = {"host:one"};
  f.add("a", 6);
  f.add("b", 6);
  f.add("c", 2);
  f.add("d", 2);
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.count("a", 100) == 2);
  CHECK(f.count("b", 100) == 2);  // the narrower of its two keys
  CHECK(f.count("c", 100) == 2);
  CHECK(f.count("d", 100) == 0);
  const WaitingFor w = f.waiting("a-5");
  CHECK(w.reason == "key_full");
  CHECK(w.limit_key == "host:one");
  CHECK(w.detail == "2 of 2 steps run under the key host:one");
  CHECK(w.queue == "default");
  CHECK(f.waiting("d-0").queue == "other");
  f.sim.run_until_idle(seconds(20));
  CHECK(f.order.size() == 16);
  CHECK(f.get(f.engine->list(ListFilter())).executions.size() == 16);
  for (const QueueView& q : f.engine->queues()) {
    CHECK(q.running == 0);
    CHECK(q.waiting == 0);
    CHECK(q.limit_keys.empty());
  }
}

TEST_CASE("a rate bounds how many start in a second, by queue and by key") {
  QueueSettings s;
  s.queues["slow"] = Limits(100, 5);
  s.keys["host"] = Limits(Limits::kNoBound, 2);
  Line f(s);
  f.step_options["q"] = of_key("q");
  f.step_options["q"].queue = "slow";
  f.step_options["k"] = of_key("k");
  f.step_options["k"].limit_keys = {"host"};
  SECTION("by queue") {
    f.add("q", 25);
    f.sim.run_until_idle(milliseconds(10));
    CHECK(f.order.size() == 5);
    CHECK(f.waiting("q-24").reason == "queue_rate");
    f.sim.run_until_idle(milliseconds(2'020));
    CHECK(f.order.size() == 15);
    f.sim.run_until_idle(seconds(20));
    CHECK(f.order.size() == 25);
  }
  SECTION("by key") {
    f.add("k", 10);
    f.sim.run_until_idle(milliseconds(10));
    CHECK(f.order.size() == 2);
    CHECK(f.waiting("k-9").reason == "key_rate");
    f.sim.run_until_idle(milliseconds(2'020));
    CHECK(f.order.size() == 6);
    f.sim.run_until_idle(seconds(20));
    CHECK(f.order.size() == 10);
  }
}

TEST_CASE("a waiting step says where it stands") {
  Line f(at_once(1));
  f.step_options["a"] = of_key("a");
  f.step_options["b"] = of_key("b");
  f.add("a", 5);
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.waiting("a-1").reason == "queue_full");
  CHECK(f.waiting("a-1").detail == "1 of 1 steps of the queue default run");
  CHECK(f.waiting("a-1").position == 1);
  CHECK(f.waiting("a-4").position == 4);
  f.add("b", 1);
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.waiting("b-0").position <= 2);
  CHECK(f.engine->queue("default").waiting == 5);
  CHECK(f.engine->queue("default").fairness_keys.at(0).key == "a");
  CHECK(f.engine->queue("default").fairness_keys.at(0).waiting == 4);
}

TEST_CASE("no way out loses a slot") {
  Line f(at_once(2));
  f.step_options["t"].timeouts.start_to_close = milliseconds(100);
  f.step_options["t"].retry.maximum_attempts = 1;
  f.step_options["s"].timeouts.schedule_to_start = milliseconds(100);
  f.step_options["c"].cancel_mode = CancelMode::try_cancel;
  SECTION("steps that time out, running and waiting") {
    f.add("t", 5);
    f.add("s", 5);
    f.sim.run_until_idle(seconds(10));
  }
  SECTION("executions cancelled and terminated while their steps run and wait") {
    f.add("c", 6);
    f.add("x", 6);
    f.sim.run_until_idle(milliseconds(10));
    for (const char* id : {"c-0", "c-5", "x-5"}) f.run(f.engine->request_cancel(id, {}, "", ""));
    for (const char* id : {"c-1", "c-4", "x-4", "x-0"}) f.run(f.engine->terminate(id, {}, ""));
    f.sim.run_until_idle(seconds(20));
  }
  SECTION("a start that is refused by a condition of its batch") {
    StartRequest r;
    r.type = "one";
    r.workflow_id = "never";
    r.extra.expect("no such key", "value");
    CHECK(f.error_of(f.engine->start_workflow(r)) == "workflow.start_refused");
    f.add("x", 3);
    f.sim.run_until_idle(seconds(10));
  }
  SECTION("a restart among waiting steps") {
    f.add("x", 8);
    f.sim.run_until_idle(milliseconds(10));
    f.stop();
    f.boot();
    f.sim.run_until_idle(seconds(20));
  }
  CHECK(f.now == 0);
  CHECK(f.engine->queue("default").running == 0);
  CHECK(f.engine->queue("default").waiting == 0);
  CHECK(f.engine->open_executions() == 0);
  CHECK(f.most <= 2);
}

TEST_CASE("limits change while steps wait") {
  QueueSettings s = at_once(0);
  Line f(s);
  f.add("x", 6);
  f.sim.run_until_idle(seconds(1));
  CHECK(f.order.empty());
  f.engine->configure_queue("default", Limits(4));
  f.sim.run_until_idle(milliseconds(10));
  CHECK(f.now == 4);
  f.sim.run_until_idle(seconds(10));
  CHECK(f.order.size() == 6);
  CHECK(f.error_of([](Engine* e) -> asio::awaitable<void> {
    (void)e->queue("unheard-of");
    co_return;
  }(f.engine.get())) == "queue.not_found");
}

TEST_CASE("after a restart the steps of a key wait in the order in which they were scheduled") {
  Line f(at_once(1));
  for (int i = 0; i < 10; ++i) {
    f.start("one", "x-" + std::to_string(i), "x-" + std::to_string(i));
    f.run(f.sim.runtime().sleep_for(milliseconds(1)));
  }
  f.engine->configure_queue("default", Limits(0));
  f.stop();
  f.order.clear();
  f.options.queues = at_once(1);
  f.boot();
  f.sim.run_until_idle(seconds(30));
  REQUIRE(f.order.size() == 10);
  CAPTURE(f.order);
  // The one that ran was told to end and is started again; where it comes among the rest is the queue's affair.
  std::vector<std::string> waited;
  for (const auto& o : f.order)
    if (o != "x-0") waited.push_back(o);
  // Which run is replayed first is chance, and takes the free slot; those behind it go by their times.
  CHECK(std::is_sorted(waited.begin() + 1, waited.end()));
}

}  // namespace millrace::engine
