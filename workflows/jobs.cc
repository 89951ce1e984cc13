#include "workflows/jobs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/filter.h"
#include "state/keys.h"
#include "workflows/job_starts.h"
#include "workflows/jobs_view.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;
using resources::Kind;
namespace keys = state::keys;

namespace {

constexpr std::size_t kMaxListed = 10'000;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string_view word_of(LogLevel level) {
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

}  // namespace

std::string filter_fault(const std::string& condition) {
  try {
    connectors::check_filter(condition);
  } catch (const Error& e) {
    return e.detail();
  }
  return {};
}

class Jobs::Impl {
 public:
  Impl(Runtime r, std::shared_ptr<state::Store> s, std::shared_ptr<engine::Engine> e,
       std::shared_ptr<resources::Resources> res)
      : runtime(r), store(s), engine(e), resources(res), starts(r, s, e, res) {}

  // A job and its execution.
  struct Found {
    Found() = default;
    JobRow row;
    engine::ExecutionDetail detail;
  };
  asio::awaitable<Found> find(std::int64_t job_id) {
    Found found;
    found.row = co_await starts.row(job_id);
    found.detail = co_await engine->describe(found.row.workflow_id, found.row.run_id);
    co_return found;
  }
  asio::awaitable<bool> ended(std::int64_t job_id) {
    const auto row = co_await starts.row(job_id);
    const auto open = co_await store->get(keys::open_run(row.run_id));
    co_return !open.has_value();
  }

  Runtime runtime;
  std::shared_ptr<state::Store> store;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<resources::Resources> resources;
  JobStarts starts;
};

Jobs::Jobs(Runtime runtime, std::shared_ptr<state::Store> store, std::shared_ptr<engine::Engine> engine,
           std::shared_ptr<resources::Resources> resources)
    : impl_(std::make_shared<Impl>(std::move(runtime), std::move(store), std::move(engine), std::move(resources))) {}
Jobs::~Jobs() = default;

asio::awaitable<std::int64_t> Jobs::start(JobRequest request) {
  auto impl = impl_;
  co_return co_await impl->starts.start(std::move(request));
}

asio::awaitable<std::int64_t> Jobs::undo(std::int64_t job_id, std::vector<connectors::StreamName> streams,
                                         std::string request_id, resources::Principal principal) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  if (row.connection_id.empty()) throw Error("job.nothing_to_do", "job " + std::to_string(job_id) + " loads nothing");
  JobRequest request;
  request.connection_id = row.connection_id;
  request.job_type = "undo";
  request.of_job = job_id;
  request.streams = std::move(streams);
  request.request_id = std::move(request_id);
  request.principal = std::move(principal);
  co_return co_await impl->starts.start(std::move(request));
}

asio::awaitable<std::int64_t> Jobs::start_spec(std::string connector, resources::Principal principal) {
  auto impl = impl_;
  if (!impl->resources->registry().by_name(connector))
    throw Error("resource.unknown_reference", "there is no connector \"" + connector + "\"");
  JobInput input;
  input.connector = std::move(connector);
  co_return co_await impl->starts.start_short("get_spec", std::move(input), std::move(principal));
}

asio::awaitable<std::int64_t> Jobs::start_check(Kind kind, std::string id, resources::Principal principal) {
  auto impl = impl_;
  const auto resource = co_await impl->resources->get(kind, std::move(id));
  JobInput input;
  auto& end = kind == Kind::source ? input.source : input.destination;
  end.id = resource.id;
  end.revision = resource.revision;
  co_return co_await impl->starts.start_short("check", std::move(input), std::move(principal));
}

asio::awaitable<std::int64_t> Jobs::start_discover(std::string source_id, resources::Principal principal) {
  auto impl = impl_;
  const auto resource = co_await impl->resources->get(Kind::source, std::move(source_id));
  JobInput input;
  input.source.id = resource.id;
  input.source.revision = resource.revision;
  co_return co_await impl->starts.start_short("discover", std::move(input), std::move(principal));
}

asio::awaitable<void> Jobs::wait(std::int64_t job_id, Duration at_most) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  co_await impl->engine->wait_closed(row.workflow_id, row.run_id, at_most);
}

asio::awaitable<void> Jobs::restore_metrics() {
  auto impl = impl_;
  co_await impl->starts.restore_metrics();
}

asio::awaitable<std::string> Jobs::job_json(std::int64_t job_id) {
  auto impl = impl_;
  const auto found = co_await impl->find(job_id);
  co_return dump(job_view(found.row, found.detail, impl->runtime.now()));
}

