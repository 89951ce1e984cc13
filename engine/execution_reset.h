// What a new run is made of that a reset begins.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/events/event.h"
#include "engine/records/run_record.h"

namespace millrace::engine {

struct ResetSource {
  ResetSource() = default;
  std::string base_run_id;
  RunRecord base;
  std::string before_run_id;       // the run that was current
  std::vector<HistoryEvent> kept;  // today's code agrees with it
  events::WorkflowTaskFailed mark;
  std::vector<Attributes> reapplied;  // signals and accepted updates
  ResetChildren children = ResetChildren::adopt;
  std::map<std::uint64_t, std::string> origins;  // by event: the run that made it, where that is not base_run_id
  state::Batch beside;                           // of the request: its row, what the caller wants
};

}  // namespace millrace::engine
