// What callers were told, beside what is durable; and how all must have ended.
#include <fmt/format.h>

#include "tests/sim/invariants.h"

namespace millrace::sim {
namespace {

namespace events = engine::events;
using engine::ExecutionStatus;

// The runs of a workflow id that follow from its first: continued as new, in order.
std::vector<const RunImage*> chain_of(const Image& image, const std::string& first) {
  std::vector<const RunImage*> chain;
  std::string id = first;
  while (!id.empty()) {
    const auto run = image.runs.find(id);
    if (run == image.runs.end()) break;
    chain.push_back(&run->second);
    id.clear();
    if (!run->second.history.empty())
      if (const auto* again =
              std::get_if<events::WorkflowExecutionContinuedAsNew>(&run->second.history.back().attributes))
        id = again->new_run_id;
  }
  return chain;
}

// How often something stands in the histories of a chain. A signal that moved along to the next run stands in both:
// the copy is before that run's first turn, so those are left out.
template <class F>
int count(const std::vector<const RunImage*>& chain, F is_it) {
  int n = 0;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    bool began = i == 0;
    for (const engine::HistoryEvent& e : chain[i]->history) {
      began = began || type_of(e) == engine::EventType::workflow_task_completed;
      if (began && is_it(e)) ++n;
    }
  }
  return n;
}

class StoryCheck {
 public:
  StoryCheck(World& world, const Image& image, const Story& story)
      : world_(world), image_(image), story_(story), chain_(chain_of(image, story.run_id)) {}

  void check_promises() {
    const auto starts = image_.dedupe.find("start");
    if (story_.run_id.empty()) return;
    if (chain_.empty()) return complain("an acknowledged start is kept", "run " + story_.run_id);
    if (chain_.front()->record && chain_.front()->record->workflow_id != story_.workflow_id)
      complain("an acknowledged start is kept", "run " + story_.run_id + " is another's");
    if (starts == image_.dedupe.end() || !starts->second.contains(story_.request_id))
      complain("a request id is kept", story_.request_id);
    for (const Action& action : story_.actions) check_action(action);
  }

  void check_end() {
    if (!story_.end) return complain("everything finishes", "nobody saw its end");
    const engine::Execution& end = *story_.end;
    const std::string got =
        fmt::format("{} {} {}", to_string(end.status), end.result, end.failure ? end.failure->type : "");
    switch (end.status) {
      case ExecutionStatus::completed:
        // Code that was asked to cancel and went on may come to anything.
        if (!was_cancelled() && (story_.fails || end.result != story_.expected))
          complain("the result is right", got + ", expected " + story_.expected);
        break;
      case ExecutionStatus::failed:
        if (!was_cancelled() && (!story_.fails || (!story_.failure_type.empty() && end.failure &&
                                                   end.failure->type != story_.failure_type)))
          complain("the result is right", got + ", expected " + story_.expected);
        break;
      case ExecutionStatus::canceled:
        if (!story_.may_be_cancelled) complain("only what was asked to is cancelled", got);
        world_.marks.hit("run cancelled");
        check_cleanup();
        break;
      case ExecutionStatus::terminated:
        if (!story_.may_be_terminated) complain("only what was asked to is terminated", got);
        world_.marks.hit("run terminated");
        break;
      case ExecutionStatus::timed_out:
        if (!story_.may_time_out) complain("only what has a time-out times out", got);
        world_.marks.hit("run timed out");
        break;
      default:
        complain("everything finishes", got);
    }
    if (!chain_.empty() && chain_.back()->record && chain_.back()->record->status != end.status)
      complain("what a caller saw is durable", got);
    if (story_.start_sent && count_runs() != static_cast<int>(chain_.size()))
      complain("a request id starts one run", std::to_string(count_runs()) + " runs of this workflow id");
  }

 private:
  void complain(const std::string& invariant, const std::string& detail) {
    world_.complain(invariant, story_.workflow_id + ": " + detail);
  }

  bool was_cancelled() const {
    return std::any_of(chain_.begin(), chain_.end(), [](const RunImage* run) { return run->record->cancel_requested; });
  }

  int count_runs() const {
    int n = 0;
    for (const auto& [_, run] : image_.runs) n += run.record && run.record->workflow_id == story_.workflow_id;
    return n;
  }

