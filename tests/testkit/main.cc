// build/millrace-testkit: millrace with the test workflows registered beside the real ones.
//
//   millrace-testkit server [--behaviour a|b|patched] [--clock-offset SECONDS] …
#include "cli/app.h"
#include "cli/command.h"
#include "tests/testkit/clock.h"
#include "tests/testkit/testkit.h"

int main(int argc, char** argv) {
  millrace::testkit::TestkitOptions options;
  double clock_offset = 0;  // seconds
  millrace::serve::Hooks hooks;
  hooks.add_options = [&](CLI::App& server) {
    server.add_option("--behaviour", options.behaviour, "which build of test.version this is: a | b | patched")
        ->check(CLI::IsMember({"a", "b", "patched"}));
    server.add_option("--clock-offset", clock_offset, "seconds by which the server's wall clock is wrong");
  };
  hooks.register_more = [&](millrace::engine::Registry& registry) {
    millrace::testkit::register_testkit(registry, options);
  };
  hooks.wrap_runtime = [&](millrace::Runtime real) {
    if (clock_offset == 0) return real;
    return millrace::testkit::with_clock_offset(std::move(real),
                                                millrace::Duration(static_cast<std::int64_t>(clock_offset * 1e6)));
  };
  return millrace::cli::run(argc, argv, hooks);
}
