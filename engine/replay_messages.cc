// What comes to workflow code from outside: signals, queries, updates.
#include <algorithm>

#include "common/errors.h"
#include "engine/replayer.h"

namespace millrace::engine {
namespace {

// A history of this many events is long enough for a new run.
constexpr std::uint64_t kLongHistory = 4'096;
constexpr std::uint64_t kLargeHistory = 4 << 20;  // bytes, payloads in blobs left out

}  // namespace

bool Replayer::continue_as_new_suggested() const {
  return last_turn_id_ >= kLongHistory || history_bytes_ >= kLargeHistory;
}

// ---- signals ----

Future Replayer::next_signal(const ScopePtr& scope, const std::string& name) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::Kind::signal;
  op->name = name;
  op->scope = scope;
  op->pending = std::make_shared<detail::Pending>();
  const auto is_it = [&](const HistoryEvent& e) {
    return std::get<events::WorkflowExecutionSignaled>(e.attributes).name == name;
  };
  const auto unread = std::find_if(unread_signals_.begin(), unread_signals_.end(), is_it);
  if (unread != unread_signals_.end()) {
    op->pending->value = std::get<events::WorkflowExecutionSignaled>(unread->attributes).input.text;
    op->pending->ready = true;
    unread_signals_.erase(unread);
  } else if (scope->is_cancelled()) {
    op->pending->failure = cancelled_failure();
    op->pending->ready = true;
  } else {
    signal_waits_[name].push_back(op);
  }
  return Future(op->pending);
}

void Replayer::take_signal(const HistoryEvent& event) {
  const auto& signal = std::get<events::WorkflowExecutionSignaled>(event.attributes);
  auto& waits = signal_waits_[signal.name];
  if (waits.empty()) {
    unread_signals_.push_back(event);
    return;
  }
  const OperationPtr first = waits.front();
  waits.erase(waits.begin());
  resolve(*first, signal.input.text);
}

std::vector<events::WorkflowExecutionSignaled> Replayer::unread_signals() const {
  std::vector<events::WorkflowExecutionSignaled> out;
  for (const HistoryEvent& e : unread_signals_)
    out.push_back(std::get<events::WorkflowExecutionSignaled>(e.attributes));
  return out;
}

std::vector<PendingSignal> Replayer::unread_signal_heads() const {
  std::vector<PendingSignal> out;
  for (const HistoryEvent& e : unread_signals_) {
    PendingSignal head;
    head.event_id = e.id;
    head.name = std::get<events::WorkflowExecutionSignaled>(e.attributes).name;
    head.time = e.time;
    out.push_back(std::move(head));
  }
  return out;
}

// ---- queries ----

Payload Replayer::query(const std::string& name, Payload input) {
  const auto it = queries_.find(name);
  if (it == queries_.end()) throw Error("workflow.query_unknown", "the workflow answers no query " + name);
  Payload answer = it->second(std::move(input));
  if (!commands_.empty()) {
    commands_.clear();
    throw Error("workflow.query_failed", "the handler of query " + name + " asked for something");
  }
  return answer;
}

// ---- updates ----

void Replayer::on_update(std::string name, UpdateValidator validator, UpdateHandler handler) {
  UpdateCode code;
  code.validator = std::move(validator);
  code.handler = std::move(handler);
  updates_[std::move(name)] = std::move(code);
}

void Replayer::validate_update(const std::string& name, const Payload& input) {
  const auto it = updates_.find(name);
  if (it == updates_.end()) throw Error("workflow.update_unknown", "the workflow takes no update " + name);
  if (it->second.validator) it->second.validator(input);
}

// Validators are not run again on replay: what was accepted is accepted.
void Replayer::begin_update(const HistoryEvent& event) {
  const auto& accepted = std::get<events::WorkflowExecutionUpdateAccepted>(event.attributes);
  const auto it = updates_.find(accepted.name);
  if (it == updates_.end()) {
    bug_ = "no handler of update " + accepted.name;
    return;
  }
  running_updates_.push_back(std::make_unique<RunningUpdate>(
      RunningUpdate{accepted.update_id, event.id, it->second.handler(context_, accepted.input.text)}));
  resume(running_updates_.back()->code.handle());
}

void Replayer::finish_updates() {
  for (std::size_t i = 0; i < running_updates_.size();) {
    const auto handle = running_updates_[i]->code.handle();
    if (!handle.done()) {
      ++i;
      continue;
    }
    events::WorkflowExecutionUpdateCompleted completed;
    completed.update_id = running_updates_[i]->id;
    completed.accepted_event_id = running_updates_[i]->accepted_event_id;
    if (handle.promise().error) {
      try {
        std::rethrow_exception(handle.promise().error);
      } catch (const FailureError& e) {
        completed.failure = e.failure();
      } catch (...) {
        bug_ = "an exception that is no outcome of an update: " + describe(std::current_exception());
      }
    } else {
      completed.result = *handle.promise().value;
    }
    running_updates_.erase(running_updates_.begin() + static_cast<std::ptrdiff_t>(i));
    commands_.emplace_back(std::move(completed));
  }
}

}  // namespace millrace::engine
