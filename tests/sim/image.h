// What the disk holds, taken apart: every row of the engine, read without the engine's own reading code but for the
// decoding of single values. What the checks look at (invariants.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/events/event.h"
#include "engine/records/attempt_record.h"
#include "engine/records/outbox_row.h"
#include "engine/records/rows.h"
#include "engine/records/run_record.h"
#include "state/memory_store.h"

namespace millrace::sim {

struct RunImage {
  std::optional<engine::RunRecord> record;
  std::string record_bytes;
  std::vector<engine::HistoryEvent> history;
  std::vector<std::string> batches;                                                  // bytes of the history, in order
  std::map<std::uint64_t, std::map<std::uint32_t, engine::AttemptRecord>> attempts;  // by scheduled event
  std::map<std::uint64_t, std::map<std::string, engine::CheckpointRow>> checkpoints;
  std::map<std::string, engine::TimerRow> timers;  // by key
  std::map<std::string, std::string> blobs;        // by hash
  bool open_row = false;
};

struct Image {
  // Throws store.corrupt, store.newer_format: what can't be read is a violation of its own.
  explicit Image(const state::DurableImage& disk);

  std::map<std::string, std::string> rows;  // all
  std::map<std::string, RunImage> runs;
  std::map<std::string, std::string> current;  // workflow id -> run
  std::vector<engine::OutboxRow> outbox;
  // scope -> request id -> row
  std::map<std::string, std::map<std::string, engine::DedupeRow>> dedupe;
};

}  // namespace millrace::sim
