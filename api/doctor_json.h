// The doctor's report as the API shows it.
#pragma once

#include <string>

#include "engine/doctor.h"

namespace millrace::api {

std::string doctor_json(const engine::DoctorReport& report);

}  // namespace millrace::api
