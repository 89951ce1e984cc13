// sync, normalize, jobs, job, logs, cancel.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/job_start.h"
#include "cli/job_view.h"
#include "cli/job_wait.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace millrace::cli {
namespace {

struct JobOptions {
  JobOptions() = default;
  std::string connection, status, type;
  std::int64_t job_id = 0;
  std::vector<std::string> streams;
  bool wait = false, only_failed = false, adopt = false, attach = false, follow = false, dry_run = false;
  int limit = 50;
  int streams_parallel = 0, splits_parallel = 0;
};

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}

bool ended(const Json& job) {
  const std::string status = plain(job, "status");
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

std::string job_path(std::int64_t id) { return "/v1/jobs/" + std::to_string(id); }

}  // namespace

// Asks until the job has ended: often at first, so that a short job is not waited for in vain.
asio::awaitable<Json> wait_for_job(Context& context, std::int64_t id) {
  Progress progress(context.runtime, !for_people(context));
  const MonoTime begun = context.runtime.mono();
  Duration pause = std::chrono::milliseconds(20);
  for (;;) {
    Json job = co_await context.client().get(job_path(id));
    if (ended(job)) {
      progress.clear();
      co_return job;
    }
    progress.show(job);
    if (context.globals.timeout_seconds > 0 &&
        to_seconds(context.runtime.mono() - begun) > context.globals.timeout_seconds) {
      progress.clear();
      throw CommandError(
          kTimedOut, fmt::format("job {} has not ended within {:g} s", id, context.globals.timeout_seconds),
          "it goes on", fmt::format("Look at it with millrace job {}, or stop it with millrace cancel {}.", id, id),
          "http.timed_out");
    }
    co_await context.runtime.sleep_for(pause);
    pause = std::min<Duration>(pause * 3 / 2, std::chrono::milliseconds(400));
  }
}

asio::awaitable<int> show_started_job(Context& context, Json job, bool wait) {
  const std::int64_t id = job.at("jobId").get<std::int64_t>();
  if (!wait) {
    if (for_people(context)) {
      std::cout << "started job " << id << '\n';
    } else {
      print_object(job, std::to_string(id), context.globals.output);
    }
    co_return kOk;
  }
  job = co_await wait_for_job(context, id);
  if (for_people(context)) {
    print_job(job);
  } else {
    print_object(job, std::to_string(id), context.globals.output);
  }
  print_job_failure(job);
  co_return plain(job, "status") == "succeeded" ? kOk : kFailed;
}

