// The workflow type "sim.program", which runs a Program, and its step "sim.work".
#pragma once

#include "engine/engine.h"
#include "tests/sim/life.h"

namespace millrace::sim {

// `life` must outlive the engine.
void add_interpreter(engine::Registry& registry, Life& life);

}  // namespace millrace::sim
