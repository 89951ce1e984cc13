#include "engine/events/event.h"

#include "engine/codec/json_fields.h"

namespace millrace::engine {

EventType type_of(const Attributes& attributes) {
  return std::visit([](const auto& a) { return std::remove_cvref_t<decltype(a)>::kType; }, attributes);
}

bool is_command_event(EventType type) {
  switch (type) {
    case EventType::activity_task_scheduled:
    case EventType::activity_task_cancel_requested:
    case EventType::timer_started:
    case EventType::timer_canceled:
    case EventType::marker_recorded:
    case EventType::workflow_execution_completed:
    case EventType::workflow_execution_failed:
    case EventType::workflow_execution_canceled:
    case EventType::workflow_execution_continued_as_new:
    case EventType::start_child_initiated:
    case EventType::signal_external_initiated:
    case EventType::request_cancel_external_initiated:
    case EventType::update_completed:
    case EventType::workflow_properties_modified:
      return true;
    default:
      return false;
  }
}

bool is_closing_event(EventType type) {
  switch (type) {
    case EventType::workflow_execution_completed:
    case EventType::workflow_execution_failed:
    case EventType::workflow_execution_canceled:
    case EventType::workflow_execution_timed_out:
    case EventType::workflow_execution_terminated:
    case EventType::workflow_execution_continued_as_new:
      return true;
    default:
      return false;
  }
}

bool is_news_event(EventType type) {
  switch (type) {
    case EventType::workflow_execution_started:
    case EventType::activity_task_started:
    case EventType::workflow_task_completed:
    case EventType::workflow_task_failed:
    case EventType::workflow_execution_paused:
    case EventType::workflow_execution_unpaused:
      return false;
    default:
      return !is_command_event(type) && !is_closing_event(type);
  }
}

namespace {
struct Key {
  std::string operator()(const events::ActivityTaskScheduled& a) const {
    return a.activity_id + " (" + a.activity_type + ")";
  }
  std::string operator()(const events::ActivityTaskCancelRequested& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::ActivityTaskCompleted& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::ActivityTaskFailed& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::ActivityTaskTimedOut& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::ActivityTaskCanceled& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::ActivityTaskStarted& a) const { return of(a.scheduled_event_id); }
  std::string operator()(const events::TimerStarted& a) const { return a.timer_id; }
  std::string operator()(const events::TimerCanceled& a) const { return a.timer_id; }
  std::string operator()(const events::TimerFired& a) const { return a.timer_id; }
  std::string operator()(const events::MarkerRecorded& a) const {
    return std::string(events::to_string(a.kind)) + " " + a.name;
  }
  std::string operator()(const events::WorkflowExecutionSignaled& a) const { return a.name; }
  std::string operator()(const events::WorkflowExecutionUpdateAccepted& a) const { return a.name + " " + a.update_id; }
  std::string operator()(const events::WorkflowExecutionUpdateCompleted& a) const { return a.update_id; }
  std::string operator()(const events::StartChildInitiated& a) const {
    return a.workflow_id + " (" + a.workflow_type + ")";
  }
  std::string operator()(const events::SignalExternalInitiated& a) const { return a.workflow_id + " " + a.name; }
  std::string operator()(const events::RequestCancelExternalInitiated& a) const { return a.workflow_id; }
  template <class T>
  std::string operator()(const T& a) const {
    if constexpr (requires { a.initiated_event_id; }) return of(a.initiated_event_id);
    return {};
  }
  static std::string of(std::uint64_t scheduled) { return "of event " + std::to_string(scheduled); }
};
}  // namespace

std::uint64_t initiated_event_of(const Attributes& attributes) {
  return std::visit(
      [](const auto& a) -> std::uint64_t {
        if constexpr (requires { a.initiated_event_id; })
          return std::is_same_v<std::remove_cvref_t<decltype(a)>, events::ChildStarted> ? 0 : a.initiated_event_id;
        return 0;
      },
      attributes);
}

std::string describe_event(const Attributes& attributes) {
  std::string out(event_type_name(type_of(attributes)));
  const std::string key = std::visit(Key(), attributes);
  if (!key.empty()) out += " " + key;
  return out;
}

EventView view_of(const HistoryEvent& event) {
  Json json = Json::object();
  FieldJson visitor(json);
  std::visit([&](const auto& a) { std::remove_cvref_t<decltype(a)>::visit(a, visitor); }, event.attributes);
  EventView view;
  view.id = event.id;
  view.time = event.time;
  view.type = event_type_name(type_of(event));
  view.attributes = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return view;
}

}  // namespace millrace::engine
