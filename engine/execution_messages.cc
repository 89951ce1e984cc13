// Messages to an execution, and the run that follows it.
//
// A signal or an accepted update is durable when it is acknowledged, and wakes the code in the same batch. A query is
// answered between turns, after all that was acknowledged before it.
#include "common/errors.h"
#include "engine/records/rows.h"
#include "engine/running_execution.h"
#include "state/keys.h"

#include <boost/asio/dispatch.hpp>

namespace millrace::engine {

namespace keys = state::keys;

void RunningExecution::signal(Transaction& tx, events::WorkflowExecutionSignaled signal) {
  append(tx, std::move(signal));
}

void RunningExecution::query(Transaction& tx, const std::string& name, Payload input, const AnswerPtr& answer) {
  // After the turns and the write of this round.
  tx.act([this, name, input = std::move(input), answer]() mutable {
    try {
      if (!replayer_ || record_.is_blocked || !replayer_->started())
        throw Error("workflow.query_failed", "the code of the workflow cannot run: it is blocked or has ended");
      answer->value = replayer_->query(name, std::move(input));
      answer->succeed();
    } catch (...) {
      answer->fail(std::current_exception());
    }
  });
}

bool RunningExecution::update(Transaction& tx, events::WorkflowExecutionUpdateAccepted accepted, bool wait_completed,
                              const AnswerPtr& answer, const std::string& refusal_key) {
  const auto known = updates_.find(accepted.update_id);
  if (known == updates_.end()) {
    try {
      if (!replayer_ || record_.is_blocked || !replayer_->started())
        throw Error("workflow.update_unknown", "the code of the workflow cannot run: it is blocked or has not begun");
      replayer_->validate_update(accepted.name, accepted.input.text);
    } catch (const FailureError& refused) {
      if (refusal_key.empty()) {
        answer->fail(std::current_exception());
        return false;
      }
      RefusedRow row;
      row.failure = refused.failure();
      row.time = tx.now;
      tx.batch.put(refusal_key, encode_record(row));
      tx.act_anyway([answer, error = std::current_exception()] { answer->fail(error); });
      return false;
    } catch (...) {
      answer->fail(std::current_exception());
      return false;
    }
    UpdateState state;
    updates_.emplace(accepted.update_id, std::move(state));
    const std::string id = accepted.update_id;
    append(tx, std::move(accepted));
    if (wait_completed)
      updates_.at(id).waiting.push_back(answer);
    else
      tx.acks.push_back(answer);
    return true;
  }
  UpdateState& state = known->second;
  if (!wait_completed) {
    tx.acks.push_back(answer);
  } else if (!state.completed) {
    state.waiting.push_back(answer);
  } else {
    answer->value = state.result;
    answer->refused = state.failure;
    tx.acks.push_back(answer);
  }
  return false;
}

void RunningExecution::on_update_completed(Transaction& tx, const HistoryEvent& event) {
  const auto& completed = std::get<events::WorkflowExecutionUpdateCompleted>(event.attributes);
  UpdateState& state = updates_[completed.update_id];
  state.completed = true;
  state.result = completed.result.text;
  state.failure = completed.failure;
  for (const AnswerPtr& answer : state.waiting) {
    answer->value = state.result;
    answer->refused = state.failure;
    tx.acks.push_back(answer);
  }
  state.waiting.clear();
}

std::exception_ptr RunningExecution::refusal() const {
  if (is_open()) return std::make_exception_ptr(Error("workflow.draining"));
  return std::make_exception_ptr(Error("workflow.closed"));
}

void RunningExecution::refuse_updates() {
  for (auto& [_, state] : updates_) {
    for (const AnswerPtr& answer : state.waiting) answer->fail(refusal());
    state.waiting.clear();
  }
}

void RunningExecution::restore_update(const HistoryEvent& event) {
  if (const auto* s = std::get_if<events::WorkflowExecutionSignaled>(&event.attributes); s && !s->request_id.empty())
    request_ids_.insert(s->request_id);
  if (const auto* a = std::get_if<events::WorkflowExecutionUpdateAccepted>(&event.attributes)) {
    updates_.emplace(a->update_id, UpdateState());
  } else if (const auto* c = std::get_if<events::WorkflowExecutionUpdateCompleted>(&event.attributes)) {
    UpdateState& state = updates_[c->update_id];
    state.completed = true;
    state.result = c->result.text;
    state.failure = c->failure;
  }
}

// ---- continue as new ----

// The next run is made, and has its first turn, in the batch that closes this one.
void RunningExecution::continue_as_new(Transaction& tx, const HistoryEvent& event) {
  const auto& again = std::get<events::WorkflowExecutionContinuedAsNew>(event.attributes);
  auto next = std::make_shared<RunningExecution>(core_, again.new_run_id);
  auto first = std::make_shared<Transaction>(tx.now);
  StartRequest request;
  request.type = record_.type;
  request.workflow_id = record_.workflow_id;
  request.input = again.input.text;
  request.memo = record_.memo;
  request.run_timeout = run_timeout_;
  Origin origin;
  origin.continued_run_id = run_id_;
  origin.first_run_id = record_.first_run_id.empty() ? run_id_ : record_.first_run_id;
  origin.initiator = "workflow";
  origin.parent_workflow_id = record_.parent_workflow_id;
  origin.parent_run_id = record_.parent_run_id;
  origin.parent_event_id = record_.parent_event_id;
  const auto unread = replayer_->unread_signals();
  next->begin(*first, request, state::Batch(), origin);
  for (const auto& signal : unread) next->append(*first, signal);
  next->run_turns(*first);
  next->complete_batch(*first);
  follow_with(tx, next, first);
}

// The batch of another execution has made this one durable.
void RunningExecution::adopt(Transaction& first) {
  stored_record_ = std::exchange(next_record_, {});
  for (auto& action : first.actions) action();
  for (const AckPtr& ack : first.acks) ack->succeed();
  tell_waiters();
  ready_ = true;
  wake_pump();
  rest();
}

}  // namespace millrace::engine
