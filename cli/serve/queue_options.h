// Limits of task queues as the server's flags and its configuration file write them.
#pragma once

#include <string>
#include <vector>

#include "engine/queues/limits.h"

namespace millrace::serve {

// `queues` and `limits` hold "NAME=concurrency:8,ratePerSecond:5" or "NAME=8"; a later one beats an earlier one, all
// beat the defaults of workflows/queue_defaults.h. A name "*" among the queues: those that are not named. Throws
// CommandError (exit code 2).
engine::QueueSettings queue_settings(const std::vector<std::string>& queues, const std::vector<std::string>& limits);

}  // namespace millrace::serve
