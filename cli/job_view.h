// A job for people: what it did, its streams, its steps, and why it failed.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace millrace::cli {

// On stdout.
void print_job(const nlohmann::ordered_json& job);
// "job 7 succeeded: 2 of 2 streams, 1,010 rows, 84.2 KiB in 0.4 s"
std::string job_line(const nlohmann::ordered_json& job);
// On stderr, in three parts; nothing if it did not fail.
void print_job_failure(const nlohmann::ordered_json& job);
// "PT1M2.5S" as seconds; what it can't read is shown as it is.
std::string duration_text(const std::string& iso);

}  // namespace millrace::cli
