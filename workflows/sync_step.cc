// The step sync: all streams of the plan, a few at once.
//
// A stream's failure is its own. When all have come to their end, the step succeeds with what each came to; but if a
// failure may pass with time and another attempt is allowed, the step fails retryably instead, and the next attempt
// finds the complete streams and splits where they are and goes on with the rest.
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/task_group.h"
#include "workflows/steps.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;

namespace {

struct SyncRun {
  SyncRun(engine::StepContext& c, const Endpoints& e, const SyncPlan& p, SyncOptions o,
          const std::vector<connectors::StreamName>& names)
      : ctx(c), endpoints(e), plan(p), options(o), progress(c, e.connection_name, names) {}
  engine::StepContext& ctx;
  const Endpoints& endpoints;
  const SyncPlan& plan;
  const SyncOptions options;
  SyncProgress progress;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> suspended{false};
};

SyncOptions with_defaults(SyncOptions options) {
  const auto bounded = [](std::size_t value, std::size_t otherwise) {
    return value == 0 ? otherwise : std::min(value, SyncOptions::kMaxParallel);
  };
  options.streams_parallel = bounded(options.streams_parallel, SyncOptions::kStreamsParallel);
  options.splits_parallel = bounded(options.splits_parallel, SyncOptions::kSplitsParallel);
  return options;
}

// Keeps a failure that a retry can't mend for the attempts that the other streams may need.
asio::awaitable<void> keep_failure(SyncRun& run, connectors::StreamName name, engine::Failure failure) {
  run.ctx.log(LogLevel::error, scope_of(name) + ": " + failure.message);
  if (!failure.retryable)
    co_await run.ctx.checkpoint("failed/" + scope_of(name),
                                failure_json(failure).dump(-1, ' ', false, json::error_handler_t::replace));
}

asio::awaitable<void> sync_one(SyncRun& run, std::size_t i) {
  const StreamPlan& plan = run.plan.streams[i];
  StreamProgress& progress = run.progress.stream(i);
  if (plan.failure) {
    progress.set_failure(*plan.failure);
    co_return;
  }
  StreamSync stream(run.ctx, run.endpoints, plan, run.options, progress);
  std::exception_ptr error;
  try {
    co_await stream.run();
  } catch (...) {
    error = std::current_exception();
  }
  if (!error) {
    if (stream.suspended()) {
      progress.set_status(StreamProgress::Status::pending);
      run.suspended = true;
    }
    co_return;
  }
  // A stream's own coroutines may throw Cancelled for a reason of theirs; what ends the step is told to all of them.
  if (is_cancelled(error)) std::rethrow_exception(error);
  auto failure = engine::failure_from_exception(error);
  progress.set_failure(failure);
  // run() has turned cancellation off for its clean-up; keeping the failure is a part of that.
  co_await keep_failure(run, plan.target.source_name, std::move(failure));
}

// Each stream on a strand of its own, so that streams don't wait for each other.
asio::awaitable<void> stream_lane(SyncRun& run) {
  for (;;) {
    const std::size_t i = run.next.fetch_add(1);
    if (i >= run.plan.streams.size()) co_return;
    if (run.ctx.draining() && !run.plan.streams[i].failure) {
      run.suspended = true;
      co_return;
    }
    TaskGroup one(run.ctx.runtime());
    one.spawn("sync " + scope_of(run.plan.streams[i].target.source_name), sync_one(run, i));
    co_await one.join();
  }
}

// What the attempt comes to: the result, or the failure that asks for another attempt.
engine::Payload outcome_of(SyncRun& run) {
  std::vector<std::string> waiting;
  std::optional<engine::Failure> first;
  json targets = json::array();
  for (std::size_t i = 0; i < run.progress.size(); ++i) {
    const auto failure = run.progress.stream(i).failure();
    if (!failure) {
      connectors::StreamTarget target = run.plan.streams[i].target;
      target.state = run.progress.stream(i).state();
      targets.push_back(json::parse(connectors::to_json(target)));
      continue;
    }
    if (!failure->retryable) continue;
    if (!first) first = failure;
    waiting.push_back(scope_of(run.progress.stream(i).name()));
  }
  if (first && !run.ctx.is_last_attempt()) {
    engine::Failure again = *first;
    if (waiting.size() > 1) again.message += " (and " + std::to_string(waiting.size() - 1) + " more streams)";
    again.retryable = true;
    throw engine::FailureError(std::move(again));
  }
  json out = {{"streams", run.progress.streams_json()}, {"targets", std::move(targets)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

asio::awaitable<engine::Payload> run_sync(engine::StepContext& ctx, std::shared_ptr<const Endpoints> endpoints,
                                          std::shared_ptr<const SyncPlan> plan, SyncOptions options) {
  std::vector<connectors::StreamName> names;
  for (const auto& s : plan->streams) names.push_back(s.target.source_name);
  SyncRun run(ctx, *endpoints, *plan, with_defaults(options), names);
  for (std::size_t i = 0; i < plan->streams.size(); ++i) {
    run.progress.stream(i).set_rows_estimate(plan->streams[i].rows_estimate);
    if (!plan->streams[i].changes.empty())
      run.progress.stream(i).set_schema_changes(to_json(plan->streams[i].changes).dump());
  }
  for (const auto& note : plan->notes) ctx.log(LogLevel::warn, note);
  ctx.log(LogLevel::info,
          "attempt " + std::to_string(ctx.token().attempt) + ": " + std::to_string(names.size()) + " streams");

  TaskGroup reporter(ctx.runtime());
  TaskGroup lanes(ctx.runtime());
  reporter.spawn("progress", run.progress.report_loop());
  const std::size_t count = std::min(run.options.streams_parallel, std::max<std::size_t>(1, names.size()));
  for (std::size_t i = 0; i < count; ++i) lanes.spawn("streams", stream_lane(run));
  std::exception_ptr error;
  try {
    co_await lanes.join();
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await reporter.stop();
  run.progress.report();
  if (error) std::rethrow_exception(error);
  if (run.suspended) throw engine::Suspended();
  co_return outcome_of(run);
}

asio::awaitable<engine::Payload> sync_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  auto plan = std::make_shared<const SyncPlan>(sync_plan_from_json(value.at("plan").dump()));
  auto endpoints = std::make_shared<Endpoints>();
  *endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  endpoints->connection_name = value.value("connectionName", job.connection.id);
  std::shared_ptr<const Endpoints> ends = endpoints;
  co_return co_await run_sync(ctx, ends, plan, job.options);
}

}  // namespace millrace::workflows
