#include "api/follow.h"

#include "api/handlers.h"

namespace millrace::api {
namespace {

constexpr std::size_t kPiece = 500;                            // events or lines read at once
constexpr Duration kLogPace = std::chrono::milliseconds(300);  // between looks for new lines
constexpr Duration kKeepAlive = std::chrono::seconds(10);      // a sign of life to the client

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
    case LogLevel::off:
      return "off";
  }
  return "info";
}

std::string end_json(const engine::Execution& execution) {
  return JsonObject().text("status", engine::to_string(execution.status)).take();
}

}  // namespace

std::string event_json(const engine::EventView& event) {
  return JsonObject()
      .number("id", std::int64_t(event.id))
      .text("time", format_time(event.time))
      .text("type", event.type)
      .raw("attributes", event.attributes.empty() ? std::string_view("{}") : std::string_view(event.attributes))
      .take();
}

std::string log_line_json(const engine::LogLine& line) {
  return JsonObject()
      .number("id", std::int64_t(line.seq))
      .text("time", format_time(line.time))
      .text("level", level_name(line.level))
      .text("step", line.step)
      .text("text", line.text)
      .take();
}

asio::awaitable<void> follow_history(Services services, std::string workflow_id, std::string run_id,
                                     std::uint64_t after, EventSink& sink) {
  for (;;) {
    // Looked at before the events: a run that was closed then has no event beyond those read next.
    const engine::ExecutionDetail detail = co_await services.engine->describe(workflow_id, run_id);
    run_id = detail.execution.run_id;
    const auto events = co_await services.engine->history(workflow_id, run_id, after, kPiece);
    for (const auto& event : events) {
      co_await sink.send("event", std::to_string(event.id), event_json(event));
      after = event.id;
    }
    if (events.size() == kPiece) continue;
    if (!engine::is_open(detail.execution.status)) {
      co_await sink.send("end", "", end_json(detail.execution));
      co_return;
    }
    if (sink.stopping()) co_return;
    co_await services.engine->wait_event(workflow_id, run_id, after, kKeepAlive);
    co_await sink.keep_alive();
  }
}

asio::awaitable<void> follow_log(Services services, std::string workflow_id, std::string run_id, std::uint64_t after,
                                 EventSink& sink) {
  MonoTime quiet_since = services.runtime.mono();
  for (;;) {
    const engine::ExecutionDetail detail = co_await services.engine->describe(workflow_id, run_id);
    run_id = detail.execution.run_id;
    const auto lines = co_await services.engine->log(workflow_id, run_id, after, kPiece);
    for (const auto& line : lines) {
      co_await sink.send("line", std::to_string(line.seq), log_line_json(line));
      after = line.seq;
    }
    if (lines.size() == kPiece) continue;
    if (!engine::is_open(detail.execution.status)) {
      co_await sink.send("end", "", end_json(detail.execution));
      co_return;
    }
    if (sink.stopping()) co_return;
    if (!lines.empty()) quiet_since = services.runtime.mono();
    if (services.runtime.mono() - quiet_since > kKeepAlive) {
      quiet_since = services.runtime.mono();
      co_await sink.keep_alive();
    }
    co_await services.runtime.sleep_for(kLogPace);
  }
}

}  // namespace millrace::api
