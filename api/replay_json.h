// What verify and step-wise replay found, as the API shows it.
#pragma once

#include <string>

#include "engine/replay_view.h"

namespace millrace::api {

// {eventId, expected, got, position}, or null.
std::string divergence_json(const std::optional<engine::Divergence>& divergence);
std::string verify_json(const engine::VerifyReport& report);
std::string verify_all_json(const engine::VerifyAllReport& report);
std::string verified_file_json(const engine::VerifiedFile& file);
std::string replay_view_json(const engine::ReplayView& view);

}  // namespace millrace::api
