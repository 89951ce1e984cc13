// test.children and test.ring: workflows that start others and send them signals.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

engine::ParentClosePolicy policy_of(const Input& in) {
  const std::string word = in.text("parentClosePolicy", "terminate");
  if (word == "abandon") return engine::ParentClosePolicy::abandon;
  if (word == "requestCancel" || word == "request-cancel") return engine::ParentClosePolicy::request_cancel;
  if (word != "terminate") refuse("parentClosePolicy is none of terminate, abandon, requestCancel");
  return engine::ParentClosePolicy::terminate;
}

Workflow<Payload> children(Context& ctx, Payload input) {
  const Input in(input);
  engine::ChildOptions options;
  options.parent_close_policy = policy_of(in);
  const Payload child_input = in.has("input") ? in.json()["input"].dump() : Payload("{}");
  std::vector<Context::Child> all;
  for (std::int64_t i = 1; i <= in.integer("n", 1); ++i) {
    options.workflow_id = ctx.workflow_id() + "-c" + std::to_string(i);
    all.push_back(ctx.start_child(in.text("type", "test.steps"), child_input, options));
  }
  Json results = Json::array();
  for (Context::Child& child : all) {
    const Payload run_id = co_await child.started;
    if (in.flag("wait", true)) {
      const Payload result = co_await child.result;
      results.push_back(result.empty() ? Json() : Json::parse(result, nullptr, false));
    } else {
      results.push_back(run_id);
    }
  }
  co_return results.dump();
}

Workflow<Payload> pass_on(Context& ctx, Payload input) {
  const Input in(input);
  for (std::int64_t lap = 1; lap <= in.integer("laps", 1); ++lap) {
    const Payload token = co_await ctx.next_signal("token");
    co_await ctx.step("test.work", work(in, lap), named("lap-" + std::to_string(lap)));
    co_await ctx.signal_external(in.text("next"), "token", token);
  }
  co_return "{}";
}

// Node 0; the others are its children c1 to c(n-1).
Workflow<Payload> ring(Context& ctx, Payload input) {
  const Input in(input);
  const std::int64_t nodes = in.integer("nodes", 2), laps = in.integer("laps", 1);
  const auto id = [&](std::int64_t i) {
    return i % nodes == 0 ? ctx.workflow_id() : ctx.workflow_id() + "-c" + std::to_string(i);
  };
  std::vector<Context::Child> others;
  for (std::int64_t i = 1; i < nodes; ++i) {
    Json node = Json::object();
    node["laps"] = laps;
    node["next"] = id(i + 1);
    node["ledger"] = in.text("ledger");
    engine::ChildOptions options;
    options.workflow_id = id(i);
    others.push_back(ctx.start_child("test.ring.node", node.dump(), options));
  }
  for (Context::Child& one : others) co_await one.started;
  for (std::int64_t lap = 1; lap <= laps; ++lap) {
    co_await ctx.signal_external(id(1), "token", std::to_string(lap));
    co_await ctx.next_signal("token");
    co_await ctx.step("test.work", work(in, lap), named("lap-" + std::to_string(lap)));
  }
  for (Context::Child& one : others) co_await one.result;
  co_return "{\"laps\":" + std::to_string(laps) + "}";
}

}  // namespace

void add_links(engine::Registry& registry) {
  add(registry, "test.children", {"n", "type", "input", "parentClosePolicy", "wait", "ledger"}, children);
  add(registry, "test.ring", {"nodes", "laps", "ledger"}, ring);
  add(registry, "test.ring.node", {"laps", "next", "ledger"}, pass_on);
}

}  // namespace millrace::testkit
