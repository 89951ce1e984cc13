// test.timer and test.cleanup: waiting, and being told to stop.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

Workflow<Payload> timer(Context& ctx, Payload input) {
  const Input in(input);
  const Duration wait = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      in.has("seconds") && in.json()["seconds"].is_number() ? in.json()["seconds"].get<double>() : 1.0));
  const WallTime due = ctx.now() + wait;
  std::vector<engine::Future> all;
  for (std::int64_t i = 0; i < in.integer("count", 1); ++i) all.push_back(ctx.timer(wait));
  Json late = Json::array();
  for (engine::Future& one : all) {
    co_await one;
    late.push_back(static_cast<double>((ctx.now() - due).count()) / 1000.0);
  }
  Json result = Json::object();
  result["lateMs"] = late;
  co_return result.dump();
}

asio::awaitable<Payload> long_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  co_await context.runtime().sleep_for(std::chrono::seconds(in.integer("seconds", 60)));
  co_return "{}";
}

// A long step (with a cancelMode) or timer (without); when it is cancelled a step cleans up all the same.
Workflow<Payload> cleanup(Context& ctx, Payload input) {
  const Input in(input);
  const std::string mode = in.text("cancelMode");
  std::optional<Failure> cancelled;
  try {
    if (mode.empty()) {
      co_await ctx.timer(std::chrono::seconds(in.integer("seconds", 60)));
    } else {
      StepOptions options = named("long-1");
      if (mode == "try" || mode == "tryCancel")
        options.cancel_mode = engine::CancelMode::try_cancel;
      else if (mode == "abandon")
        options.cancel_mode = engine::CancelMode::abandon;
      else if (mode != "wait" && mode != "waitCancellationCompleted")
        refuse("cancelMode is none of try, wait, abandon");
      co_await ctx.step("test.long", input, std::move(options));
    }
  } catch (const FailureError& e) {
    cancelled = e.failure();
  }
  if (!cancelled) co_return "{}";
  Context shielded = ctx.shield();
  co_await shielded.step("test.work", work(in, 0), named("cleanup"));
  throw FailureError(*cancelled);
}

}  // namespace

void add_waits(engine::Registry& registry) {
  registry.add_step("test.long", long_step);
  add(registry, "test.timer", {"seconds", "count"}, timer);
  add(registry, "test.cleanup", {"seconds", "ledger", "cancelMode"}, cleanup);
}

}  // namespace millrace::testkit
