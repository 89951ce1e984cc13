// The test workflows: registered beside the real ones in build/millrace-testkit, so that a test outside the process can
// drive every feature of the engine over HTTP and check it against a ledger that nothing in the process can undo.
// What each takes and returns is listed in README.md of this folder.
#pragma once

#include <string>

#include "engine/engine.h"

namespace millrace::testkit {

struct TestkitOptions {
  TestkitOptions() = default;
  std::string behaviour = "a";  // of test.version: a, b or patched
};

void register_testkit(engine::Registry& registry, const TestkitOptions& options = TestkitOptions());

}  // namespace millrace::testkit
