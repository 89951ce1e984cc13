// The doctor's rounds: the same check again and again at a low rate, for as long as the server runs.
#pragma once

#include <memory>

#include "common/awaitable.h"
#include "common/runtime.h"
#include "state/store.h"

namespace millrace::engine {

struct PatrolOptions {
  PatrolOptions() = default;
  Duration first_after = std::chrono::minutes(10);
  Duration between = std::chrono::hours(6);
  Duration pause = std::chrono::milliseconds(20);  // after each run and each page of rows
};

// Ends by cancellation. A round that finds faults says each in the log (the first 20) and their number in
// millrace_doctor_faults.
asio::awaitable<void> patrol(Runtime runtime, std::shared_ptr<state::Store> store, PatrolOptions options);

}  // namespace millrace::engine
