// test.saga: steps that are undone, in reverse, when a later one fails.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

asio::awaitable<Payload> do_step(StepContext& context, Payload input) {
  const Input in(input);
  co_await write_ledger(context, in.text("ledger"));
  if (in.flag("fail", false)) {
    Failure f;
    f.type = "TestFailure";
    f.message = context.activity_id() + " fails, as it was told to";
    f.retryable = false;
    throw FailureError(f);
  }
  co_return "{}";
}

Workflow<Payload> saga(Context& ctx, Payload input) {
  const Input in(input);
  std::vector<int> done;
  std::optional<Failure> failed;
  for (int i = 1; i <= 3 && !failed; ++i) {
    Json step = Json::object();
    step["ledger"] = in.text("ledger");
    step["fail"] = i == in.integer("failAt", 0);
    try {
      co_await ctx.step("test.do", step.dump(), named("do-" + std::to_string(i)));
      done.push_back(i);
    } catch (const FailureError& e) {
      failed = e.failure();
    }
  }
  if (!failed) co_return "{}";
  Context shielded = ctx.shield();
  for (; !done.empty(); done.pop_back()) {
    Json step = Json::object();
    step["ledger"] = in.text("ledger");
    co_await shielded.step("test.do", step.dump(), named("undo-" + std::to_string(done.back())));
  }
  throw FailureError(*failed);
}

}  // namespace

void add_sagas(engine::Registry& registry) {
  registry.add_step("test.do", do_step);
  add(registry, "test.saga", {"failAt", "ledger"}, saga);
}

}  // namespace millrace::testkit
