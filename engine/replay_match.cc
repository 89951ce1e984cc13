// Replay's half of the Replayer: a turn's commands against the events that stand in the history.
#include "engine/replayer.h"

namespace millrace::engine {
namespace {

struct Same {
  template <class A, class B>
  bool operator()(const A&, const B&) const {
    return false;
  }
  template <class A>
  bool operator()(const A& a, const A& b) const {
    if constexpr (std::is_same_v<A, events::ActivityTaskScheduled>)
      return a.activity_id == b.activity_id && a.activity_type == b.activity_type;
    else if constexpr (std::is_same_v<A, events::ActivityTaskCancelRequested>)
      return a.scheduled_event_id == b.scheduled_event_id;
    else if constexpr (std::is_same_v<A, events::TimerStarted>)
      return a.timer_id == b.timer_id;
    else if constexpr (std::is_same_v<A, events::TimerCanceled>)
      return a.started_event_id == b.started_event_id;
    else if constexpr (std::is_same_v<A, events::MarkerRecorded>)
      return a.kind == b.kind && a.name == b.name;
    else if constexpr (std::is_same_v<A, events::StartChildInitiated>)
      return a.workflow_id == b.workflow_id && a.workflow_type == b.workflow_type;
    else if constexpr (std::is_same_v<A, events::SignalExternalInitiated>)
      return a.workflow_id == b.workflow_id && a.name == b.name;
    else if constexpr (std::is_same_v<A, events::RequestCancelExternalInitiated>)
      return a.workflow_id == b.workflow_id;
    else if constexpr (std::is_same_v<A, events::WorkflowExecutionUpdateCompleted>)
      return a.update_id == b.update_id;
    else
      return true;  // the kind is the key: closing events
  }
};

}  // namespace

bool same_command(const Attributes& command, const Attributes& event) { return std::visit(Same(), command, event); }

Divergence Replayer::divergence(std::uint64_t event_id, std::string expected, std::string got) const {
  Divergence d;
  d.event_id = event_id;
  d.expected = std::move(expected);
  d.got = std::move(got);
  d.position = position_;
  return d;
}

std::optional<Divergence> Replayer::replay_turn(const HistoryEvent& turn_event,
                                                const std::vector<HistoryEvent>& recorded) {
  if (ended_) return divergence(turn_event.id, describe_event(turn_event.attributes), "nothing: the code has ended");
  history_bytes_ = std::get<events::WorkflowTaskCompleted>(turn_event.attributes).history_bytes;
  return match(turn_event, recorded, run_turn(turn_event.time, &recorded));
}

std::optional<Divergence> Replayer::match(const HistoryEvent& turn_event, const std::vector<HistoryEvent>& recorded,
                                          const Turn& turn) {
  const std::size_t n = std::max(turn.commands.size(), recorded.size());
  for (std::size_t i = 0; i < n; ++i) {
    if (i >= turn.commands.size())
      return divergence(recorded[i].id, describe_event(recorded[i].attributes),
                        turn.bug ? *turn.bug : std::string("nothing"));
    const Command& command = turn.commands[i];
    if (i >= recorded.size())
      return divergence(turn_event.id + i + 1, "nothing more in this turn", describe_event(command.body));
    if (!same_command(command.body, recorded[i].attributes))
      return divergence(recorded[i].id, describe_event(recorded[i].attributes), describe_event(command.body));
    bind(command.body, command.operation, recorded[i].id);
  }
  if (turn.bug) return divergence(turn_event.id, describe_event(turn_event.attributes), *turn.bug);
  return std::nullopt;
}

}  // namespace millrace::engine
