// What a description shows of a run's links: its children, its updates in flight, the run that follows it.
#pragma once

#include "engine/engine.h"
#include "engine/events/event.h"

namespace millrace::engine {

// Takes one event after the other, in the order of the history.
void describe_link_into(ExecutionDetail& detail, const HistoryEvent& event);

}  // namespace millrace::engine
