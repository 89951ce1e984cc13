// test.steps and test.parallel, and the step that most others use.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

// Returns its number, or {value, payload} where a payload is asked for.
asio::awaitable<Payload> work_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  if (const Duration d = in.millis("stepMs"); d.count() > 0) co_await context.runtime().sleep_for(d);
  const std::int64_t bytes = in.integer("payloadBytes", 0);
  if (bytes == 0) co_return std::to_string(in.integer("value", 0));
  Json result = Json::object();
  result["value"] = in.integer("value", 0);
  result["payload"] = std::string(static_cast<std::size_t>(bytes), 'x');
  co_return result.dump();
}

std::int64_t value_of(const Payload& result) {
  const Json json = Json::parse(result);
  return json.is_object() ? json["value"].get<std::int64_t>() : json.get<std::int64_t>();
}

Payload sum_of(std::int64_t sum) { return "{\"sum\":" + std::to_string(sum) + "}"; }

Workflow<Payload> steps(Context& ctx, Payload input) {
  const Input in(input);
  const std::int64_t n = in.integer("n", 1);
  std::int64_t sum = 0;
  for (std::int64_t i = 1; i <= n; ++i) {
    const Payload result = co_await ctx.step("test.work", work(in, i), named("work-" + std::to_string(i)));
    sum += value_of(result);
  }
  co_return sum_of(sum);
}

Workflow<Payload> parallel(Context& ctx, Payload input) {
  const Input in(input);
  const std::int64_t n = in.integer("n", 1);
  std::vector<engine::Future> all;
  for (std::int64_t i = 1; i <= n; ++i)
    all.push_back(ctx.start_step("test.work", work(in, i), named("work-" + std::to_string(i))));
  std::int64_t sum = 0;
  for (engine::Future& one : all) {
    const Payload result = co_await one;
    sum += value_of(result);
  }
  co_return sum_of(sum);
}

}  // namespace

void add_steps(engine::Registry& registry) {
  registry.add_step("test.work", work_step);
  add(registry, "test.steps", {"n", "ledger", "stepMs", "payloadBytes"}, steps);
  add(registry, "test.parallel", {"n", "ledger", "stepMs"}, parallel);
}

}  // namespace millrace::testkit
