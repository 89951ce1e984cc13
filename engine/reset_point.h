// Where a reset cuts a history.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/events/event.h"
#include "engine/operator.h"

namespace millrace::engine {

// The last event that is kept: a place between two turns, at least 1. Throws workflow.reset_invalid if the history has
// no such point.
std::uint64_t reset_cut(const std::vector<HistoryEvent>& events, const ResetPoint& point);

}  // namespace millrace::engine
