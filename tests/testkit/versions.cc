// test.version: one workflow, three builds of it. a runs first then second, b the other way round, patched does what b
// does behind a version marker, so that runs begun under a go on under it.
#include "tests/testkit/kit.h"

namespace millrace::testkit {
namespace {

Workflow<Payload> version(Context& ctx, Payload input, std::string behaviour) {
  const Input in(input);
  const bool swapped = behaviour == "b" || (behaviour == "patched" && ctx.patched("swap-order"));
  const std::vector<std::string> order =
      swapped ? std::vector<std::string>{"second", "first"} : std::vector<std::string>{"first", "second"};
  for (const std::string& name : order) co_await ctx.step("test.work", work(in, 0), named(name));
  co_return Json({{"order", order}}).dump();
}

}  // namespace

void add_versions(engine::Registry& registry, const TestkitOptions& options) {
  add(registry, "test.version", {"ledger", "stepMs"}, [behaviour = options.behaviour](Context& ctx, Payload input) {
    return version(ctx, std::move(input), behaviour);
  });
}

}  // namespace millrace::testkit
