// One event of each type, every field of it set: for golden bytes and round trips.
#pragma once

#include <vector>

#include "engine/events/event.h"

namespace millrace::engine {

Failure some_failure();
std::vector<Attributes> one_of_each();

}  // namespace millrace::engine
