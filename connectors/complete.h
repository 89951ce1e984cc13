// What finish() of every destination looks at before it marks a generation complete.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connectors/destination.h"

namespace millrace::connectors {

// Throws destination.incomplete unless exactly `splits` are complete and their rows add up to `rows`.
void require_complete(const StreamTarget& target, const std::map<std::string, Checkpoint>& done,
                      const std::vector<std::string>& splits, std::int64_t rows);

}  // namespace millrace::connectors
