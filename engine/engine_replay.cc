// Step-wise replay: the code is run over the events up to one, then through one turn more, and looked at.
//
// A turn decides everything at once, so what the code does is known for whole turns only: where the event lies among a
// turn's commands, that turn is shown; else the next one, with the news that are there so far.
#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/history.h"

namespace millrace::engine {
namespace {

// The events behind `up_to` that belong to the turn that is shown, and what is to be told of them.
struct Ahead {
  std::optional<HistoryEvent> turn;
  std::vector<HistoryEvent> commands;  // that are recorded for it, also those up to `up_to`
  bool complete = false;               // the turn's end was seen
  bool news_between = false;           // some of what woke the turn came after `up_to`
  // False: nothing more is of interest.
  bool take(const HistoryEvent& event) {
    const EventType type = type_of(event);
    const bool command = is_command_event(type) && !is_local_result(event.attributes);
    if (turn) {
      complete = !command;
      if (command) commands.push_back(event);
      return command;
    }
    if (type == EventType::workflow_task_completed) turn = event;
    if (is_news_event(type) || is_local_result(event.attributes)) news_between = true;
    // Terminated or timed out: no turn comes any more.
    return !is_closing_event(type);
  }
};

ReplayCommand show(const Command& command) {
  ReplayCommand out;
  out.text = describe_event(command.body);
  const EventView view = view_of(HistoryEvent(0, WallTime(), command.body));
  out.type = view.type;
  out.attributes = view.attributes;
  return out;
}

}  // namespace

asio::awaitable<ReplayView> Engine::Impl::replay_to(std::string workflow_id, std::string run_id,
                                                    std::optional<std::uint64_t> up_to) {
  const Found found = co_await find(std::move(workflow_id), std::move(run_id));
  ReplayView view;
  view.workflow_id = found.record.workflow_id;
  view.run_id = found.run_id;
  view.type = found.record.type;
  view.status = found.record.status;
  view.history_length = found.record.history_length;
  view.up_to = up_to.value_or(view.history_length);
  if (view.up_to == 0 || view.up_to > view.history_length)
    throw Error("workflow.event_unknown", "run " + view.run_id + " has the events 1 to " +
                                              std::to_string(view.history_length) + ", not " +
                                              std::to_string(view.up_to));

  HistoryTrial trial(core_->registry, found.run_id);
  Ahead ahead;
  bool goes_on = true;
  HistoryReader reader(*core_->store, found.run_id);
  for (auto events = co_await reader.next(); goes_on && !events.empty(); events = co_await reader.next()) {
    for (const HistoryEvent& event : events) {
      if (event.id <= view.up_to) {
        view.now = event.time;
        trial.feed(event);
        continue;
      }
      if (event.id == view.up_to + 1) {
        ahead.turn = trial.open_turn();
        ahead.commands = trial.open_commands();
      }
      if (goes_on) goes_on = ahead.take(event);
      if (!ahead.complete && view.recorded.size() < ReplayView::kMostRecorded) view.recorded.push_back(view_of(event));
    }
  }
  if (view.up_to == view.history_length) {
    ahead.turn = trial.open_turn();
    ahead.commands = trial.open_commands();
  }
  view.divergence = trial.divergence;
  if (!trial.replayer || trial.divergence) co_return view;

  Replayer& code = *trial.replayer;
  for (const HistoryEvent& event : code.news()) view.news.push_back(view_of(event));
  if (ahead.turn) {
    view.turn_event_id = ahead.turn->id;
    view.now = ahead.turn->time;
  }
  if (!code.ended() && (ahead.turn || (is_open(view.status) && code.has_news()))) {
    Turn turn = code.peek_turn(view.now, ahead.turn ? &*ahead.turn : nullptr, ahead.turn ? &ahead.commands : nullptr);
    for (std::size_t i = 0; i < turn.commands.size(); ++i) {
      ReplayCommand shown = show(turn.commands[i]);
      if (i < ahead.commands.size()) {
        shown.recorded_event_id = ahead.commands[i].id;
        shown.agrees = same_command(turn.commands[i].body, ahead.commands[i].attributes);
      }
      view.commands.push_back(std::move(shown));
    }
    // Without news that came later the turn may ask for less than it did.
    if (ahead.turn && !ahead.news_between)
      view.divergence = code.match(*ahead.turn, ahead.commands, turn);
    else
      code.bind_agreeing(ahead.commands, turn);
    if (!ahead.turn && turn.bug) {
      view.divergence.emplace();
      view.divergence->event_id = view.history_length + 1;
      view.divergence->expected = "an outcome of the workflow";
      view.divergence->got = *turn.bug;
      view.divergence->position = code.position();
    }
  }
  view.waits = code.waits();
  view.position = code.position();
  view.ended = code.ended();
  co_return view;
}

}  // namespace millrace::engine
