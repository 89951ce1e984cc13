// Children and messages to other executions, as workflow code asks for them.
#include "engine/replayer.h"

namespace millrace::engine {

Context::Child Replayer::start_child(const ScopePtr& scope, std::string type, Payload input, ChildOptions options) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::Kind::child;
  op->scope = scope;
  op->pending = std::make_shared<detail::Pending>();
  op->started = std::make_shared<detail::Pending>();
  const Context::Child child{Future(op->started), Future(op->pending)};
  if (scope->is_cancelled()) {
    for (const auto& p : {op->started, op->pending}) {
      p->failure = cancelled_failure();
      p->ready = true;
    }
    return child;
  }
  const std::uint32_t n = ++child_count_;
  events::StartChildInitiated c;
  c.workflow_id =
      options.workflow_id.empty() ? identity_.workflow_id + "-c" + std::to_string(n) : std::move(options.workflow_id);
  c.workflow_type = std::move(type);
  c.input = std::move(input);
  c.parent_close_policy = options.parent_close_policy;
  c.run_timeout = options.run_timeout;
  op->child_cancel_mode = options.cancel_mode;
  op->name = c.workflow_id;
  commands_.emplace_back(std::move(c), op);
  return child;
}

Future Replayer::signal_external(const ScopePtr& scope, std::string workflow_id, std::string name, Payload input) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::Kind::message;
  op->scope = scope;
  op->pending = std::make_shared<detail::Pending>();
  op->name = workflow_id;
  events::SignalExternalInitiated s;
  s.workflow_id = std::move(workflow_id);
  s.name = std::move(name);
  s.input = std::move(input);
  commands_.emplace_back(std::move(s), op);
  return Future(op->pending);
}

Future Replayer::cancel_external(const ScopePtr& scope, std::string workflow_id) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::Kind::message;
  op->scope = scope;
  op->pending = std::make_shared<detail::Pending>();
  op->name = workflow_id;
  events::RequestCancelExternalInitiated c;
  c.workflow_id = std::move(workflow_id);
  commands_.emplace_back(std::move(c), op);
  return Future(op->pending);
}

void Replayer::cancel_child(const OperationPtr& child) {
  if (child->child_cancel_mode != ChildCancelMode::abandon) {
    events::RequestCancelExternalInitiated c;
    c.workflow_id = child->name;
    c.child_initiated_event_id = child->event_id;
    auto message = std::make_shared<Operation>();
    message->kind = Operation::Kind::message;
    message->pending = std::make_shared<detail::Pending>();
    message->scope = root_;
    message->name = child->name;
    if (child->child_cancel_mode == ChildCancelMode::wait_requested) message->waits_for_request = child;
    commands_.emplace_back(std::move(c), std::move(message));
  }
  if (child->child_cancel_mode == ChildCancelMode::wait_completed ||
      child->child_cancel_mode == ChildCancelMode::wait_requested)
    return;
  if (!child->started->ready) {
    child->started->failure = cancelled_failure();
    wake(child->started);
  }
  fail(*child, cancelled_failure());
}

// True if the event was one of these.
bool Replayer::take_link(const HistoryEvent& event) {
  if (const auto* started = std::get_if<events::ChildStarted>(&event.attributes)) {
    const auto it = operations_.find(started->initiated_event_id);
    if (it == operations_.end() || !it->second->started || it->second->started->ready) return true;
    it->second->started->value = started->run_id;
    wake(it->second->started);
    return true;
  }
  const std::uint64_t initiated = initiated_event_of(event.attributes);
  if (initiated == 0) return false;
  const auto it = operations_.find(initiated);
  if (it == operations_.end()) return true;
  const OperationPtr op = it->second;
  operations_.erase(it);
  std::visit(
      [&](const auto& a) {
        if constexpr (requires { a.failure; }) {
          if constexpr (requires { a.failure.type; }) {
            if (op->started && !op->started->ready) {
              op->started->failure = a.failure;
              wake(op->started);
            }
            fail(*op, a.failure);
          }
        } else if constexpr (requires { a.result; }) {
          resolve(*op, a.result.text);
        } else {
          resolve(*op, {});
        }
      },
      event.attributes);
  if (op->waits_for_request) fail(*op->waits_for_request, cancelled_failure());
  return true;
}

}  // namespace millrace::engine
