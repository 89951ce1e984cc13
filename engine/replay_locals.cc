// Local steps, as workflow code asks for them and their markers end them.
#include <algorithm>

#include "engine/replayer.h"

namespace millrace::engine {

Future Replayer::local_step(const ScopePtr& scope, std::string type, Payload input, LocalStepOptions options) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::Kind::local;
  op->scope = scope;
  op->pending = std::make_shared<detail::Pending>();
  if (scope->is_cancelled()) {
    op->pending->failure = cancelled_failure();
    op->pending->ready = true;
    return Future(op->pending);
  }
  const std::uint32_t n = ++step_counts_["local/" + type];
  LocalAsk ask;
  ask.activity_id =
      options.activity_id.empty() ? type + "-local-" + std::to_string(n) : std::exchange(options.activity_id, {});
  ask.type = std::move(type);
  ask.input = std::move(input);
  ask.options = std::move(options);
  op->name = ask.activity_id;
  if (!locals_.emplace(op->name, op).second) {
    bug_ = "two local steps at once have the id " + op->name;
    return Future(op->pending);
  }
  local_asks_.push_back(std::move(ask));
  return Future(op->pending);
}

void Replayer::take_local_result(const HistoryEvent& event) {
  const auto& marker = std::get<events::MarkerRecorded>(event.attributes);
  const auto it = locals_.find(marker.name);
  if (it == locals_.end()) return;  // cancelled by an earlier event of this turn
  const OperationPtr op = it->second;
  locals_.erase(it);
  if (marker.failure)
    fail(*op, *marker.failure);
  else
    resolve(*op, marker.details.text);
}

std::vector<LocalAsk> Replayer::take_local_asks() {
  std::vector<LocalAsk> asks = std::exchange(local_asks_, {});
  std::erase_if(asks, [&](const LocalAsk& ask) {
    const auto it = locals_.find(ask.activity_id);
    return it == locals_.end() || it->second->closed;
  });
  return asks;
}

}  // namespace millrace::engine
