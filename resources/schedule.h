// The schedule of a connection: its forms, validated when it is written.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "resources/validation_error.h"

namespace millrace::resources {

// The long form of `schedule` (cronTimeZone filled in); faults are told under `pointer`.
nlohmann::json normalise_schedule(const nlohmann::json& schedule, const std::string& pointer, Faults& faults);

// What is wrong with a cron expression; empty: nothing. Five fields are Unix cron (0 and 7 are Sunday), six or seven
// are Quartz (seconds first, 1 is Sunday, ? in one of the two day fields).
std::string cron_fault(const std::string& expression);

}  // namespace millrace::resources
