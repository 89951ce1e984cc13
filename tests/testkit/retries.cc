// test.retry, test.timeouts and test.heartbeat: what attempts of one step do.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

asio::awaitable<Payload> flaky_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  const std::int64_t attempt = context.token().attempt;
  if (attempt <= in.integer("failures", 0)) {
    Failure f;
    f.type = "TestFailure";
    f.message = "attempt " + std::to_string(attempt) + " fails, as it was told to";
    f.retryable = !in.flag("nonRetryable", false);
    if (in.has("nextDelayMs")) f.next_retry_delay = in.millis("nextDelayMs");
    throw FailureError(f);
  }
  co_return "{\"attempts\":" + std::to_string(attempt) + "}";
}

Workflow<Payload> retry(Context& ctx, Payload input) {
  const Input in(input);
  StepOptions options = named("flaky-1");
  options.retry = in.retry_policy();
  options.timeouts = in.timeouts();
  co_return co_await ctx.step("test.flaky", std::move(input), std::move(options));
}

// Hangs until it is told to end.
asio::awaitable<Payload> hang_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  for (;;) co_await context.runtime().sleep_for(std::chrono::hours(24));
}

Workflow<Payload> timeouts(Context& ctx, Payload input) {
  const Input in(input);
  StepOptions options = named("hang-1");
  options.retry = in.retry_policy();
  options.timeouts = in.timeouts();
  const std::string kind = in.text("kind", "startToClose");
  // Where nobody takes steps from, so that it never starts.
  if (kind == "scheduleToStart") options.queue = engine::kNobodysQueue;
  const Duration otherwise = std::chrono::seconds(1);
  engine::StepTimeouts& t = options.timeouts;
  if (kind == "scheduleToStart" && !t.schedule_to_start) t.schedule_to_start = otherwise;
  if (kind == "startToClose" && !t.start_to_close) t.start_to_close = otherwise;
  if (kind == "scheduleToClose" && !t.schedule_to_close) t.schedule_to_close = otherwise;
  if (kind == "heartbeat" && !t.heartbeat) t.heartbeat = otherwise;
  co_return co_await ctx.step("test.hang", std::move(input), std::move(options));
}

// Counts to `total` and says after each number where it is; starts where the attempt before said it was.
asio::awaitable<Payload> count_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  const auto before = context.last_heartbeat();
  std::int64_t count = before ? Json::parse(*before).get<std::int64_t>() : 0;
  // One number an attempt, kept where a kill does not reach. One that died before it could write its own was handed the
  // same as we are.
  Json started = Json::array();
  if (const auto kept = context.checkpoints().find("startedFrom"); kept != context.checkpoints().end())
    started = Json::parse(kept->second);
  while (started.size() < context.token().attempt) started.push_back(count);
  const Payload kept = started.dump();
  co_await context.checkpoint("startedFrom", kept);
  const std::int64_t total = in.integer("total", 10);
  while (count < total) {
    if (const Duration d = in.millis("everyMs"); d.count() > 0) co_await context.runtime().sleep_for(d);
    ++count;
    context.heartbeat(std::to_string(count));
  }
  co_return "{\"startedFrom\":" + kept + "}";
}

Workflow<Payload> heartbeat(Context& ctx, Payload input) {
  StepOptions options = named("count-1");
  options.timeouts.heartbeat = std::chrono::seconds(30);
  co_return co_await ctx.step("test.count", std::move(input), std::move(options));
}

}  // namespace

void add_retries(engine::Registry& registry) {
  registry.add_step("test.flaky", flaky_step);
  registry.add_step("test.hang", hang_step);
  registry.add_step("test.count", count_step);
  add(registry, "test.retry", {"failures", "nonRetryable", "retryPolicy", "timeouts", "nextDelayMs", "ledger"}, retry);
  add(registry, "test.timeouts", {"kind", "timeouts", "retryPolicy", "ledger"}, timeouts);
  add(registry, "test.heartbeat", {"total", "everyMs", "ledger"}, heartbeat);
}

}  // namespace millrace::testkit
