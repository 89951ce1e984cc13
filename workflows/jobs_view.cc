// The streams of a job are told by three witnesses, the later beating the earlier: the heartbeat of the step sync with
// its checkpoints (also of an attempt that died), the step's result, and the result of the step normalize.
#include "workflows/jobs_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "workflows/stream_failure.h"
#include "workflows/stream_outcomes.h"
#include "workflows/sync_stream.h"

namespace millrace::workflows {

using engine::ExecutionStatus;
using engine::StepState;
using nlohmann::json;

namespace {

std::string_view state_word(StepState state) {
  switch (state) {
    case StepState::scheduled:
      return "pending";
    case StepState::running:
      return "running";
    case StepState::backing_off:
      return "incomplete";
    case StepState::completed:
      return "succeeded";
    case StepState::failed:
      return "failed";
    case StepState::timed_out:
      return "failed";
    case StepState::canceled:
      return "cancelled";
  }
  return "pending";
}

const engine::StepDescription* find_step(const engine::ExecutionDetail& detail, std::string_view type) {
  const engine::StepDescription* found = nullptr;
  for (const auto& s : detail.steps)
    if (s.type == type) found = &s;
  return found;
}

// The step of a job that loads nothing.
const engine::StepDescription* upkeep_step(const engine::ExecutionDetail& detail) {
  for (const char* type : {"clear", "undo", "preview"})
    if (const auto* step = find_step(detail, type)) return step;
  return nullptr;
}

json parse_object(const std::string& text) {
  json value = text.empty() ? json() : json::parse(text, nullptr, false);
  return value.is_object() ? value : json::object();
}

json attempts_json(const engine::StepDescription& step) {
  json out = json::array();
  for (const auto& a : step.attempts) {
    json one = {{"number", a.number}, {"startTime", format_time(a.started)}};
    one["endTime"] = a.ended ? json(format_time(*a.ended)) : json();
    if (a.failure) one["failure"] = failure_json(*a.failure);
    out.push_back(std::move(one));
  }
  return out;
}

json waiting_json(const engine::WaitingFor& w) {
  json out = {{"queue", w.queue}, {"reason", w.reason}, {"detail", w.detail}, {"position", w.position}};
  if (!w.limit_key.empty()) out["limitKey"] = w.limit_key;
  return out;
}

json steps_json(const engine::ExecutionDetail& detail) {
  json out = json::array();
  for (const auto& s : detail.steps) {
    json one = {{"name", s.type},
                {"activityId", s.activity_id},
                {"status", state_word(s.state)},
                {"attempts", attempts_json(s)}};
    one["startTime"] = s.attempts.empty() ? json() : json(format_time(s.attempts.front().started));
    one["endTime"] = s.closed ? json(format_time(*s.closed)) : json();
    if (s.waiting_for) one["waitingFor"] = waiting_json(*s.waiting_for);
    if (s.next_attempt) one["nextAttemptTime"] = format_time(*s.next_attempt);
    const bool shows =
        s.state == StepState::failed || s.state == StepState::timed_out || s.state == StepState::backing_off;
    if (shows && s.last_failure) one["failure"] = failure_json(*s.last_failure);
    out.push_back(std::move(one));
  }
  return out;
}

// What a dead or running attempt has told: its heartbeat, corrected by the checkpoints, which are later and durable.
json streams_so_far(const engine::StepDescription& sync) {
  json streams = parse_object(sync.heartbeat).value("streams", json::array());
  for (auto& s : streams) {
    const std::string scope = scope_of(name_from_json(s));
    if (const auto it = sync.checkpoints.find("done/" + scope); it != sync.checkpoints.end()) {
      const json done = parse_object(it->second);
      s["status"] = "loaded";
      s["rowsRead"] = s["rowsCommitted"] = done.value("rows", std::int64_t{0});
      s["splits"] = {{"total", done.value("splits", 0)}, {"complete", done.value("splits", 0)}};
      s.erase("failure");
    }
  }
  return streams;
}

// A stream that was at work when its step stopped being so.
void settle(json& streams, const std::string& job, const engine::StepDescription* sync) {
  const bool waits = sync && sync->state == StepState::backing_off;
  for (auto& s : streams) {
    const std::string status = s.value("status", "pending");
    if (status == "complete" || status == "failed" || status == "planned") {
      if (status == "failed" && (job == "incomplete" || job == "running" || job == "pending") &&
          s.contains("failure") && s["failure"].value("retryable", false))
        s["status"] = "incomplete";
      continue;
    }
    if (job == "cancelled") s["status"] = "cancelled";
    if (job == "failed") s["status"] = "failed";
    if (waits && status == "running") s["status"] = "incomplete";
    if (job != "running") s.erase("rate");
  }
}

void add_missing(json& s) {
  for (const char* field : {"rowsRead", "rowsCommitted", "bytesRead", "bytesCommitted", "rate", "rowsQuarantined"})
    if (!s.contains(field)) s[field] = 0;
  if (!s.contains("consistency")) s["consistency"] = json();
  if (!s.contains("splits")) s["splits"] = {{"total", 0}, {"complete", 0}};
  if (!s.contains("failure")) s["failure"] = json();
  if (!s.contains("state")) s["state"] = json();  // an incremental mode has one, once it is loaded
}

json failure_view(const engine::Failure& failure) {
  json out = failure_json(failure);
  if (failure.cause && !out.contains("cause")) out["cause"] = failure_json(*failure.cause);
  return out;
}

json revisions_json(const JobInput& input) {
  json out = json::object();
  if (!input.source.id.empty()) out["source"] = {{"id", input.source.id}, {"revision", input.source.revision}};
  if (!input.destination.id.empty())
    out["destination"] = {{"id", input.destination.id}, {"revision", input.destination.revision}};
  if (!input.connection.id.empty())
    out["connection"] = {{"id", input.connection.id}, {"revision", input.connection.revision}};
  return out;
}

WallTime last_update(const engine::ExecutionDetail& detail, WallTime now) {
  if (detail.execution.closed) return *detail.execution.closed;
  WallTime last = detail.execution.started;
  for (const auto& s : detail.steps) {
    if (s.state == StepState::running) return now;
    last = std::max(last, s.closed.value_or(s.scheduled));
    for (const auto& a : s.attempts) last = std::max(last, a.ended.value_or(a.started));
  }
  return last;
}

}  // namespace

std::string iso_duration(Duration d) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(std::max(d, Duration{0})).count();
  const auto hours = total / 3600;
  const auto minutes = total / 60 % 60;
  const auto seconds = total % 60;
  std::string out = "PT";
  if (hours > 0) out += std::to_string(hours) + "H";
  if (minutes > 0) out += std::to_string(minutes) + "M";
  if (seconds > 0 || out == "PT") out += std::to_string(seconds) + "S";
  return out;
}

