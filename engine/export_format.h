// A history as a file: what `workflow show -o jsonl` and the archive write, and verify and import read.
//
// JSON lines, UTF-8, each ended by '\n':
//
//   {"format":"millrace.history/1","workflowId":…,"runId":…,"type":…,"status":"Completed","startTime":…,"closeTime":…}
//   {"id":1,"time":"2026-01-01T00:00:00.000000Z","type":"WORKFLOW_EXECUTION_STARTED","attributes":{…}}
//   …
//
// The attributes are those of the API (codec/json_fields.h): fields that are empty are left out, payloads are the JSON
// they mean, those that lie in blobs included. A file may be compressed by its writer (zstd); that is its own matter.
// Times have microseconds, so that what is read back replays as it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events/event.h"

namespace millrace::engine {

inline constexpr std::string_view kExportFormat = "millrace.history/1";

struct ExportHeader {
  ExportHeader() = default;
  std::string workflow_id;
  std::string run_id;
  std::string type;
  ExecutionStatus status = ExecutionStatus::running;
  WallTime started;
  std::optional<WallTime> closed;
};
ExportHeader export_header_of(const Execution& execution);

// One line each, without its end.
std::string export_header_line(const ExportHeader& header);
std::string export_event_line(const HistoryEvent& event);
// The same from what Engine::history() gives.
std::string export_event_line(const EventView& event);

struct ExportedHistory {
  ExportedHistory() = default;
  ExportHeader header;
  std::vector<HistoryEvent> events;
};

// Takes a file's lines one by one. Throws Error history.invalid ("line 7: …"): no JSON, an event of an unknown type, a
// field of another kind, ids that are not dense from 1, a format of a later build.
class ExportReader {
 public:
  // The next event; nothing for the header and for empty lines.
  std::optional<HistoryEvent> line(std::string_view text);
  // Complete once event 1 was read. A file without a header line has what event 1 tells, and no run id.
  const ExportHeader& header() const { return header_; }
  std::uint64_t last_event_id() const { return last_; }

 private:
  std::optional<HistoryEvent> take(std::string_view text);
  ExportHeader header_;
  bool has_header_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t line_ = 0;
};

// A whole file that is in memory. Throws history.invalid; also if it holds no event.
ExportedHistory read_export(std::string_view text);

}  // namespace millrace::engine
