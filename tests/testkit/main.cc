// build/millrace-testkit: millrace with the test workflows registered beside the real ones.
#include "cli/app.h"
#include "tests/testkit/testkit.h"

int main(int argc, char** argv) {
  millrace::serve::Hooks hooks;
  hooks.register_more = [](millrace::engine::Registry& registry) { millrace::testkit::register_testkit(registry); };
  return millrace::cli::run(argc, argv, hooks);
}
