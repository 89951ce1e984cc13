#include "api/execution_json.h"

#include "api/handlers.h"

namespace millrace::api {
namespace {

std::string time_or_null(const std::optional<WallTime>& t) {
  return t ? json_text(format_time(*t)) : std::string("null");
}
std::string failure_or_null(const std::optional<engine::Failure>& f) {
  return f ? engine::to_json(*f) : std::string("null");
}

std::string_view state_name(engine::StepState state) {
  switch (state) {
    case engine::StepState::scheduled:
      return "Scheduled";
    case engine::StepState::running:
      return "Running";
    case engine::StepState::backing_off:
      return "BackingOff";
    case engine::StepState::completed:
      return "Completed";
    case engine::StepState::failed:
      return "Failed";
    case engine::StepState::timed_out:
      return "TimedOut";
    case engine::StepState::canceled:
      return "Canceled";
  }
  return "Scheduled";
}

JsonObject summary(const engine::Execution& e) {
  JsonObject object;
  object.text("workflowId", e.workflow_id)
      .text("runId", e.run_id)
      .text("type", e.type)
      .text("status", engine::to_string(e.status));
  object.boolean("blocked", e.blocked.has_value()).boolean("setAside", e.set_aside);
  object.text("startTime", format_time(e.started)).raw("closeTime", time_or_null(e.closed));
  object.number("historyLength", std::int64_t(e.history_length))
      .number("historySizeBytes", std::int64_t(e.history_bytes));
  object.boolean("cancelRequested", e.cancel_requested).raw("memo", e.memo);
  return object;
}

std::string attempts_json(const engine::StepDescription& step) {
  std::string out = "[";
  for (const auto& a : step.attempts) {
    if (out.size() > 1) out += ',';
    out += JsonObject()
               .number("attempt", a.number)
               .text("startTime", format_time(a.started))
               .raw("endTime", time_or_null(a.ended))
               .raw("failure", failure_or_null(a.failure))
               .take();
  }
  return out + "]";
}

std::string waiting_json(const std::optional<engine::WaitingFor>& w) {
  if (!w) return "null";
  JsonObject object;
  object.text("queue", w->queue).text("reason", w->reason).text("detail", w->detail);
  if (!w->limit_key.empty()) object.text("limitKey", w->limit_key);
  return object.number("position", static_cast<std::int64_t>(w->position)).take();
}

std::string step_json(const engine::StepDescription& step) {
  std::string inner = "{";
  for (const auto& [scope, state] : step.checkpoints) {
    if (inner.size() > 1) inner += ',';
    inner += json_text(scope) + ":" + (state.empty() ? "null" : state);
  }
  inner += '}';
  return JsonObject()
      .text("activityId", step.activity_id)
      .text("type", step.type)
      .text("status", state_name(step.state))
      .number("scheduledEventId", std::int64_t(step.scheduled_event_id))
      .text("scheduledTime", format_time(step.scheduled))
      .raw("closeTime", time_or_null(step.closed))
      .raw("nextAttemptTime", time_or_null(step.next_attempt))
      .text("queue", step.queue)
      .number("priority", step.priority)
      .text("fairnessKey", step.fairness_key)
      .raw("waitingFor", waiting_json(step.waiting_for))
      .raw("attempts", attempts_json(step))
      .boolean("paused", step.paused)
      .raw("lastFailure", failure_or_null(step.last_failure))
      .raw("heartbeatDetails", step.heartbeat)
      .raw("checkpoints", inner)
      .raw("result", step.result)
      .take();
}

std::string child_json(const engine::ChildDescription& child) {
  return JsonObject()
      .text("workflowId", child.workflow_id)
      .raw("runId", child.run_id.empty() ? "null" : json_text(child.run_id))
      .text("type", child.type)
      .text("status", child.status   ? engine::to_string(*child.status)
                      : child.closed ? std::string_view("StartFailed")
                                     : std::string_view("Initiated"))
      .boolean("pending", !child.closed.has_value())
      .number("initiatedEventId", std::int64_t(child.initiated_event_id))
      .text("parentClosePolicy", engine::to_string(child.parent_close_policy))
      .text("initiatedTime", format_time(child.initiated))
      .raw("closeTime", time_or_null(child.closed))
      .raw("failure", failure_or_null(child.failure))
      .raw("result", child.result)
      .take();
}

}  // namespace

std::string execution_summary_json(const engine::Execution& execution) { return summary(execution).take(); }

std::string execution_outcome_json(const engine::Execution& e) {
  return JsonObject()
      .text("workflowId", e.workflow_id)
      .text("runId", e.run_id)
      .text("status", engine::to_string(e.status))
      .raw("result", e.result)
      .raw("failure", failure_or_null(e.failure))
      .take();
}

std::string execution_detail_json(const engine::ExecutionDetail& detail) {
  const engine::Execution& e = detail.execution;
  JsonObject object = summary(e);
  object.raw("input", e.input).raw("result", e.result).raw("failure", failure_or_null(e.failure));
  if (e.blocked) {
    object.raw("divergence", JsonObject()
                                 .number("eventId", std::int64_t(e.blocked->event_id))
                                 .text("expected", e.blocked->expected)
                                 .text("got", e.blocked->got)
                                 .text("position", e.blocked->position)
                                 .take());
  } else {
    object.raw("divergence", "");
  }
  std::string steps = "[", pending = "[", timers = "[";
  for (const auto& step : detail.steps) {
    const std::string json = step_json(step);
    if (steps.size() > 1) steps += ',';
    steps += json;
    if (!step.closed) {
      if (pending.size() > 1) pending += ',';
      pending += json;
    }
  }
  for (const auto& timer : detail.timers) {
    if (timers.size() > 1) timers += ',';
    timers += JsonObject()
                  .text("timerId", timer.timer_id)
                  .number("startedEventId", std::int64_t(timer.started_event_id))
                  .text("fireTime", format_time(timer.fires))
                  .take();
  }
  const auto list = [](const auto& items, auto one) {
    std::string out = "[";
    for (const auto& item : items) {
      if (out.size() > 1) out += ',';
      out += one(item);
    }
    return out + "]";
  };
  object.raw("parent",
             e.parent_workflow_id.empty()
                 ? std::string("null")
                 : JsonObject().text("workflowId", e.parent_workflow_id).text("runId", e.parent_run_id).take());
  object.text("firstRunId", e.first_run_id.empty() ? e.run_id : e.first_run_id);
  object.raw("continuedRunId", detail.continued_run_id.empty() ? "null" : json_text(detail.continued_run_id));
  object.raw("children", list(detail.children, child_json));
  object.raw("pendingSignals", list(detail.pending_signals, [](const engine::PendingSignal& s) {
               return JsonObject()
                   .text("name", s.name)
                   .number("eventId", std::int64_t(s.event_id))
                   .text("time", format_time(s.time))
                   .take();
             }));
  object.raw("pendingUpdates", list(detail.pending_updates, [](const engine::PendingUpdate& u) {
               return JsonObject()
                   .text("updateId", u.update_id)
                   .text("name", u.name)
                   .number("acceptedEventId", std::int64_t(u.accepted_event_id))
                   .text("acceptedTime", format_time(u.time))
                   .take();
             }));
  object.raw("steps", steps + "]").raw("pendingSteps", pending + "]").raw("timers", timers + "]");
  return object.take();
}

}  // namespace millrace::api
