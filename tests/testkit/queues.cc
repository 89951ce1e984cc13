// test.flood: one step with a place in a queue. test.external: steps for workers in other processes.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

asio::awaitable<Payload> flood_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  if (const Duration d = in.millis("stepMs"); d.count() > 0) co_await context.runtime().sleep_for(d);
  co_return "{}";
}

std::vector<std::string> texts(const Input& in, const char* name) {
  std::vector<std::string> out;
  if (in.has(name))
    for (const Json& one : in.json().at(name)) out.push_back(one.get<std::string>());
  return out;
}

StepOptions placed(const Input& in, std::string activity_id, const std::string& queue) {
  StepOptions options = named(std::move(activity_id));
  options.queue = in.text("queue", queue);
  options.fairness_key = in.text("key");
  options.priority = static_cast<std::uint32_t>(in.integer("priority", engine::kDefaultPriority));
  options.limit_keys = texts(in, "limitKeys");
  if (in.has("weight")) options.fairness_weight = in.json().at("weight").get<double>();
  return options;
}

Workflow<Payload> flood(Context& ctx, Payload input) {
  const Input in(input);
  const StepOptions options = placed(in, "flood-" + std::to_string(in.integer("n", 1)), engine::kDefaultQueue);
  co_return co_await ctx.step("test.flood", input, options);
}

// Step i is "external-i"; its input is {"value": i} and the workflow's own `input` beside it.
Workflow<Payload> external(Context& ctx, Payload input) {
  const Input in(input);
  const std::int64_t n = in.integer("n", 1);
  std::vector<engine::Future> all;
  for (std::int64_t i = 1; i <= n; ++i) {
    StepOptions options = placed(in, "external-" + std::to_string(i), "external");
    options.timeouts = in.timeouts();
    options.retry = in.retry_policy();
    Json one = Json::object();
    one["value"] = i;
    if (in.has("input")) one["input"] = in.json().at("input");
    all.push_back(ctx.start_step(in.text("type", "external"), one.dump(), options));
  }
  Json results = Json::array();
  for (engine::Future& one : all) {
    const Payload result = co_await one;
    results.push_back(Json::parse(result, nullptr, false));
  }
  Json out = Json::object();
  out["results"] = std::move(results);
  co_return out.dump();
}

}  // namespace

void add_queues(engine::Registry& registry) {
  registry.add_step("test.flood", flood_step);
  add(registry, "test.flood", {"n", "key", "queue", "priority", "weight", "limitKeys", "stepMs", "ledger"}, flood);
  add(registry, "test.external",
      {"n", "queue", "type", "input", "key", "priority", "weight", "limitKeys", "timeouts", "retryPolicy"}, external);
}

}  // namespace millrace::testkit
