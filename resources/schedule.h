// The schedule of a connection: its forms, validated when it is written.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "resources/validation_error.h"

namespace millrace::resources {

// The long form of `schedule` (cronTimeZone filled in); faults are told under `pointer`.
nlohmann::json normalise_schedule(const nlohmann::json& schedule, const std::string& pointer, Faults& faults);

}  // namespace millrace::resources
