#include "engine/reset_point.h"

#include <algorithm>

#include "common/errors.h"

namespace millrace::engine {
namespace {

Error no_such(const std::string& what) { return Error("workflow.reset_invalid", "the history has " + what); }

// The step that a closing event is of; 0 for all other events.
std::uint64_t step_closed_by(const Attributes& a) {
  if (const auto* c = std::get_if<events::ActivityTaskCompleted>(&a)) return c->scheduled_event_id;
  if (const auto* f = std::get_if<events::ActivityTaskFailed>(&a)) return f->scheduled_event_id;
  if (const auto* t = std::get_if<events::ActivityTaskTimedOut>(&a)) return t->scheduled_event_id;
  if (const auto* x = std::get_if<events::ActivityTaskCanceled>(&a)) return x->scheduled_event_id;
  return 0;
}

// Asked for by the turn before it. The result of a local step comes by itself.
bool is_command(const HistoryEvent& e) { return is_command_event(type_of(e)) && !is_local_result(e.attributes); }

std::uint64_t scheduled_of(const std::vector<HistoryEvent>& events, const ResetPoint& point) {
  std::uint32_t seen = 0;
  for (const HistoryEvent& e : events) {
    const auto* s = std::get_if<events::ActivityTaskScheduled>(&e.attributes);
    if (s == nullptr) continue;
    if (s->activity_id == point.step) return e.id;
    if (s->activity_type == point.step && ++seen == std::max(1U, point.occurrence)) return e.id;
  }
  throw no_such("no step " + point.step + (point.occurrence > 1 ? " number " + std::to_string(point.occurrence) : ""));
}

// Before it is fitted in between turns.
std::uint64_t wanted(const std::vector<HistoryEvent>& events, const ResetPoint& point, bool& after) {
  switch (point.kind) {
    case ResetPoint::Kind::event:
      if (point.event_id == 0 || point.event_id > events.back().id)
        throw no_such("no event " + std::to_string(point.event_id) + "; its last is " +
                      std::to_string(events.back().id));
      return after ? point.event_id : point.event_id - 1;
    case ResetPoint::Kind::step: {
      const std::uint64_t scheduled = scheduled_of(events, point);
      if (!after) return scheduled - 1;
      for (const HistoryEvent& e : events)
        if (step_closed_by(e.attributes) == scheduled) return e.id;
      throw no_such("no end of step " + point.step + ": it was open");
    }
    case ResetPoint::Kind::first_turn:
    case ResetPoint::Kind::last_turn: {
      std::uint64_t turn = 0;
      for (const HistoryEvent& e : events) {
        if (type_of(e) != EventType::workflow_task_completed) continue;
        turn = e.id;
        if (point.kind == ResetPoint::Kind::first_turn) break;
      }
      if (turn == 0) throw no_such("no turn");
      after = false;
      return turn - 1;
    }
    case ResetPoint::Kind::last_failed_step: {
      std::uint64_t scheduled = 0;
      for (const HistoryEvent& e : events) {
        const EventType type = type_of(e);
        if (type == EventType::activity_task_failed || type == EventType::activity_task_timed_out)
          scheduled = step_closed_by(e.attributes);
      }
      if (scheduled == 0) throw no_such("no step that failed");
      after = false;
      return scheduled - 1;
    }
    case ResetPoint::Kind::time: {
      std::uint64_t last = 0;
      for (const HistoryEvent& e : events)
        if (e.time <= point.time) last = e.id;
      if (last == 0) throw no_such("nothing so early");
      after = false;
      return last;
    }
  }
  throw no_such("no such point");
}

}  // namespace

std::uint64_t reset_cut(const std::vector<HistoryEvent>& events, const ResetPoint& point) {
  if (events.empty()) throw no_such("no event");
  bool after = point.after;
  std::uint64_t last = wanted(events, point, after);
  const auto type_at = [&](std::uint64_t id) { return type_of(events[id - 1]); };
  // The turn in which the cut falls, if it does: its event and its commands.
  std::uint64_t turn = 0;
  for (std::uint64_t id = 1; id <= last; ++id) {
    if (type_at(id) == EventType::workflow_task_completed)
      turn = id;
    else if (!is_command(events[id - 1]))
      turn = 0;
  }
  if (turn != 0) {
    std::uint64_t end = turn;
    while (end < events.size() && is_command(events[end])) ++end;
    const bool closes = is_closing_event(type_at(end));
    if (closes || (last < end && !after))
      last = turn - 1;
    else
      last = end;
  }
  while (last > 1 && (is_closing_event(type_at(last)) || type_at(last) == EventType::activity_task_started)) --last;
  return std::max<std::uint64_t>(last, 1);
}

}  // namespace millrace::engine
