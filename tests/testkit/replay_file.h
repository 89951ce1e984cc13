// An exported history, replayed against code, with no engine and no store.
#pragma once

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "engine/export_format.h"
#include "engine/history.h"

namespace millrace::testkit {

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The first place where `function` asks for something else than the history holds; nothing where it agrees.
inline std::optional<engine::Divergence> replay_against(const engine::ExportedHistory& history,
                                                        const engine::WorkflowFunction& function) {
  const auto& started = std::get<engine::events::WorkflowExecutionStarted>(history.events.front().attributes);
  engine::Replayer::Identity identity;
  identity.workflow_id = started.workflow_id;
  identity.run_id = history.header.run_id;
  identity.type = started.workflow_type;
  identity.original_run_id = started.original_run_id;
  engine::Replayer replayer(identity, function, started.input.text);
  engine::HistoryReplay replay(replayer);
  for (const engine::HistoryEvent& event : history.events)
    if (auto d = replay.feed(event)) return d;
  return replay.finish();
}

}  // namespace millrace::testkit
