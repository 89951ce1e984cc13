// test.signals, test.update and test.continue: what comes from outside, and the run that follows.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

Workflow<Payload> signals(Context& ctx, Payload input) {
  const Input in(input);
  const std::string name = in.text("name", "s");
  Json all = Json::array();
  for (std::int64_t i = 1; i <= in.integer("count", 1); ++i) {
    const Payload payload = co_await ctx.next_signal(name);
    all.push_back(payload.empty() ? Json() : Json::parse(payload, nullptr, false));
    if (in.flag("stepBetween", false))
      co_await ctx.step("test.work", work(in, i), named("between-" + std::to_string(i)));
  }
  co_return all.dump();
}

Workflow<Payload> keep_number(Context& ctx, Payload) {
  auto number = std::make_shared<std::int64_t>(0);
  ctx.on_query("get", [number](const Payload&) { return std::to_string(*number); });
  const auto refuse_negative = [](const Payload& update) {
    if (Input(update).integer("by", 0) < 0) {
      Failure f;
      f.type = "NegativeNumber";
      f.message = "by is negative";
      f.retryable = false;
      throw FailureError(f);
    }
  };
  // A coroutine that captures nothing: its closure may go before it does.
  const auto add_to = [](std::shared_ptr<std::int64_t> n, Payload update) -> Workflow<Payload> {
    *n += Input(update).integer("by", 0);
    co_return std::to_string(*n);
  };
  ctx.on_update("add", refuse_negative,
                [number, add_to](Context&, Payload update) { return add_to(number, std::move(update)); });
  co_await ctx.next_signal("finish");
  co_return std::to_string(*number);
}

// One step a run; `done` counts the runs before this one.
Workflow<Payload> again(Context& ctx, Payload input) {
  const Input in(input);
  const std::int64_t runs = in.integer("runs", 1), done = in.integer("done", 0);
  co_await ctx.step("test.work", work(in, done), named("work-" + std::to_string(done + 1)));
  if (done + 1 >= runs) co_return "{\"runs\":" + std::to_string(done + 1) + "}";
  Json next = in.json();
  next["done"] = done + 1;
  throw engine::ContinueAsNew(next.dump());
}

}  // namespace

void add_messages(engine::Registry& registry) {
  add(registry, "test.signals", {"count", "name", "stepBetween", "ledger"}, signals);
  add(registry, "test.update", {}, keep_number);
  add(registry, "test.continue", {"runs", "ledger"}, again);
}

}  // namespace millrace::testkit