std::string job_status(const engine::ExecutionDetail& detail) {
  switch (detail.execution.status) {
    case ExecutionStatus::completed:
      return "succeeded";
    case ExecutionStatus::canceled:
      return "cancelled";
    case ExecutionStatus::failed:
    case ExecutionStatus::terminated:
    case ExecutionStatus::timed_out:
      return "failed";
    default:
      break;
  }
  if (detail.steps.empty()) return "pending";
  const auto& last = detail.steps.back();
  if (last.state == StepState::backing_off) return "incomplete";
  if (last.state == StepState::scheduled) return "pending";  // the next step waits for its turn
  return "running";
}

json job_streams(const engine::ExecutionDetail& detail) {
  json streams = json::array();
  const auto* sync = find_step(detail, "sync");
  const auto* normalize = find_step(detail, "normalize");
  if (sync) {
    streams = sync->state == StepState::completed ? parse_object(sync->result).value("streams", json::array())
                                                  : streams_so_far(*sync);
  } else if (const auto* upkeep = upkeep_step(detail)) {
    const std::string told = upkeep->state == StepState::completed ? upkeep->result : upkeep->heartbeat;
    streams = parse_object(told).value("streams", json::array());
  } else if (normalize) {
    const std::string told = normalize->state == StepState::completed ? normalize->result : normalize->heartbeat;
    for (const auto& s : parse_object(told).value("streams", json::array())) {
      json one = {{"namespace", s.value("namespace", "")}, {"name", s.value("name", "")}, {"status", "loaded"}};
      one["rowsCommitted"] = s.value("rows", std::int64_t{0});
      streams.push_back(std::move(one));
    }
  }
  if (normalize) {
    const std::string told = normalize->state == StepState::completed ? normalize->result : normalize->heartbeat;
    apply_published(streams, parse_object(told).value("streams", json::array()));
  }
  if (const auto* follow = find_step(detail, "follow")) {
    const std::string told = follow->state == StepState::completed ? follow->result : follow->heartbeat;
    apply_followed(streams, parse_object(told).value("streams", json::array()));
  }
  settle(streams, job_status(detail), sync);
  for (auto& s : streams) add_missing(s);
  return streams;
}

json job_view(const JobRow& row, const engine::ExecutionDetail& detail, WallTime now) {
  const auto& execution = detail.execution;
  const std::string status = job_status(detail);
  json streams = job_streams(detail);
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  for (const auto& s : streams) {
    rows += s.value("rowsCommitted", std::int64_t{0});
    bytes += s.value("bytesCommitted", std::int64_t{0});
  }
  json out = {{"jobId", row.job_id},
              {"status", status},
              {"jobType", row.job_type},
              {"startTime", format_time(execution.started)},
              {"lastUpdatedAt", format_time(last_update(detail, now))},
              {"duration", iso_duration(execution.closed.value_or(now) - execution.started)},
              {"bytesSynced", bytes},
              {"rowsSynced", rows},
              {"workflowId", row.workflow_id},
              {"runId", row.run_id},
              {"partial", status == "failed" && any_complete(streams)},
              {"steps", steps_json(detail)},
              {"streams", std::move(streams)},
              {"revisions", revisions_json(row.input)},
              {"principal", row.principal}};
  if (!row.connection_id.empty()) {
    out["connectionId"] = row.connection_id;
    out["connectionName"] = row.connection_name;
  }
  out["failure"] = execution.failure && status != "cancelled" ? failure_view(*execution.failure) : json();
  if (execution.blocked)
    out["blocked"] = {{"eventId", execution.blocked->event_id},
                      {"expected", execution.blocked->expected},
                      {"got", execution.blocked->got},
                      {"position", execution.blocked->position}};
  if (status == "pending" && !detail.steps.empty() && detail.steps.back().waiting_for)
    out["waitingFor"] = waiting_json(*detail.steps.back().waiting_for);
  if (!row.input.replay.mode.empty()) out["replay"] = replay_json(row.input.replay);
  if (execution.cancel_requested && status != "cancelled") out["cancelRequested"] = true;
  return out;
}

}  // namespace millrace::workflows
