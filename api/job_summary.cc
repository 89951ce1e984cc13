#include "api/job_summary.h"

#include <nlohmann/json.hpp>

namespace millrace::api {
namespace {

using nlohmann::json;

void shorten(json& job) {
  std::int64_t rows = 0, bytes = 0, rate = 0, streams = 0;
  if (job.contains("streams") && job["streams"].is_array()) {
    for (const json& stream : job["streams"]) {
      rows += stream.value("rowsRead", std::int64_t{0});
      bytes += stream.value("bytesRead", std::int64_t{0});
      if (stream.contains("rate") && stream["rate"].is_number())
        rate += static_cast<std::int64_t>(stream["rate"].get<double>());
      ++streams;
    }
  }
  for (const char* field : {"steps", "streams", "revisions"}) job.erase(field);
  job["rowsRead"] = rows;
  job["bytesRead"] = bytes;
  job["rate"] = rate;
  job["streamCount"] = streams;
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string job_summary(json job) {
  shorten(job);
  return text_of(job);
}

std::string job_list_summary(const std::string& list) {
  json parsed = json::parse(list);
  for (json& job : parsed["data"]) shorten(job);
  return text_of(parsed);
}

}  // namespace millrace::api
