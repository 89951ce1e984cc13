// What a running attempt reports: heartbeats and log lines, gathered and written at most once a second, and
// checkpoints, written at once.
#include "common/errors.h"
#include "engine/execution_steps.h"
#include "engine/running_execution.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

void ExecutionSteps::flush(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt) {
  PendingStep* step = current(event_id, attempt);
  if (step != nullptr) write_unwritten(tx, *step);
}

void ExecutionSteps::write_unwritten(Transaction& tx, PendingStep& step) {
  if (step.worker) {
    step.worker->flush_asked = false;
    if (std::exchange(step.worker->unwritten, false)) {
      step.record.heartbeat = step.worker->heartbeat;
      put_attempt(tx, step);
    }
  }
  if (!step.run) return;
  StepRun::Unwritten u = step.run->take_unwritten();
  for (const LogRow& line : u.lines)
    tx.batch.put(keys::log(execution_.run_id(), execution_.next_log_seq()), encode_record(line));
  if (u.heartbeat) {
    step.record.heartbeat = std::move(u.heartbeat);
    put_attempt(tx, step);
  }
}

void ExecutionSteps::checkpoint(Transaction& tx, std::uint64_t event_id, std::uint32_t attempt,
                                const std::string& scope, const Payload& state, const AckPtr& ack) {
  PendingStep* step = execution_.accepts() ? current(event_id, attempt) : nullptr;
  if (step == nullptr) {
    ack->fail(std::make_exception_ptr(Cancelled()));
    return;
  }
  CheckpointRow row;
  row.attempt = attempt;
  row.time = tx.now;
  row.state = state;
  tx.batch.put(keys::step_checkpoint(execution_.run_id(), event_id, scope), encode_record(row));
  step->checkpoints[scope] = state;
  step->checkpoint_attempt = attempt;
  write_unwritten(tx, *step);
  tx.acks.push_back(ack);
}

}  // namespace millrace::engine
