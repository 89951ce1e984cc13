// What changes while somebody looks, as server-sent events: one stream for all that a page shows.
//
// A client names topics; each is told whole when the stream opens and when it changes, so that after a break a new
// stream leaves nothing out. Topics: `jobs` (the newest, summaries of those that changed), `job:ID` (as GET shows it),
// `log:ID:AFTER` (lines after that one), `execution:ID` (length of the history, status, run, a mark of its steps).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/message.h"
#include "api/services.h"

namespace millrace::api {

inline constexpr std::size_t kMaxTopics = 20;

struct Topic;
// Throws request.invalid_parameter for a topic that is none.
std::shared_ptr<Topic> parse_topic(const std::string& text);
// Events "topic" with {topic, data}; ends when the server stops.
asio::awaitable<void> follow_topics(Services services, std::vector<std::shared_ptr<Topic>> topics, EventSink& sink);

}  // namespace millrace::api
