// Following as server-sent events: histories and logs. Each event's id is what `after` takes to go on from it.
#pragma once

#include <string>

#include "api/message.h"
#include "api/services.h"

namespace millrace::api {

// Events "event" (one of the history each), then "end" with {"status"} when the run is closed.
asio::awaitable<void> follow_history(Services services, std::string workflow_id, std::string run_id,
                                     std::uint64_t after, EventSink& sink);
// Events "line", then "end" with {"status"}.
asio::awaitable<void> follow_log(Services services, std::string workflow_id, std::string run_id, std::uint64_t after,
                                 EventSink& sink);

std::string event_json(const engine::EventView& event);
std::string log_line_json(const engine::LogLine& line);

}  // namespace millrace::api
