// What must hold of a schedule's row by itself; the doctor looks at each.
#pragma once

#include <string>
#include <vector>

#include "engine/schedules/schedule.h"

namespace millrace::engine {

// One line for each thing that does not hold; empty: all is well. `id`: that of the row's key.
std::vector<std::string> faults_of_schedule(const std::string& id, const Schedule& schedule);

}  // namespace millrace::engine
