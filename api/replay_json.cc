#include "api/replay_json.h"

#include "api/follow.h"
#include "api/handlers.h"

namespace millrace::api {
namespace {

template <class Items, class F>
std::string array_of(const Items& items, F one) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += one(item);
  }
  return out + "]";
}

std::string command_json(const engine::ReplayCommand& command) {
  return JsonObject()
      .text("type", command.type)
      .text("text", command.text)
      .raw("attributes", command.attributes)
      .raw("recordedEventId",
           command.recorded_event_id == 0 ? std::string("null") : std::to_string(command.recorded_event_id))
      .boolean("agrees", command.agrees)
      .take();
}

std::string wait_json(const engine::ReplayWait& wait) {
  return JsonObject()
      .text("kind", wait.kind)
      .text("name", wait.name)
      .raw("eventId", wait.event_id == 0 ? std::string("null") : std::to_string(wait.event_id))
      .take();
}

std::string number(std::uint64_t n) { return std::to_string(n); }

}  // namespace

std::string divergence_json(const std::optional<engine::Divergence>& d) {
  if (!d) return "null";
  return JsonObject()
      .raw("eventId", number(d->event_id))
      .text("expected", d->expected)
      .text("got", d->got)
      .text("position", d->position)
      .take();
}

std::string verify_json(const engine::VerifyReport& report) {
  return JsonObject()
      .raw("eventsChecked", number(report.events_checked))
      .raw("divergence", divergence_json(report.divergence))
      .boolean("openEnd", report.open_end)
      .take();
}

std::string verify_all_json(const engine::VerifyAllReport& report) {
  return JsonObject()
      .raw("runs", number(report.runs))
      .raw("openRuns", number(report.open_runs))
      .raw("eventsChecked", number(report.events))
      .raw("diverged", number(report.diverged))
      .raw("divergences", array_of(report.divergences,
                                   [](const engine::VerifiedRun& run) {
                                     return JsonObject()
                                         .text("workflowId", run.workflow_id)
                                         .text("runId", run.run_id)
                                         .text("type", run.type)
                                         .raw("divergence", divergence_json(run.divergence))
                                         .take();
                                   }))
      .take();
}

std::string verified_file_json(const engine::VerifiedFile& file) {
  return JsonObject()
      .text("workflowId", file.workflow_id)
      .text("runId", file.run_id)
      .text("type", file.type)
      .raw("eventsChecked", number(file.report.events_checked))
      .raw("divergence", divergence_json(file.report.divergence))
      .boolean("openEnd", file.report.open_end)
      .take();
}

std::string replay_view_json(const engine::ReplayView& view) {
  return JsonObject()
      .text("workflowId", view.workflow_id)
      .text("runId", view.run_id)
      .text("type", view.type)
      .text("status", engine::to_string(view.status))
      .raw("historyLength", number(view.history_length))
      .raw("upTo", number(view.up_to))
      .raw("turnEventId", view.turn_event_id == 0 ? std::string("null") : number(view.turn_event_id))
      .text("now", format_time(view.now))
      .raw("news", array_of(view.news, event_json))
      .raw("commands", array_of(view.commands, command_json))
      .raw("recorded", array_of(view.recorded, event_json))
      .raw("waits", array_of(view.waits, wait_json))
      .text("position", view.position)
      .boolean("ended", view.ended)
      .raw("divergence", divergence_json(view.divergence))
      .take();
}

}  // namespace millrace::api
