// The step "sim.work": does what its input says, fails, hangs, answers late, and reports to the ledger.
//
//   k            what it returns
//   ms           how long it takes, or each beat of it
//   beats        heartbeats: it counts from what the attempt before it had said
//   checkpoints  that many scopes, made durable one after the other
//   failures     that many attempts throw, then one succeeds
//   fatal        throws what is not retried
//   hangs        that many attempts last ten minutes; with `stubborn` they ignore their cancellation and answer "late"
//   suspends     it stops itself when the server drains
//   backoff, most, startToClose, heartbeat, scheduleToStart, scheduleToClose, never: its options
#pragma once

#include "engine/step.h"
#include "tests/sim/life.h"
#include "tests/sim/program.h"

namespace millrace::sim {

engine::StepOptions step_options(const Json& spec);
asio::awaitable<engine::Payload> work(engine::StepContext& ctx, engine::Payload input, Life& life);

}  // namespace millrace::sim
