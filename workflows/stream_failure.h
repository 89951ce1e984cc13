// Failures as jobs show them: {code, title, message, detail, remedy, retryable}.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/failure.h"

namespace millrace::workflows {

// Of a catalogue code; retryable as the catalogue says.
engine::Failure failure_of_code(std::string_view code, std::string detail);
nlohmann::json failure_json(const engine::Failure& failure);
// The inverse, for what a step's result or checkpoint kept.
engine::Failure failure_from_view(const nlohmann::json& view);

}  // namespace millrace::workflows
