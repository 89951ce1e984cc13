// The list of streams as steps and jobs hold it: JSON objects {namespace, name, status, ..., failure}.
#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "engine/failure.h"

namespace millrace::workflows {

// Takes over what normalize came to: loaded becomes complete, or failed.
void apply_published(nlohmann::json& streams, const nlohmann::json& published);
// What the step follow told of its streams: rows are added to those of their loads; a stream that was only followed is
// new here.
void apply_followed(nlohmann::json& streams, const nlohmann::json& followed);
bool any_complete(const nlohmann::json& streams);
// The first stream that is not complete, as a failure of the job; empty: all are. It names how many failed.
std::optional<engine::Failure> first_failure(const nlohmann::json& streams);
// The one of `streams` with this name; null: none.
nlohmann::json* find_stream(nlohmann::json& streams, const nlohmann::json& name);

}  // namespace millrace::workflows