asio::awaitable<std::string> Jobs::list_json(JobFilter filter) {
  auto impl = impl_;
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, kMaxListed);
  json out = {{"data", json::array()}, {"next", ""}, {"previous", ""}};
  // Newest first: jobs of one connection lie so, those of all are read backwards.
  const bool of_one = !filter.connection_id.empty();
  auto range = state::prefix_range(of_one ? keys::job_of_connection_prefix(filter.connection_id) : keys::job_prefix());
  range.reverse = !of_one;
  range.limit = 200;
  std::size_t skip = filter.offset;
  bool more = true;
  while (more) {
    const auto rows = co_await impl->store->scan(range);
    more = rows.size() == range.limit;
    for (const auto& r : rows) {
      if (of_one)
        range.begin = r.key + '\0';
      else
        range.end = r.key;
      JobRow row;
      if (of_one)
        row = co_await impl->starts.row(std::stoll(r.value));
      else
        row = decode_job(r.value);
      if (!filter.job_type.empty() && row.job_type != filter.job_type) continue;
      const bool looks = !filter.status.empty();
      if (!looks && skip > 0) {
        --skip;
        continue;
      }
      const auto detail = co_await impl->engine->describe(row.workflow_id, row.run_id);
      if (looks && job_status(detail) != filter.status) continue;
      if (skip > 0) {
        --skip;
        continue;
      }
      if (out["data"].size() == limit) {
        out["next"] = std::to_string(filter.offset + limit);
        more = false;
        break;
      }
      out["data"].push_back(job_view(row, detail, impl->runtime.now()));
    }
  }
  if (filter.offset > 0) out["previous"] = std::to_string(filter.offset > limit ? filter.offset - limit : 0);
  co_return dump(out);
}

asio::awaitable<std::string> Jobs::result_json(std::int64_t job_id) {
  auto impl = impl_;
  const auto found = co_await impl->find(job_id);
  const auto& execution = found.detail.execution;
  const std::string status = job_status(found.detail);
  json out = json::object();
  if (status == "succeeded") {
    json result = json::parse(execution.result.empty() ? "{}" : execution.result);
    if (found.row.job_type == "check") {
      out = result.contains("source") ? result["source"] : result.value("destination", json::object());
    } else if (found.row.job_type == "discover") {
      out = {{"catalog", std::move(result)}, {"revision", found.row.input.source.revision}};
    } else {
      out = std::move(result);
    }
  } else {
    out = {{"status", status}};
    if (execution.failure) {
      const json failure = failure_json(*execution.failure);
      for (const char* field : {"code", "message", "remedy"})
        if (failure.contains(field)) out[field] = failure[field];
    }
  }
  out["jobId"] = job_id;
  co_return dump(out);
}

asio::awaitable<void> Jobs::cancel(std::int64_t job_id, std::string reason) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  std::exception_ptr error;
  try {
    co_await impl->engine->request_cancel(row.workflow_id, row.run_id, std::move(reason), "");
  } catch (const Error& e) {
    // It ended by itself: cancelling what has ended changes nothing.
    if (e.code() != "workflow.closed") throw;
  }
}

asio::awaitable<std::string> Jobs::logs_json(std::int64_t job_id, std::uint64_t after, std::size_t limit) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  const auto lines = co_await impl->engine->log(row.workflow_id, row.run_id, after, limit);
  json out = {{"data", json::array()}, {"next", after}};
  for (const auto& line : lines) {
    out["data"].push_back({{"seq", line.seq},
                           {"time", format_time(line.time)},
                           {"level", word_of(line.level)},
                           {"step", line.step},
                           {"text", line.text}});
    out["next"] = line.seq;
  }
  out["ended"] = co_await impl->ended(job_id);
  co_return dump(out);
}

asio::awaitable<std::int64_t> Jobs::start_replay(ReplayRequest request) {
  auto impl = impl_;
  co_return co_await impl->starts.start_replay(std::move(request));
}

asio::awaitable<std::string> Jobs::verify_json(std::int64_t job_id) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  const auto report = co_await impl->engine->verify(row.workflow_id, row.run_id);
  json out = {{"eventsChecked", report.events_checked}, {"divergence", json()}, {"openEnd", report.open_end}};
  if (report.divergence)
    out["divergence"] = {{"eventId", report.divergence->event_id},
                         {"expected", report.divergence->expected},
                         {"got", report.divergence->got},
                         {"position", report.divergence->position}};
  co_return dump(out);
}

asio::awaitable<std::pair<std::string, std::string>> Jobs::execution_of(std::int64_t job_id) {
  auto impl = impl_;
  const auto row = co_await impl->starts.row(job_id);
  co_return std::make_pair(row.workflow_id, row.run_id);
}

}  // namespace millrace::workflows
