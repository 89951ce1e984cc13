#include "api/live.h"

#include <map>

#include <nlohmann/json.hpp>

#include "api/follow.h"
#include "api/handlers.h"
#include "api/job_summary.h"
#include "common/errors.h"

namespace millrace::api {

struct Topic {
  Topic() = default;
  enum class Kind { jobs, job, log, execution };
  Kind kind = Kind::jobs;
  std::string name;                          // as the client named it, without a position
  std::string id;                            // workflow id
  std::int64_t job = 0;                      // of job and log
  std::uint64_t after = 0;                   // of log
  std::string run;                           // of log, once known
  std::string last;                          // what was told last
  std::map<std::int64_t, std::string> jobs;  // the same, of each of the newest jobs
  bool ended = false;                        // there is nothing more to tell
};

namespace {

using nlohmann::json;

constexpr Duration kPace = std::chrono::milliseconds(400);  // between two looks
constexpr int kJobsEvery = 3;                               // looks at the list of jobs: each third
constexpr std::size_t kNewestJobs = 50;
constexpr std::size_t kLogPiece = 1'000;
constexpr Duration kSignOfLife = std::chrono::seconds(10);

std::int64_t number_in(const std::string& text, const std::string& topic) {
  if (text.empty() || text.size() > 15 || text.find_first_not_of("0123456789") != std::string::npos)
    throw Error("request.invalid_parameter", "the topic '" + topic.substr(0, 100) + "' has no number");
  return std::stoll(text);
}

// The new text of a list of changed jobs; empty: none changed.
asio::awaitable<std::string> look_at_jobs(Services services, std::shared_ptr<Topic> topic) {
  workflows::JobFilter filter;
  filter.limit = kNewestJobs;
  const std::string list = co_await services.jobs->list_json(std::move(filter));
  json parsed = json::parse(list);
  std::map<std::int64_t, std::string> now;
  std::string changed;
  for (json& job : parsed["data"]) {
    const std::int64_t id = job.value("jobId", std::int64_t{0});
    std::string text = job_summary(std::move(job));
    const auto before = topic->jobs.find(id);
    if (before == topic->jobs.end() || before->second != text) changed += (changed.empty() ? "[" : ",") + text;
    now.emplace(id, std::move(text));
  }
  topic->jobs = std::move(now);
  co_return changed.empty() ? changed : changed + "]";
}

asio::awaitable<std::string> look_at_log(Services services, std::shared_ptr<Topic> topic) {
  if (topic->id.empty()) {
    const auto execution = co_await services.jobs->execution_of(topic->job);
    topic->id = execution.first;
    topic->run = execution.second;
  }
  // Looked at before the lines: what is closed now writes no more after those read next.
  const engine::ExecutionDetail detail = co_await services.engine->describe(topic->id, topic->run);
  const auto lines = co_await services.engine->log(topic->id, topic->run, topic->after, kLogPiece);
  std::string out;
  for (const auto& line : lines) {
    out += (out.empty() ? "{\"lines\":[" : ",") + log_line_json(line);
    topic->after = line.seq;
  }
  if (lines.empty() && !engine::is_open(detail.execution.status)) topic->ended = true;
  co_return out.empty() ? out : out + "]}";
}

asio::awaitable<std::string> look_at_execution(Services services, std::shared_ptr<Topic> topic) {
  const engine::ExecutionDetail detail = co_await services.engine->describe(topic->id, "");
  std::size_t attempts = 0, open = 0;
  for (const auto& step : detail.steps) {
    attempts += step.attempts.size();
    if (!step.closed) ++open;
  }
  co_return JsonObject()
      .text("status", engine::to_string(detail.execution.status))
      .text("runId", detail.execution.run_id)
      .number("historyLength", static_cast<std::int64_t>(detail.execution.history_length))
      .number("attempts", static_cast<std::int64_t>(attempts))
      .number("openSteps", static_cast<std::int64_t>(open))
      .take();
}

// What there is to tell of a topic now; empty: nothing.
asio::awaitable<std::string> look_at(Services services, std::shared_ptr<Topic> topic) {
  std::string text;
  switch (topic->kind) {
    case Topic::Kind::jobs:
      text = co_await look_at_jobs(services, topic);
      co_return text;
    case Topic::Kind::log:
      text = co_await look_at_log(services, topic);
      co_return text;
    case Topic::Kind::job:
      text = co_await services.jobs->job_json(topic->job);
      break;
    case Topic::Kind::execution:
      text = co_await look_at_execution(services, topic);
      break;
  }
  if (text == topic->last) co_return std::string();
  topic->last = text;
  co_return text;
}

}  // namespace

std::shared_ptr<Topic> parse_topic(const std::string& text) {
  auto topic = std::make_shared<Topic>();
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  topic->name = text;
  if (kind == "jobs" && colon == std::string::npos) {
    topic->kind = Topic::Kind::jobs;
  } else if (kind == "job") {
    topic->kind = Topic::Kind::job;
    topic->job = number_in(rest, text);
  } else if (kind == "log") {
    topic->kind = Topic::Kind::log;
    const auto cut = rest.find(':');
    topic->job = number_in(rest.substr(0, cut), text);
    if (cut != std::string::npos) topic->after = static_cast<std::uint64_t>(number_in(rest.substr(cut + 1), text));
    topic->name = "log:" + rest.substr(0, cut);
  } else if (kind == "execution" && !rest.empty() && rest.size() <= 1'000) {
    topic->kind = Topic::Kind::execution;
    topic->id = rest;
  } else {
    throw Error("request.invalid_parameter", "unknown topic '" + text.substr(0, 100) + "'");
  }
  return topic;
}

asio::awaitable<void> follow_topics(Services services, std::vector<std::shared_ptr<Topic>> topics, EventSink& sink) {
  MonoTime quiet_since = services.runtime.mono();
  co_await sink.keep_alive();  // the client knows that the stream is open
  for (int round = 0; !sink.stopping(); ++round) {
    for (const auto& topic : topics) {
      if (topic->ended || (topic->kind == Topic::Kind::jobs && round % kJobsEvery != 0)) continue;
      std::string text;
      try {
        text = co_await look_at(services, topic);
      } catch (const Error&) {
        topic->ended = true;  // gone, or never there: its own page says so
      }
      if (text.empty()) continue;
      std::string event = JsonObject().text("topic", topic->name).raw("data", text).take();
      co_await sink.send("topic", "", std::move(event));
      quiet_since = services.runtime.mono();
    }
    if (services.runtime.mono() - quiet_since > kSignOfLife) {
      quiet_since = services.runtime.mono();
      co_await sink.keep_alive();
    }
    co_await services.runtime.sleep_for(kPace);
  }
}

void add_live_routes(Router& router, const Services& services) {
  Route route("GET", "/v1/events", "What changes, as server-sent events: one stream for several topics");
  route.tag = "Live";
  route.scope = Scope::read;
  route.query.emplace_back("topic", "string",
                           "may be given 20 times: jobs, job:ID, log:ID:AFTER, execution:WORKFLOWID; events `topic` "
                           "with {topic, data}");
  route.handler = [services](Request& request) -> asio::awaitable<Response> {
    std::vector<std::shared_ptr<Topic>> topics;
    for (const auto& [name, value] : request.query) topics.push_back(parse_topic(value));
    if (topics.empty() || topics.size() > kMaxTopics)
      throw Error("request.invalid_parameter", "from 1 to 20 topics are followed in one stream");
    Response response;
    response.content_type = "text/event-stream";
    response.stream = [services, topics](EventSink& sink) { return follow_topics(services, topics, sink); };
    co_return response;
  };
  router.add(std::move(route));
}

}  // namespace millrace::api
