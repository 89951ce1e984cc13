// A job without its steps and streams, for lists: their sums instead.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace millrace::api {

std::string job_summary(nlohmann::json job);
// The same for each item of a list {data, next, previous}.
std::string job_list_summary(const std::string& list);

}  // namespace millrace::api
