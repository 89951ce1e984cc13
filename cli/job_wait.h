// Waiting for a job, as every command with --wait does.
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/output.h"

namespace millrace::cli {

// The job at its end; shows its progress meanwhile. Throws a CommandError after --timeout.
asio::awaitable<Json> wait_for_job(Context& context, std::int64_t id);
// Says that it was started, or (`wait`) waits for its end and shows how it went; the exit code.
asio::awaitable<int> show_started_job(Context& context, Json job, bool wait);

}  // namespace millrace::cli
