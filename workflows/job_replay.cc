// A past job done again: rerun with what it was given then, or reset to a point of its history.
//
// rerun   a job of its own, with the recorded input: the same revisions of source, destination and connection, the same
//         streams and options, and of a sync the states that its streams started from. What later jobs have left at the
//         destination does not count; rows that were loaded since are loaded again.
// reset   the engine's reset of the job's execution, with a number of its own: what stands before the point is not done
//         again, what follows is, as a load of the new job. The row of the job is written in the batch of the reset.
//
// Either way the new job's input says whom it replays, who asked for it, when and why.
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "resources/connection_lock.h"
#include "state/keys.h"
#include "workflows/job_starts.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;
namespace keys = state::keys;

namespace {

constexpr int kTries = 8;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string digest_of(const ReplayRequest& request) {
  json out = {{"replay", request.job_id},
              {"mode", request.mode},
              {"eventId", request.event_id},
              {"step", request.step},
              {"reason", request.reason},
              {"streams", json::array()},
              {"lastFailedStep", request.last_failed_step}};
  for (const auto& name : request.streams) out["streams"].push_back(name_json(name));
  return dump(out);
}

}  // namespace

// What get_spec told the job then, if it came so far.
asio::awaitable<std::string> JobStarts::recorded_states(JobRow row) {
  std::string states = row.input.states;
  if (row.job_type != "sync") co_return states;
  const auto detail = co_await engine_->describe(row.workflow_id, row.run_id);
  for (const auto& step : detail.steps)
    if (step.type == "get_spec" && !step.result.empty())
      states = dump(json::parse(step.result).value("states", json::array()));
  co_return states;
}

asio::awaitable<void> JobStarts::check_revisions(JobInput input) {
  if (!input.source.id.empty()) co_await resources_->get_revision(Kind::source, input.source.id, input.source.revision);
  if (!input.destination.id.empty())
    co_await resources_->get_revision(Kind::destination, input.destination.id, input.destination.revision);
  if (!input.connection.id.empty())
    co_await resources_->get_revision(Kind::connection, input.connection.id, input.connection.revision);
}

// The conditions under which a job of the connection may begin: no other holds it, and it is still there. `own_run` may
// hold it: it ends in the same batch.
asio::awaitable<state::Batch> JobStarts::take_connection(std::string connection_id, std::string own_run) {
  state::Batch extra;
  if (connection_id.empty()) co_return extra;
  const std::string lock_key = keys::connection_lock(connection_id);
  const auto lock_row = co_await store_->get(lock_key);
  if (lock_row) {
    const auto lock = resources::decode_lock(*lock_row);
    const auto open = co_await store_->get(keys::open_run(lock.run_id));
    if (open && lock.run_id != own_run)
      throw JobConflict(lock.job_id, "job " + std::to_string(lock.job_id) + " of this connection is running");
    extra.expect(lock_key, *lock_row);
  } else {
    extra.expect_absent(lock_key);
  }
  const std::string connection_key = keys::resource("connection", connection_id);
  const auto connection = co_await store_->get(connection_key);
  if (!connection) throw Error("resource.not_found", "the connection of this job is deleted");
  extra.expect(connection_key, *connection);
  co_return extra;
}

asio::awaitable<std::optional<std::int64_t>> JobStarts::try_rerun(ReplayRequest request, JobRow old, ReplayOf mark,
                                                                  std::string digest) {
  std::optional<std::int64_t> out;
  state::Batch extra = co_await take_connection(old.connection_id, {});
  JobRow row;
  row.job_type = old.job_type;
  row.connection_id = old.connection_id;
  row.connection_name = old.connection_name;
  row.principal = request.principal.name;
  row.input = old.input;
  row.input.replay = std::move(mark);
  row.input.states = co_await recorded_states(old);
  if (!request.streams.empty()) row.input.streams = request.streams;
  co_await check_revisions(row.input);
  try {
    out = co_await write(std::move(row), std::move(extra), request.request_id, digest, Beside());
  } catch (const Error& e) {
    if (e.code() != "workflow.start_refused") throw;
  }
  co_return out;
}

asio::awaitable<std::optional<std::int64_t>> JobStarts::try_reset(ReplayRequest request, JobRow old, ReplayOf mark,
                                                                  std::string digest) {
  std::optional<std::int64_t> out;
  state::Batch extra = co_await take_connection(old.connection_id, old.run_id);
  JobRow row = old;
  row.job_id = co_await numbers_.next();
  row.run_id = runtime_.uuid();
  row.created = runtime_.now();
  row.principal = request.principal.name;
  row.input.job_id = row.job_id;
  row.input.replay = std::move(mark);
  const std::int64_t number = row.job_id;
  write_rows(row, request.request_id, digest, extra);

  engine::ResetRequest reset;
  reset.workflow_id = old.workflow_id;
  reset.run_id = old.run_id;
  reset.new_run_id = row.run_id;
  using Point = engine::ResetPoint::Kind;
  if (request.last_failed_step) {
    reset.point.kind = Point::last_failed_step;
  } else if (!request.step.empty()) {
    reset.point.kind = Point::step;
    reset.point.step = request.step;
  } else {
    reset.point.event_id = static_cast<std::uint64_t>(request.event_id);
    reset.point.after = true;  // an event stays, a step is done again
  }
  reset.reason = request.reason;
  reset.identity = request.principal.name;
  reset.input = to_json(row.input);
  reset.memo = memo_of(row);
  reset.extra = std::move(extra);
  try {
    co_await engine_->reset(std::move(reset));
    out = number;
  } catch (const Error& e) {
    if (e.code() != "workflow.start_refused") throw;
  }
  if (out)
    log_info("job started by a reset", {{"job", number},
                                        {"of", old.job_id},
                                        {"type", row.job_type},
                                        {"connection", row.connection_name},
                                        {"principal", row.principal}});
  co_return out;
}

asio::awaitable<std::int64_t> JobStarts::start_replay(ReplayRequest request) {
  if (request.mode == "redeliver")
    throw Error("job.rows_not_kept", "the rows of job " + std::to_string(request.job_id) +
                                         " are not kept: there is neither a change log nor an archive of them");
  const std::string digest = digest_of(request);
  const JobRow old = co_await row(request.job_id);
  ReplayOf mark;
  mark.mode = request.mode;
  mark.job_id = old.job_id;
  mark.workflow_id = old.workflow_id;
  mark.run_id = old.run_id;
  mark.event_id = request.event_id;
  mark.step = request.last_failed_step ? "lastFailedStep" : request.step;
  mark.principal = request.principal.name;
  mark.reason = request.reason;
  mark.time = format_time(runtime_.now());
  for (int tries = 0; tries < kTries; ++tries) {
    const auto before = co_await earlier(request.request_id, digest);
    if (before) co_return *before;
    std::optional<std::int64_t> started;
    if (request.mode == "rerun")
      started = co_await try_rerun(request, old, mark, digest);
    else
      started = co_await try_reset(request, old, mark, digest);
    if (started) co_return *started;
  }
  throw Error("resource.conflict", "the connection changes faster than a job of it can be started");
}

}  // namespace millrace::workflows
