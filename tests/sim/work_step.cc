#include "tests/sim/work_step.h"

#include <boost/asio/this_coro.hpp>

#include "engine/options.h"

namespace millrace::sim {
namespace {

using engine::Failure;
using engine::FailureError;
using engine::Payload;
using std::chrono::milliseconds;

[[noreturn]] void fail(const char* type, bool retryable) {
  Failure f;
  f.type = type;
  f.message = "a simulated failure";
  f.retryable = retryable;
  throw FailureError(f);
}

// Waits as a step does that knows nothing of cancellation; a dead life wakes it at once.
asio::awaitable<void> ignore_everything(Life& life, Duration d) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  for (Duration waited{0}; waited < d && !life.dead(); waited += std::chrono::seconds(20))
    co_await life.sim.runtime().sleep_for(std::chrono::seconds(20));
}

Ledger::Beginning beginning_of(const engine::StepContext& ctx, const Json& spec, const Payload& input, bool drains) {
  Ledger::Beginning b;
  b.activity_id = ctx.activity_id();
  b.input = input;
  // One that suspended itself does not count.
  b.maximum_attempts = drains ? 0 : spec.value("most", 0U);
  b.least_backoff = milliseconds(spec.value("backoff", 1'000)) * 89 / 100;
  b.may_overlap = spec.contains("startToClose") || spec.contains("heartbeat") || spec.contains("scheduleToClose");
  b.heartbeat = ctx.last_heartbeat();
  b.checkpoints = ctx.checkpoints();
  return b;
}

asio::awaitable<void> hang(engine::StepContext& ctx, Life& life, bool stubborn) {
  life.world.marks.hit("step hangs past its time-out");
  const auto hour = std::chrono::minutes(10);
  if (!stubborn) {
    co_await ctx.runtime().sleep_for(hour);
    co_return;
  }
  co_await ignore_everything(life, hour);
  if (!life.dead()) life.world.marks.hit("step ignores its cancellation");
}

}  // namespace

engine::StepOptions step_options(const Json& spec) {
  engine::StepOptions options;
  options.activity_id = spec["k"].get<std::string>();
  options.retry.initial_interval = milliseconds(spec.value("backoff", 1'000));
  options.retry.maximum_attempts = spec.value("most", 0U);
  const auto time = [&](const char* name) -> std::optional<Duration> {
    if (!spec.contains(name)) return std::nullopt;
    return milliseconds(spec[name].get<std::int64_t>());
  };
  options.timeouts.start_to_close = time("startToClose");
  options.timeouts.heartbeat = time("heartbeat");
  options.timeouts.schedule_to_start = time("scheduleToStart");
  options.timeouts.schedule_to_close = time("scheduleToClose");
  if (spec.value("never", false)) options.queue = engine::kNobodysQueue;
  return options;
}

asio::awaitable<Payload> work(engine::StepContext& ctx, Payload input, Life& life) {
  if (life.dead()) fail("sim.dead", true);
  World& world = life.world;
  const Json spec = Json::parse(input);
  const engine::StepToken token = ctx.token();
  const StepKey key(token.run_id, token.scheduled_event_id);
  StepBook& book = world.ledger.begin(token, beginning_of(ctx, spec, input, world.plan.drains()), world.life,
                                      life.true_now(), world.jumped.count() == 0);
  // However it ends, also when its frame is dropped.
  struct End {
    Life& life;
    StepBook& book;
    std::uint32_t attempt;
    ~End() {
      if (!life.dead() && book.running == attempt) book.running.reset();
    }
  } end{life, book, token.attempt};

  const bool faces_hang = static_cast<std::int64_t>(book.began.size()) <= spec.value("hangs", 0);
  if (faces_hang) {
    const bool stubborn = spec.value("stubborn", false);
    co_await hang(ctx, life, stubborn);
    if (life.dead()) fail("sim.dead", true);
    world.marks.hit("step completes too late");
    co_return Json("late " + token.text()).dump();
  }
  const Duration beat = milliseconds(spec.value("ms", 0));
  const auto beats = spec.value("beats", std::int64_t{0});
  if (beats == 0 && beat.count() > 0) co_await ctx.runtime().sleep_for(beat);
  std::int64_t from = 0;
  if (const auto last = ctx.last_heartbeat(); last && !last->empty()) {
    from = std::stoll(*last);
    world.marks.hit("attempt goes on from a heartbeat");
  }
  for (std::int64_t i = from + 1; i <= beats && !life.dead(); ++i) {
    ctx.heartbeat(std::to_string(i));
    book.heartbeats[life.true_now()] = {token.attempt, i, world.life};
    co_await ctx.runtime().sleep_for(beat);
    if (ctx.draining() && spec.value("suspends", false)) {
      world.marks.hit("step suspends itself");
      throw engine::Suspended();
    }
  }
  if (life.dead()) fail("sim.dead", true);
  if (!ctx.checkpoints().empty()) world.marks.hit("attempt goes on from a checkpoint");
  for (int i = 1; i <= spec.value("checkpoints", 0); ++i) {
    const std::string scope = "c" + std::to_string(i);
    const std::string value = std::to_string(token.attempt);
    co_await ctx.checkpoint(scope, value);
    if (life.dead()) fail("sim.dead", true);
    book.checkpoints[scope] = value;
  }
  if (spec.value("fatal", false)) {
    world.marks.hit("step fails for good");
    fail("sim.fatal", false);
  }
  if (book.failures < spec.value("failures", std::uint32_t{0})) {
    ++book.failures;
    book.failed_at[token.attempt] = life.true_now();
    world.marks.hit("step fails");
    fail("sim.failed", true);
  }
  const Payload result = Json(spec["k"]).dump();
  book.returned[token.attempt] = result;
  co_return result;
}

}  // namespace millrace::sim
