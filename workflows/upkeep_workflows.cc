// clear and undo: jobs that move no rows but change what earlier ones have moved. They need the destination only, so a
// source that is gone is in nobody's way.
#include <nlohmann/json.hpp>

#include "workflows/job_input.h"
#include "workflows/job_workflows.h"
#include "workflows/queue_defaults.h"
#include "workflows/stream_failure.h"
#include "workflows/stream_outcomes.h"

namespace millrace::workflows {

using engine::Context;
using engine::Payload;
using engine::StepOptions;
using engine::Workflow;
using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

StepOptions short_options(const JobInput& job) {
  StepOptions options;
  options.retry.initial_interval = seconds(1);
  options.retry.maximum_interval = seconds(30);
  options.retry.maximum_attempts_without_progress = 5;
  options.timeouts.start_to_close = minutes(5);
  options.fairness_key = job.connection.id;
  return options;
}

// Waits for locks and may count a large table: no heartbeat inside.
StepOptions work_options(const JobInput& job) {
  StepOptions options;
  options.retry.initial_interval = seconds(1);
  options.retry.maximum_interval = minutes(1);
  options.retry.maximum_attempts_without_progress = 5;
  options.fairness_key = job.connection.id;
  options.queue = kSyncQueue;
  return options;
}

Payload finish(const Payload& result) {
  json streams = json::parse(result).value("streams", json::array());
  auto failure = first_failure(streams);
  if (!failure) return result;
  json details = {{"partial", any_complete(streams)}, {"streams", std::move(streams)}};
  failure->details = dump(details);
  failure->retryable = false;
  throw engine::FailureError(std::move(*failure));
}

Payload without_source(const JobInput& job) {
  JobInput out = job;
  out.source = ResourceAt();
  return to_json(out);
}

}  // namespace

Workflow<Payload> clear_workflow(Context& ctx, Payload input) {
  const JobInput job = job_input_from_json(input);
  const json spec = json::parse(co_await ctx.step("get_spec", input, short_options(job)));
  co_await ctx.step("check", without_source(job), short_options(job));
  json clear_input = {{"job", json::parse(input)}, {"connection", spec.value("connection", json::object())}};
  const Payload result = co_await ctx.step("clear", dump(clear_input), work_options(job));
  co_return finish(result);
}

Workflow<Payload> undo_workflow(Context& ctx, Payload input) {
  const JobInput job = job_input_from_json(input);
  co_await ctx.step("get_spec", input, short_options(job));
  co_await ctx.step("check", without_source(job), short_options(job));
  json undo_input = {{"job", json::parse(input)}};
  const Payload result = co_await ctx.step("undo", dump(undo_input), work_options(job));
  co_return finish(result);
}

}  // namespace millrace::workflows