  // Each acknowledged one once; each that was perhaps sent at most once.
  void check_action(const Action& action) {
    if (!action.sent) return;
    const bool acknowledged = action.done && !action.refused;
    int n = 0;
    switch (action.kind) {
      case Action::Kind::signal:
        n = count(chain_,
                  [&](const engine::HistoryEvent& e) {
                    const auto* s = std::get_if<events::WorkflowExecutionSignaled>(&e.attributes);
                    return s != nullptr && s->request_id == action.request_id;
                  }) +
            copies_before_first_turn(action.request_id);
        break;
      case Action::Kind::update:
        n = count(chain_, [&](const engine::HistoryEvent& e) {
          const auto* u = std::get_if<events::WorkflowExecutionUpdateAccepted>(&e.attributes);
          return u != nullptr && u->update_id == action.request_id;
        });
        break;
      case Action::Kind::bad_update:
        n = count(chain_, [&](const engine::HistoryEvent& e) {
          const auto* u = std::get_if<events::WorkflowExecutionUpdateAccepted>(&e.attributes);
          return u != nullptr && u->update_id == action.request_id;
        });
        if (n != 0) complain("a refused update leaves no trace", action.request_id);
        return;
      case Action::Kind::cancel:
        if (!acknowledged) return;
        n = count(chain_, [&](const engine::HistoryEvent& e) {
          return type_of(e) == engine::EventType::workflow_execution_cancel_requested;
        });
        if (n == 0) complain("an acknowledged cancel is kept", action.request_id);
        return;
      case Action::Kind::terminate:
        if (acknowledged && !chain_.empty() && chain_.back()->record &&
            chain_.back()->record->status != ExecutionStatus::terminated)
          complain("an acknowledged terminate is kept", action.request_id);
        return;
      default:
        return;
    }
    const char* what = action.kind == Action::Kind::signal ? "signal" : "update";
    if (acknowledged && n == 0) complain(fmt::format("an acknowledged {} is kept", what), action.request_id);
    if (n > 1) complain(fmt::format("a {} is there once", what), fmt::format("{}: {} times", action.request_id, n));
  }

  // One that came in with a start has no turn before it in its first run; in later runs it is a copy, unless no earlier
  // run has it: it arrived before that run's first turn.
  int copies_before_first_turn(const std::string& request_id) const {
    bool seen = false;
    int fresh = 0;
    for (const RunImage* run : chain_) {
      bool began = false, here = false, copy = false;
      for (const engine::HistoryEvent& e : run->history) {
        began = began || type_of(e) == engine::EventType::workflow_task_completed;
        const auto* s = std::get_if<events::WorkflowExecutionSignaled>(&e.attributes);
        if (s == nullptr || s->request_id != request_id) continue;
        here = true;
        copy = !began;
      }
      if (here && copy && !seen && run != chain_.front()) ++fresh;
      seen = seen || here;
    }
    return fresh;
  }

  // Code that was cancelled while it ran has cleaned up, once.
  void check_cleanup() {
    if (!story_.has_cleanup || chain_.empty()) return;
    int turns = 0, cleanups = 0;
    for (const engine::HistoryEvent& e : chain_.back()->history) {
      turns += type_of(e) == engine::EventType::workflow_task_completed;
      const auto* s = std::get_if<events::ActivityTaskScheduled>(&e.attributes);
      cleanups += s != nullptr && s->activity_id == "cleanup";
    }
    if (turns > 0 && cleanups != 1) complain("a cancelled run cleans up", fmt::format("{} times", cleanups));
  }

  World& world_;
  const Image& image_;
  const Story& story_;
  std::vector<const RunImage*> chain_;
};

}  // namespace

void check_promises(World& world, const Image& image, const std::vector<Story>& stories) {
  for (const Story& story : stories) StoryCheck(world, image, story).check_promises();
}

void check_end(World& world, const Image& image, const std::vector<Story>& stories) {
  for (const Story& story : stories) StoryCheck(world, image, story).check_end();
  for (const auto& [id, run] : image.runs)
    if (run.record && run.record->status == ExecutionStatus::running)
      world.complain("everything finishes", "run " + id + " of " + run.record->workflow_id + " is open");
  if (!image.outbox.empty())
    world.complain("the outbox is drained",
                   fmt::format("{} rows, one from {} to {}", image.outbox.size(), image.outbox.front().from_run_id,
                               image.outbox.front().workflow_id));
}

}  // namespace millrace::sim
