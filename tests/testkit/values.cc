// test.crash; test.values and test.local: what code takes from outside its history, and local steps; and a race.
#include <cstdlib>

#include "engine/combine.h"
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

// A side effect, a version marker, random numbers and the time of turns.
Workflow<Payload> values(Context& ctx, Payload input) {
  const Input in(input);
  Json out = Json::object();
  out["patched"] = ctx.patched("first-change");
  out["kept"] = Json::parse(ctx.side_effect("forty-two", [] { return Payload("42"); }));
  out["uuid"] = ctx.uuid();
  const WallTime before = ctx.now();
  co_await ctx.timer(std::chrono::seconds(1));
  out["waited"] = ctx.now() - before >= std::chrono::seconds(1);
  // A step that is named after a random number: replay must draw the same.
  const std::string name = "drawn-" + std::to_string(ctx.random() % 1'000);
  co_await ctx.step("test.work", work(in, 0), named(name));
  co_return out.dump();
}

// n local steps one after the other, two at once, and one that fails.
Workflow<Payload> local(Context& ctx, Payload input) {
  const Input in(input);
  engine::LocalStepOptions options;
  options.retry.maximum_attempts = 1;
  std::int64_t sum = 0;
  for (std::int64_t i = 1; i <= in.integer("n", 2); ++i)
    sum += std::stoll(co_await ctx.local_step("test.work", work(in, i), options));
  std::vector<engine::Future> both = {ctx.local_step("test.work", work(in, 10), options),
                                      ctx.local_step("test.work", work(in, 20), options)};
  const std::vector<Payload> two = co_await engine::all(std::move(both));
  for (const Payload& one : two) sum += std::stoll(one);
  std::string failed;
  try {
    co_await ctx.local_step("test.do", R"({"fail":true})", options);
  } catch (const FailureError& e) {
    failed = e.failure().type;
  }
  co_return Json({{"sum", sum}, {"failed", failed}}).dump();
}

// A long step against a timer: the timer wins, the step is cancelled.
Workflow<Payload> race(Context& ctx, Payload input) {
  const Input in(input);
  Context racers = ctx.scope();
  StepOptions options = named("long-1");
  std::vector<engine::Future> both = {racers.start_step("test.long", R"({"seconds":3600})", std::move(options)),
                                      racers.timer(std::chrono::milliseconds(in.integer("limitMs", 50)))};
  const engine::Race won = co_await engine::race(racers, std::move(both));
  co_return Json({{"winner", won.index}}).dump();
}

asio::awaitable<Payload> dying_step(StepContext& context, Payload input) {
  co_await write_ledger(context, Input(input).text("ledger"));
  std::abort();
}

// Brings the server down: in its own code once a step is done, or in a step. With `where` "nowhere" it completes.
Workflow<Payload> crash(Context& ctx, Payload input) {
  const Input in(input);
  const std::string where = in.text("where", "turn");
  co_await ctx.step(where == "step" ? "test.dying" : "test.work", work(in, 1), named("before"));
  if (where == "turn") std::abort();
  co_return "{}";
}

}  // namespace

void add_values(engine::Registry& registry) {
  add(registry, "test.values", {"ledger"}, values);
  add(registry, "test.local", {"n", "ledger"}, local);
  registry.add_step("test.dying", dying_step);
  add(registry, "test.crash", {"where", "ledger"}, crash);
  add(registry, "test.race", {"limitMs"}, race);
}

}  // namespace millrace::testkit
