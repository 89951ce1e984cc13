#include "tests/sim/interpreter.h"

#include "tests/sim/program.h"
#include "tests/sim/work_step.h"

namespace millrace::sim {
namespace {

using engine::Context;
using engine::Failure;
using engine::FailureError;
using engine::Future;
using engine::Payload;
using engine::StepOptions;
using engine::Workflow;

std::string quoted(const std::string& text) { return Json(text).dump(); }
std::string unquoted(const Payload& json) {
  const Json parsed = Json::parse(json, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : json;
}

// As "+value" or "-type", since a Workflow<T> of an aggregate would meet the traps of g++ 12.
Workflow<Payload> settle(Future future) {
  std::optional<Failure> failure;
  Payload value;
  try {
    value = co_await future;
  } catch (const FailureError& e) {
    failure = e.failure();
  }
  co_return failure ? "-" + failure->type : "+" + value;
}

// The state of one run of the interpreter, shared with its query and update handlers.
struct Run {
  explicit Run(Json input) : ops(input.at("ops")), acc(input.at("acc")), cleanup(input.value("cleanup", false)) {}
  std::string joined() const {
    std::string all;
    for (const Json& token : acc) all += (all.empty() ? "" : ",") + token.get<std::string>();
    return all;
  }
  Json ops, acc;
  bool cleanup;
  long total = 0;
};

std::string step_token(const Json& spec, const std::string& settled, Life& life) {
  const std::string k = spec["k"].get<std::string>();
  if (settled == "-Cancelled") return settled;
  if (spec.contains("most")) return "?:" + k;
  if (settled.starts_with("+")) return unquoted(settled.substr(1));
  if (spec.value("fatal", false) && settled == "-sim.fatal") return "F:" + k;
  if (settled == "-TimeoutScheduleToStart") life.world.marks.hit("step is never taken");
  if (spec.contains("scheduleToClose") || spec.contains("scheduleToStart")) return "T:" + k;
  return settled + ":" + k;
}

[[noreturn]] void throw_cancelled() {
  Failure f;
  f.type = "Cancelled";
  f.message = "cancelled";
  f.retryable = false;
  throw FailureError(f);
}

Workflow<Payload> run_scope(Context& ctx, Json op, Life& life) {
  Context inner = ctx.scope();
  StepOptions options = step_options(op);
  const auto mode = op["mode"].get<int>();
  options.cancel_mode = mode == 0   ? engine::CancelMode::wait
                        : mode == 1 ? engine::CancelMode::try_cancel
                                    : engine::CancelMode::abandon;
  Json spec = {{"k", op["k"]}, {"ms", 1'500}};
  Future step = inner.start_step("sim.work", spec.dump(), options);
  const Payload waited = co_await settle(ctx.timer(std::chrono::milliseconds(op["ms"].get<int>())));
  inner.cancel();
  life.world.marks.hit("scope cancelled");
  const Payload ended = co_await settle(std::move(step));
  if (waited == "-Cancelled") throw_cancelled();
  co_return ended == "-Cancelled" || ended == "+" + quoted(op["k"].get<std::string>()) ? Payload("r") : ended;
}

Workflow<Payload> run_saga(Context& ctx, Json op, Life& life) {
  const auto n = op["n"].get<int>();
  const std::string k = op["k"].get<std::string>();
  std::string failure;
  int done = 0;
  for (int i = 1; i <= n && failure.empty(); ++i) {
    Json spec = {{"k", k + "." + std::to_string(i)}, {"ms", 10}};
    if (i == n) spec["fatal"] = true;
    const Payload settled = co_await settle(ctx.step("sim.work", spec.dump(), step_options(spec)));
    if (settled.starts_with("+"))
      ++done;
    else
      failure = settled;
  }
  Context shielded = ctx.shield();
  for (int i = done; i >= 1; --i) {
    Json spec = {{"k", k + ".undo" + std::to_string(i)}, {"ms", 5}};
    life.world.marks.hit("compensation");
    co_await shielded.step("sim.work", spec.dump(), step_options(spec));
  }
  if (failure == "-Cancelled") throw_cancelled();
  co_return failure == "-sim.fatal" ? Payload("g") : failure;
}

Workflow<Payload> run_child(Context& ctx, Json op, Life& life) {
  engine::ChildOptions options;
  const std::string id = ctx.workflow_id() + op["id"].get<std::string>();
  options.workflow_id = id;
  const std::string policy = op["policy"].get<std::string>();
  options.parent_close_policy = policy == "terminate" ? engine::ParentClosePolicy::terminate
                                : policy == "abandon" ? engine::ParentClosePolicy::abandon
                                                      : engine::ParentClosePolicy::request_cancel;
  Context::Child child = ctx.start_child("sim.program", op["program"].dump(), options);
  const Payload started = co_await settle(child.started);
  if (started == "-Cancelled") throw_cancelled();
  if (!started.starts_with("+")) co_return "c!" + started;
  std::map<std::string, int> sent;
  for (const Json& name : op["signals"]) {
    const std::string n = name.get<std::string>();
    const std::string payload = std::to_string(++sent[n]);
    const Payload answer = co_await settle(ctx.signal_external(id, n, payload));
    if (answer == "-Cancelled") throw_cancelled();
    if (!answer.starts_with("+")) co_return "c!signal" + answer;
    life.world.marks.hit("signal between workflows");
  }
  if (!op["wait"].get<bool>()) co_return "c";
  const Payload ended = co_await settle(child.result);
  if (ended == "-Cancelled" && ctx.cancel_requested()) throw_cancelled();
  life.world.marks.hit("child closed");
  co_return "c(" + (ended.starts_with("+") ? unquoted(ended.substr(1)) : ended.substr(1)) + ")";
}

Workflow<Payload> run_op(Context& ctx, Json op, std::shared_ptr<Run> run, Life& life) {
  const std::string kind = op["op"].get<std::string>();
  if (kind == "step") {
    const Payload settled = co_await settle(ctx.step("sim.work", op.dump(), step_options(op)));
    const std::string token = step_token(op, settled, life);
    if (token == "-Cancelled") throw_cancelled();
    co_return token;
  }
  if (kind == "parallel") {
    std::vector<Future> all;
    for (const Json& spec : op["steps"]) all.push_back(ctx.start_step("sim.work", spec.dump(), step_options(spec)));
    std::string tokens;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Payload settled = co_await settle(all[i]);
      const std::string token = step_token(op["steps"][i], settled, life);
      if (token == "-Cancelled") throw_cancelled();
      tokens += (tokens.empty() ? "" : "+") + token;
    }
    co_return tokens;
  }
  if (kind == "timer") {
    co_await ctx.timer(std::chrono::milliseconds(op["ms"].get<int>()));
    co_return "t";
  }
  if (kind == "signal") {
    Future signal = ctx.next_signal(op["name"].get<std::string>());
    if (signal.is_ready()) life.world.marks.hit("signal before the code asked");
    const Payload payload = co_await signal;
    co_return op["name"].get<std::string>() + "=" + payload;
  }
  if (kind == "side") {
    Json spec = {{"k", op["k"]}, {"ms", 10}};
    spec["outside"] = ctx.side_effect("outside", [&life] { return std::to_string(++life.world.outside); });
    spec["random"] = ctx.random();
    spec["uuid"] = ctx.uuid();
    spec["now"] = ctx.now().time_since_epoch().count();
    co_await ctx.step("sim.work", spec.dump(), step_options(spec));
    co_return "e";
  }
  if (kind == "patched") co_return ctx.patched(op["id"].get<std::string>()) ? Payload("v1") : Payload("v0");
  if (kind == "scope") co_return co_await run_scope(ctx, op, life);
  if (kind == "saga") co_return co_await run_saga(ctx, op, life);
  if (kind == "child") co_return co_await run_child(ctx, op, life);
  if (kind == "updates") {
    co_await ctx.next_signal("fin");
    co_return "u=" + std::to_string(run->total);
  }
  co_return "unknown op " + kind;
}

Workflow<Payload> add_up(Context& ctx, Payload input, std::shared_ptr<Run> run) {
  const long by = Json::parse(input).get<long>();
  if (by % 2 == 0) {
    Json spec = {{"k", "update" + std::to_string(by)}, {"ms", 20}};
    co_await ctx.step("sim.work", spec.dump(), step_options(spec));
  }
  run->total += by;
  co_return std::to_string(run->total);
}

void refuse_negative(const Payload& input) {
  if (Json::parse(input).get<long>() >= 0) return;
  Failure f;
  f.type = "sim.negative";
  f.retryable = false;
  throw FailureError(f);
}

Workflow<Payload> run_program(Context& ctx, Payload input, Life& life) {
  auto run = std::make_shared<Run>(Json::parse(input));
  ctx.on_query("state", [run](const Payload&) {
    Json state = {{"acc", run->acc}, {"total", run->total}};
    return state.dump();
  });
  ctx.on_update("add", refuse_negative, [run](Context& c, Payload by) { return add_up(c, std::move(by), run); });
  std::optional<Failure> cancelled;
  for (std::size_t i = 0; i < run->ops.size() && !cancelled; ++i) {
    const Json op = run->ops[i];
    if (op["op"] == "again") {
      run->acc.push_back("again");
      Json next = {{"acc", run->acc}, {"cleanup", run->cleanup}};
      next["ops"] = Json(run->ops.begin() + static_cast<std::ptrdiff_t>(i) + 1, run->ops.end());
      life.world.marks.hit("run continued as new");
      throw engine::ContinueAsNew(next.dump());
    }
    if (op["op"] == "fail") {
      Failure f;
      f.type = "sim.planned";
      f.message = run->joined();
      f.retryable = false;
      throw FailureError(f);
    }
    try {
      const Payload token = co_await run_op(ctx, op, run, life);
      run->acc.push_back(token);
    } catch (const FailureError& e) {
      cancelled = e.failure();
    }
  }
  if (!cancelled) co_return quoted(run->joined());
  if (run->cleanup && cancelled->type == "Cancelled") {
    Context shielded = ctx.shield();
    Json spec = {{"k", "cleanup"}, {"ms", 100}};
    co_await shielded.step("sim.work", spec.dump(), step_options(spec));
  }
  throw FailureError(*cancelled);
}

}  // namespace

void add_interpreter(engine::Registry& registry, Life& life) {
  Life* l = &life;
  registry.add_workflow("sim.program",
                        [l](Context& ctx, Payload input) { return run_program(ctx, std::move(input), *l); });
  registry.add_step("sim.work",
                    [l](engine::StepContext& ctx, Payload input) { return work(ctx, std::move(input), *l); });
}

}  // namespace millrace::sim
