// The ledger: what really ran, in a file that outlives every kill.
#pragma once

#include <string>

#include "engine/step.h"

namespace millrace::testkit {

// Appends "RUNID STEP ATTEMPT" with a single write on O_APPEND. A step does this before anything else. No path:
// nothing.
asio::awaitable<void> write_ledger(engine::StepContext& context, std::string path);

}  // namespace millrace::testkit
