#include "engine/export_format.h"

#include <map>

#include "common/errors.h"
#include "engine/codec/json_reader.h"

namespace millrace::engine {
namespace {

// Makes the attributes of the alternative whose type has this name.
template <std::size_t I = 0>
bool read_attributes(std::string_view type, const Json& json, Attributes& out) {
  if constexpr (I == std::variant_size_v<Attributes>) {
    return false;
  } else {
    using T = std::variant_alternative_t<I, Attributes>;
    if (event_type_name(T::kType) != type) return read_attributes<I + 1>(type, json, out);
    FieldFromJson reader(json);
    T::visit(out.emplace<I>(), reader);
    return true;
  }
}

ExecutionStatus status_of(const std::string& word) {
  for (int n = 0; n < 32; ++n)
    if (to_string(static_cast<ExecutionStatus>(n)) == word) return static_cast<ExecutionStatus>(n);
  throw Error("history.invalid", "'" + word + "' is no status of an execution");
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

ExportHeader export_header_of(const Execution& execution) {
  ExportHeader header;
  header.workflow_id = execution.workflow_id;
  header.run_id = execution.run_id;
  header.type = execution.type;
  header.status = execution.status;
  header.started = execution.started;
  header.closed = execution.closed;
  return header;
}

std::string export_header_line(const ExportHeader& header) {
  Json json = Json::object();
  json["format"] = kExportFormat;
  json["workflowId"] = header.workflow_id;
  json["runId"] = header.run_id;
  json["type"] = header.type;
  json["status"] = to_string(header.status);
  json["startTime"] = format_time(header.started);
  if (header.closed) json["closeTime"] = format_time(*header.closed);
  return dump(json);
}

std::string export_event_line(const EventView& event) {
  Json json = Json::object();
  json["id"] = event.id;
  json["time"] = format_time(event.time);
  json["type"] = event.type;
  std::string line = dump(json);
  line.pop_back();
  return line + ",\"attributes\":" + event.attributes + "}";
}

std::string export_event_line(const HistoryEvent& event) { return export_event_line(view_of(event)); }

std::optional<HistoryEvent> ExportReader::line(std::string_view text) {
  ++line_;
  try {
    return take(text);
  } catch (const Error& e) {
    throw Error("history.invalid", "line " + std::to_string(line_) + ": " + e.detail());
  }
}

std::optional<HistoryEvent> ExportReader::take(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw Error("history.invalid", "it is no JSON object");
  FieldFromJson fields(json);
  if (json.contains("format")) {
    std::string format, status;
    fields("format", format);
    if (format != kExportFormat) throw Error("history.invalid", "the format " + format + " is unknown to this build");
    if (has_header_ || last_ != 0) throw Error("history.invalid", "a second header line");
    fields("workflowId", header_.workflow_id);
    fields("runId", header_.run_id);
    fields("type", header_.type);
    fields("status", status);
    fields("startTime", header_.started);
    fields("closeTime", header_.closed);
    if (!status.empty()) header_.status = status_of(status);
    has_header_ = true;
    return std::nullopt;
  }
  HistoryEvent event;
  std::string type;
  fields("id", event.id);
  fields("time", event.time);
  fields("type", type);
  if (event.id != last_ + 1)
    throw Error("history.invalid", "event " + std::to_string(event.id) + " follows event " + std::to_string(last_));
  static const Json kNone = Json::object();
  const auto attributes = json.find("attributes");
  if (!read_attributes(type, attributes != json.end() && attributes->is_object() ? *attributes : kNone,
                       event.attributes))
    throw Error("history.invalid", "this build knows no event type '" + type + "'");
  last_ = event.id;
  const auto* started = std::get_if<events::WorkflowExecutionStarted>(&event.attributes);
  if ((started != nullptr) != (event.id == 1))
    throw Error("history.invalid", "WORKFLOW_EXECUTION_STARTED is event 1, and only that");
  if (started != nullptr && !has_header_) {
    header_.workflow_id = started->workflow_id;
    header_.type = started->workflow_type;
    header_.started = event.time;
  }
  return event;
}

ExportedHistory read_export(std::string_view text) {
  ExportedHistory out;
  ExportReader reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    auto event = reader.line(text.substr(0, end));
    if (event) out.events.push_back(std::move(*event));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (out.events.empty()) throw Error("history.invalid", "it holds no event");
  out.header = reader.header();
  return out;
}

}  // namespace millrace::engine
