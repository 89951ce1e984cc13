// A turn that is only looked at, and what code waits for.
#include <algorithm>

#include "engine/replayer.h"

namespace millrace::engine {
namespace {

std::string_view kind_name(Operation::Kind kind) {
  switch (kind) {
    case Operation::Kind::step:
      return "step";
    case Operation::Kind::timer:
      return "timer";
    case Operation::Kind::signal:
      return "signal";
    case Operation::Kind::child:
      return "child";
    case Operation::Kind::message:
      return "message";
    case Operation::Kind::local:
      return "localStep";
  }
  return "step";
}

}  // namespace

Turn Replayer::peek_turn(WallTime now, const HistoryEvent* turn_event, const std::vector<HistoryEvent>* recorded) {
  peeking_ = true;
  if (turn_event != nullptr)
    history_bytes_ = std::get<events::WorkflowTaskCompleted>(turn_event->attributes).history_bytes;
  Turn turn = run_turn(now, recorded);
  // Asked for in this turn: what has no place in the history is shown all the same.
  for (const Command& command : turn.commands)
    if (command.operation) asked_for_.push_back(command.operation);
  return turn;
}

void Replayer::bind_agreeing(const std::vector<HistoryEvent>& recorded, const Turn& turn) {
  for (std::size_t i = 0; i < turn.commands.size() && i < recorded.size(); ++i) {
    if (!same_command(turn.commands[i].body, recorded[i].attributes)) return;
    bind(turn.commands[i].body, turn.commands[i].operation, recorded[i].id);
  }
}

std::vector<ReplayWait> Replayer::waits() const {
  std::vector<ReplayWait> out;
  const auto add = [&](const Operation& op) {
    if (op.pending->ready || ended_) return;
    ReplayWait wait;
    wait.kind = kind_name(op.kind);
    wait.name = op.name;
    wait.event_id = op.event_id;
    out.push_back(std::move(wait));
  };
  for (const auto& [_, op] : operations_) add(*op);
  for (const OperationPtr& op : asked_for_)
    if (op->event_id == 0) add(*op);
  for (const auto& [_, op] : locals_) add(*op);
  for (const auto& [_, waits] : signal_waits_)
    for (const OperationPtr& op : waits) add(*op);
  return out;
}

}  // namespace millrace::engine
