// Starting a job from the command line, and following it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/output.h"

namespace millrace::cli {

struct JobStart {
  JobStart() = default;
  std::string path = "/v1/jobs";
  Json body = Json::object();
  bool wait = false;
};

// POSTs it; prints the job, once it has ended with `wait`. The exit code: kFailed if it did not succeed.
asio::awaitable<int> run_job(Context& context, JobStart start);

// "orders" or "public.orders" as {name} or {namespace, name}.
Json stream_json(const std::string& stream);

}  // namespace millrace::cli