namespace {

asio::awaitable<int> start_job(Context& context, std::string job_type, std::shared_ptr<JobOptions> options) {
  const Json connection = co_await context.client().find("connections", options->connection);
  JobStart start;
  start.wait = options->wait;
  if (options->attach) start.path += "?onConflict=attach";
  start.body["connectionId"] = plain(connection, "connectionId");
  start.body["jobType"] = job_type;
  for (const std::string& stream : options->streams) start.body["streams"].push_back(stream_json(stream));
  if (options->only_failed) start.body["options"]["onlyFailed"] = true;
  if (options->adopt) start.body["options"]["adopt"] = true;
  if (options->dry_run) start.body["options"]["dryRun"] = true;
  if (options->streams_parallel > 0) start.body["options"]["streamsParallel"] = options->streams_parallel;
  if (options->splits_parallel > 0) start.body["options"]["splitsParallel"] = options->splits_parallel;
  co_return co_await run_job(context, std::move(start));
}

asio::awaitable<int> jobs(Context& context, std::shared_ptr<JobOptions> options) {
  std::map<std::string, std::string> names;
  const std::vector<Json> connections = co_await context.client().all("/v1/connections");
  for (const Json& c : connections) names[plain(c, "connectionId")] = plain(c, "name");
  std::string path = "/v1/jobs?limit=" + std::to_string(options->limit);
  if (!options->connection.empty()) {
    const Json connection = co_await context.client().find("connections", options->connection);
    path += "&connectionId=" + plain(connection, "connectionId");
  }
  if (!options->status.empty()) path += "&status=" + api::client::url_encode(options->status);
  if (!options->type.empty()) path += "&jobType=" + api::client::url_encode(options->type);
  Json page = co_await context.client().get(path);
  std::vector<Json> items;
  for (Json& item : page.at("data")) items.push_back(std::move(item));
  const std::vector<Column> columns = {
      field("JOB", "jobId"),
      field("TYPE", "jobType"),
      field("STATUS", "status"),
      Column("CONNECTION",
             [&names](const Json& job) {
               const auto it = names.find(plain(job, "connectionId"));
               return it == names.end() ? plain(job, "connectionId") : it->second;
             }),
      Column("STARTED", [](const Json& job) { return plain(job, "startTime").substr(0, 19); }),
      Column("TOOK", [](const Json& job) { return duration_text(plain(job, "duration")); }),
      Column("ROWS",
             [](const Json& job) {
               return job.contains("rowsSynced") && job["rowsSynced"].is_number()
                          ? human_count(job["rowsSynced"].get<double>())
                          : std::string();
             }),
      Column(
          "BYTES",
          [](const Json& job) {
            return job.contains("bytesSynced") && job["bytesSynced"].is_number()
                       ? human_bytes(job["bytesSynced"].get<double>())
                       : std::string();
          },
          true),
      field("WORKFLOW", "workflowId", true)};
  print_list(items, columns, [](const Json& job) { return plain(job, "jobId"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> job(Context& context, std::shared_ptr<JobOptions> options) {
  const Json one = co_await context.client().get(job_path(options->job_id));
  if (for_people(context)) {
    print_job(one);
    print_job_failure(one);
  } else {
    print_object(one, std::to_string(options->job_id), context.globals.output);
  }
  co_return kOk;
}

void print_log_line(const Json& line, bool raw) {
  if (raw) {
    std::cout << line.dump() << '\n';
    return;
  }
  std::string step = plain(line, "step");
  if (!step.empty()) step = " [" + step + "]";
  std::string text = plain(line, "text");
  if (text.empty()) text = plain(line, "message");
  std::cout << plain(line, "time").substr(0, 23) << " " << fmt::format("{:<5}", plain(line, "level")) << step << " "
            << text << '\n';
}

asio::awaitable<int> logs(Context& context, std::shared_ptr<JobOptions> options) {
  const bool raw = !for_people(context);
  if (options->follow) {
    const auto line = [raw](const std::string& event, const std::string& data) {
      if (event != "line") return;
      print_log_line(Json::parse(data), raw);
      std::cout << std::flush;
    };
    co_await context.client().follow(job_path(options->job_id) + "/logs?follow=true", line);
    co_return kOk;
  }
  std::string after = "0";
  for (;;) {
    Json page = co_await context.client().get(job_path(options->job_id) + "/logs?limit=1000&after=" + after);
    const Json& lines = page.at("data");
    for (const Json& line : lines) print_log_line(line, raw);
    if (lines.size() < 1'000) co_return kOk;
    after = plain(lines.back(), "id");
    if (after.empty()) after = plain(lines.back(), "seq");
  }
}

asio::awaitable<int> cancel(Context& context, std::shared_ptr<JobOptions> options) {
  const Json one = co_await context.client().remove(job_path(options->job_id));
  if (for_people(context)) {
    std::cout << "job " << options->job_id << " is being cancelled (" << plain(one, "status") << ")\n";
  } else {
    print_object(one, std::to_string(options->job_id), context.globals.output);
  }
  co_return kOk;
}

void add_job_start(Tree& tree, const char* name, const char* description) {
  auto options = std::make_shared<JobOptions>();
  CLI::App* sub = tree.root.add_subcommand(name, description);
  sub->add_option("connection", options->connection, "its name")->required();
  add_flag_value(sub, "--stream", options->streams,
                 "only this stream, as name or namespace.name (may be given several times)");
  add_switch(sub, "--wait", options->wait, "follow it to its end; exit code 1 if it failed");
  add_switch(sub, "--only-failed", options->only_failed, "only the streams that the last job left incomplete");
  add_switch(sub, "--adopt", options->adopt,
             "take over tables that are not Millrace's; the old ones are kept as <name>__before");
  add_flag_value(sub, "--streams-parallel", options->streams_parallel, "how many streams at once")
      ->check(CLI::Range(1, 64));
  add_flag_value(sub, "--splits-parallel", options->splits_parallel, "how many parts of a stream at once")
      ->check(CLI::Range(1, 64));
  add_switch(sub, "--dry-run", options->dry_run, "say what would be read, created and altered, and do nothing");
  add_switch(sub, "--attach", options->attach, "if a job of the connection runs already, take that one");
  const std::string type = name;
  sub->callback(
      [&tree, options, type] { tree.action = [options, type](Context& c) { return start_job(c, type, options); }; });
}

CLI::App* add_job_command(Tree& tree, const char* name, const char* description,
                          const std::shared_ptr<JobOptions>& options) {
  CLI::App* sub = tree.root.add_subcommand(name, description);
  sub->add_option("job", options->job_id, "its number")->required();
  return sub;
}

}  // namespace

Json stream_json(const std::string& stream) {
  Json one = Json::object();
  const auto dot = stream.find('.');
  if (dot != std::string::npos) one["namespace"] = stream.substr(0, dot);
  one["name"] = dot == std::string::npos ? stream : stream.substr(dot + 1);
  return one;
}

asio::awaitable<int> run_job(Context& context, JobStart start) {
  Json job = co_await context.client().post(start.path, start.body.dump());
  co_return co_await show_started_job(context, std::move(job), start.wait);
}

void add_job_commands(Tree& tree) {
  add_job_start(tree, "sync", "Start a sync of a connection");
  add_job_start(tree, "normalize", "Make the final tables of what a sync has loaded");

  auto options = std::make_shared<JobOptions>();
  CLI::App* sub = tree.root.add_subcommand("jobs", "List jobs, newest first");
  add_flag_value(sub, "--connection", options->connection, "only of this connection");
  add_flag_value(sub, "--status", options->status, "only this status");
  add_flag_value(sub, "--type", options->type, "only this type");
  add_flag_value(sub, "--limit", options->limit, "at most so many (50)")->check(CLI::Range(1, 10'000));
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return jobs(c, options); }; });

  options = std::make_shared<JobOptions>();
  sub = add_job_command(tree, "job", "Show a job: how it went, and why it failed", options);
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return job(c, options); }; });

  options = std::make_shared<JobOptions>();
  sub = add_job_command(tree, "logs", "Show the log of a job", options);
  add_switch(sub, "-f,--follow", options->follow, "go on until the job has ended");
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return logs(c, options); }; });

  options = std::make_shared<JobOptions>();
  sub = add_job_command(tree, "cancel", "Cancel a job", options);
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return cancel(c, options); }; });
}

}  // namespace millrace::cli
