#include "api/schedule_json.h"

#include <nlohmann/json.hpp>

#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {

namespace {

using Json = nlohmann::ordered_json;
using engine::from_seconds;

constexpr std::int64_t kLongestCatchUp = 100LL * 366 * 86'400;
constexpr std::size_t kMaxIdBytes = 200;

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// 2026-11-25T02:00:00Z
std::string moment(std::int64_t nominal) { return format_time(from_seconds(nominal)).substr(0, 19) + "Z"; }

Json due_json(const engine::DueStart& due) {
  Json out;
  out["nominalTime"] = moment(due.nominal);
  out["cause"] = engine::to_string(due.cause);
  return out;
}

Json run_json(const engine::StartedRun& run) {
  Json out = due_json(run.due);
  out["workflowId"] = run.workflow_id;
  out["runId"] = run.run_id;
  out["startedAt"] = format_time(run.started);
  out["status"] = run.status;
  return out;
}

Json missed_json(const engine::MissedTime& m) {
  Json out;
  out["nominalTime"] = moment(m.nominal);
  out["cause"] = engine::to_string(m.cause);
  out["reason"] = m.reason;
  out["detail"] = m.detail;
  out["count"] = m.count;
  out["noticedAt"] = format_time(m.noticed);
  return out;
}

Json upcoming(const std::vector<engine::Upcoming>& times, const engine::ScheduleSpec& spec) {
  Json out = Json::array();
  for (const engine::Upcoming& one : times) {
    Json item;
    item["nominalTime"] = moment(one.nominal);
    item["time"] = format_time(one.actual);
    const calendar::Seconds at{std::chrono::seconds(one.nominal)};
    item["localTime"] = calendar::local_text(spec.shown_in(), at);
    item["localNote"] = calendar::local_note(spec.shown_in(), at);
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

std::string upcoming_json(const std::vector<engine::Upcoming>& times, const engine::ScheduleSpec& spec) {
  return text_of(upcoming(times, spec));
}

std::string schedule_json(const engine::Schedule& s, WallTime now, std::size_t next_runs) {
  Json out;
  out["scheduleId"] = s.id;
  const bool of_connection = s.owner.starts_with("connection/");
  out["connectionId"] = of_connection ? Json(s.owner.substr(11)) : Json(nullptr);
  out["spec"] = s.spec;
  Json action = s.action;
  action.erase("kind");
  out["action"] = std::move(action);
  out["overlapPolicy"] = engine::to_string(s.overlap);
  out["catchUpWindowSeconds"] = s.catch_up.count() / 1'000'000;
  out["pauseOnFailure"] = s.pause_on_failure;
  out["paused"] = s.paused;
  out["note"] = s.note;
  out["remainingActions"] = s.remaining ? Json(*s.remaining) : Json(nullptr);
  out["createdAt"] = format_time(s.created);
  out["updatedAt"] = format_time(s.updated);
  const engine::ScheduleSpec spec = engine::Schedules::spec_of(s);
  out["nextRuns"] = s.paused ? Json::array() : upcoming(engine::Schedules::preview(spec, s.id, now, next_runs), spec);
  out["running"] = Json::array();
  for (const auto& run : s.running) out["running"].push_back(run_json(run));
  out["waiting"] = Json::array();
  for (const auto& due : s.buffer) out["waiting"].push_back(due_json(due));
  out["recentRuns"] = Json::array();
  for (auto it = s.recent.rbegin(); it != s.recent.rend(); ++it) out["recentRuns"].push_back(run_json(*it));
  out["missed"] = Json::array();
  for (auto it = s.missed.rbegin(); it != s.missed.rend(); ++it) out["missed"].push_back(missed_json(*it));
  out["backfills"] = Json::array();
  for (const auto& b : s.backfills) {
    Json item;
    item["after"] = moment(b.mark);
    item["to"] = moment(b.end);
    item["overlapPolicy"] = engine::to_string(b.overlap);
    out["backfills"].push_back(std::move(item));
  }
  out["counters"] = Json::object();
  for (const auto& [name, n] : s.counters) out["counters"][name] = n;
  return text_of(out);
}

std::string triggered_json(const engine::Triggered& t) {
  Json out;
  out["outcome"] = t.started ? "started" : t.missed ? "skipped" : "waiting";
  if (t.started) {
    out["workflowId"] = t.started->workflow_id;
    out["runId"] = t.started->run_id;
  }
  if (t.missed) {
    out["reason"] = t.missed->reason;
    out["detail"] = t.missed->detail;
  }
  out["nominalTime"] = moment(t.nominal);
  return text_of(out);
}

void read_schedule(const std::string& text, ScheduleBody mode, engine::Schedule& s) {
  const nlohmann::json body = parse_json_body(text);
  FieldReader fields(body, "", true);
  const bool whole = mode != ScheduleBody::patch;
  if (mode == ScheduleBody::create) {
    s.id = fields.text("scheduleId", true);
    if (body.contains("scheduleId") && (s.id.empty() || s.id.size() > kMaxIdBytes))
      fields.fault("scheduleId", "must have 1 to 200 bytes");
  } else {
    const std::string id = fields.text("scheduleId");
    if (!id.empty() && id != s.id) fields.fault("scheduleId", "can't be changed");
  }
  if (whole) {
    engine::Schedule fresh;
    s.overlap = fresh.overlap;
    s.catch_up = fresh.catch_up;
    s.pause_on_failure = fresh.pause_on_failure;
    s.remaining.reset();
    s.note.clear();
    s.paused = false;
  }
  std::vector<calendar::Fault> faults;
  if (const auto* spec = fields.value("spec")) {
    (void)engine::ScheduleSpec::parse(*spec, "/spec", faults);
    s.spec = *spec;
  } else if (whole) {
    fields.fault("spec", "is required");
  }
  for (const auto& fault : faults) fields.fault_at(fault.pointer, fault.detail);
  if (const auto* action = fields.value("action")) {
    if (!action->is_object()) {
      fields.fault("action", "must be an object with type");
    } else {
      FieldReader inner(*action, "/action", true);
      nlohmann::json kept = {{"kind", "workflow"}};
      kept["type"] = inner.text("type", true);
      const std::string workflow_id = inner.text("workflowId");
      kept["workflowId"] = workflow_id.empty() ? s.id : workflow_id;
      if (const auto* input = inner.value("input")) kept["input"] = *input;
      if (const auto* memo = inner.value("memo")) {
        if (!memo->is_object()) inner.fault("memo", "must be an object");
        kept["memo"] = *memo;
      }
      if (const auto timeout = inner.integer("runTimeoutSeconds", 1, 10LL * 365 * 86'400))
        kept["runTimeoutSeconds"] = *timeout;
      try {
        inner.finish();
        s.action = std::move(kept);
      } catch (const BodyError& e) {
        for (const auto& fault : e.faults()) fields.fault_at(fault.pointer, fault.detail);
      }
    }
  } else if (whole) {
    fields.fault("action", "is required");
  }
  const std::string overlap = fields.text("overlapPolicy");
  if (!overlap.empty()) {
    const auto policy = engine::parse_overlap(overlap);
    if (!policy)
      fields.fault("overlapPolicy",
                   "must be one of skip, buffer_one, buffer_all, cancel_other, terminate_other, allow_all");
    else
      s.overlap = *policy;
  }
  if (const auto window = fields.integer("catchUpWindowSeconds", 10, kLongestCatchUp))
    s.catch_up = std::chrono::seconds(*window);
  s.pause_on_failure = fields.boolean("pauseOnFailure", s.pause_on_failure);
  s.paused = fields.boolean("paused", s.paused);
  if (body.contains("note")) s.note = fields.text("note");
  if (const auto n = fields.integer("remainingActions", 0, 1'000'000'000))
    s.remaining = std::uint64_t(*n);
  else if (body.contains("remainingActions"))
    s.remaining.reset();  // null: no bound any more
  // What an answer holds beside: a schedule that was read may be sent back.
  for (const char* name : {"connectionId", "createdAt", "updatedAt", "nextRuns", "running", "waiting", "recentRuns",
                           "missed", "backfills", "counters"})
    fields.ignore(name);
  fields.finish();
}

}  // namespace millrace::api
