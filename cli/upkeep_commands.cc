// refresh, clear, backfill, undo, and quarantine list.
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/job_start.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

struct UpkeepOptions {
  UpkeepOptions() = default;
  std::string connection, from, to, field, filter, stream;
  std::int64_t job = 0;
  std::vector<std::string> streams;
  bool wait = false, keep = false, dry_run = false;
  int limit = 100;
};
using OptionsPtr = std::shared_ptr<UpkeepOptions>;

asio::awaitable<JobStart> start_of(Context& context, OptionsPtr o, std::string type) {
  const Json connection = co_await context.client().find("connections", o->connection);
  JobStart start;
  start.wait = o->wait;
  start.body["connectionId"] = plain(connection, "connectionId");
  start.body["jobType"] = type;
  for (const std::string& stream : o->streams) start.body["streams"].push_back(stream_json(stream));
  if (o->dry_run) start.body["options"]["dryRun"] = true;
  co_return start;
}

std::string list_of(const std::vector<std::string>& streams) {
  std::string out;
  for (const auto& s : streams) out += (out.empty() ? "" : ", ") + s;
  return out.empty() ? "all streams" : out;
}

asio::awaitable<int> refresh(Context& context, OptionsPtr o) {
  JobStart start = co_await start_of(context, o, "refresh");
  if (o->keep) start.body["options"]["keep"] = true;
  co_return co_await run_job(context, std::move(start));
}

asio::awaitable<int> clear(Context& context, OptionsPtr o) {
  JobStart start = co_await start_of(context, o, "clear");
  context.need_consent("This removes all rows of " + list_of(o->streams) + " of \"" + o->connection +
                       "\" at the destination, and where their next job would go on.");
  co_return co_await run_job(context, std::move(start));
}

asio::awaitable<int> backfill(Context& context, OptionsPtr o) {
  if (o->from.empty() && o->to.empty() && o->filter.empty())
    throw CommandError(kUsage, "give a window (--from, --to) or a --filter", "", "", "cli.usage");
  JobStart start = co_await start_of(context, o, "backfill");
  const auto put = [&start](const char* name, const std::string& value) {
    if (!value.empty()) start.body["options"][name] = value;
  };
  put("from", o->from);
  put("to", o->to);
  put("field", o->field);
  put("filter", o->filter);
  co_return co_await run_job(context, std::move(start));
}

asio::awaitable<int> undo(Context& context, OptionsPtr o) {
  JobStart start;
  start.wait = o->wait;
  start.path = "/v1/jobs/" + std::to_string(o->job) + "/undo";
  for (const std::string& stream : o->streams) start.body["streams"].push_back(stream_json(stream));
  context.need_consent("This takes the rows of job " + std::to_string(o->job) + " (" + list_of(o->streams) +
                       ") out of the destination; a table that it replaced comes back.");
  co_return co_await run_job(context, std::move(start));
}

asio::awaitable<int> quarantine_list(Context& context, OptionsPtr o) {
  const Json connection = co_await context.client().find("connections", o->connection);
  std::string path =
      "/v1/connections/" + plain(connection, "connectionId") + "/quarantine?limit=" + std::to_string(o->limit);
  if (!o->stream.empty()) path += "&stream=" + api::client::url_encode(o->stream);
  const Json page = co_await context.client().get(path);
  std::vector<Json> items;
  for (const auto& one : page.at("data")) items.push_back(one);
  const auto stream = [](const Json& v) {
    const std::string ns = plain(v, "namespace");
    return ns.empty() ? plain(v, "name") : ns + "." + plain(v, "name");
  };
  print_list(
      items,
      {field("ID", "id"), Column("STREAM", stream), field("JOB", "jobId"),
       Column("KEY", [](const Json& v) { return v.contains("key") ? v["key"].dump() : std::string(); }),
       field("FIELD", "field"), field("TYPE", "type"), field("REASON", "reason"), field("VALUE", "value")},
      [](const Json& v) { return plain(v, "id"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> quarantine_show(Context& context, OptionsPtr o) {
  const Json connection = co_await context.client().find("connections", o->connection);
  const std::string path =
      "/v1/connections/" + plain(connection, "connectionId") + "/quarantine?limit=1&next=" + std::to_string(o->job - 1);
  const Json page = co_await context.client().get(path);
  const Json& data = page.at("data");
  if (data.empty() || plain(data.at(0), "id") != std::to_string(o->job))
    throw CommandError(kNotFound, "there is no value " + std::to_string(o->job) + " in the quarantine", "",
                       "List them with millrace quarantine list.", "cli.usage");
  print_object(data.at(0), std::to_string(o->job), context.globals.output);
  co_return kOk;
}

}  // namespace

void add_upkeep_commands(Tree& tree) {
  const auto add = [&tree](CLI::App& parent, const char* name, const char* description,
                           asio::awaitable<int> (*function)(Context&, OptionsPtr)) {
    auto o = std::make_shared<UpkeepOptions>();
    CLI::App* sub = parent.add_subcommand(name, description);
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };
  const auto add_job = [&](const char* name, const char* description,
                           asio::awaitable<int> (*function)(Context&, OptionsPtr)) {
    auto [sub, o] = add(tree.root, name, description, function);
    sub->add_option("connection", o->connection, "its name")->required();
    add_flag_value(sub, "--stream", o->streams,
                   "only this stream, as name or namespace.name (may be given several times)");
    add_switch(sub, "--wait", o->wait, "follow it to its end; exit code 1 if it failed");
    return std::pair(sub, o);
  };
  {
    auto [sub, o] =
        add_job("refresh", "Read streams again whole; the old rows are there until the new ones are", &refresh);
    add_switch(sub, "--keep", o->keep, "the rows that are there stay beside the new ones");
    add_switch(sub, "--dry-run", o->dry_run, "say what would be done, and do nothing");
  }
  add_job("clear", "Remove the rows of streams at the destination, and their state", &clear);
  {
    auto [sub, o] = add_job("backfill", "Read a window of streams again, beside the normal flow", &backfill);
    add_flag_value(sub, "--from", o->from, "the window's first value");
    add_flag_value(sub, "--to", o->to, "the first value behind the window");
    add_flag_value(sub, "--field", o->field, "the field of the window; the cursor by default");
    add_flag_value(sub, "--filter", o->filter, "a condition that the rows fit, such as \"status = 'open'\"");
    add_switch(sub, "--dry-run", o->dry_run, "say what would be done, and do nothing");
  }
  {
    auto [sub, o] = add(tree.root, "undo", "Take back what a job has loaded, where that can be done", &undo);
    sub->add_option("job", o->job, "its number")->required();
    add_flag_value(sub, "--stream", o->streams, "only this stream, as name or namespace.name");
    add_switch(sub, "--wait", o->wait, "follow it to its end; exit code 1 if it failed");
  }
  CLI::App* quarantine = tree.root.add_subcommand("quarantine", "Values that did not fit their type");
  quarantine->require_subcommand(1);
  {
    auto [sub, o] = add(*quarantine, "list", "List them, oldest first", &quarantine_list);
    sub->add_option("connection", o->connection, "its name")->required();
    add_flag_value(sub, "--stream", o->stream, "only of this stream, as namespace.name");
    add_flag_value(sub, "--limit", o->limit, "at most so many (100)")->check(CLI::Range(1, 10'000));
  }
  {
    auto [sub, o] = add(*quarantine, "show", "Show one of them", &quarantine_show);
    sub->add_option("connection", o->connection, "its name")->required();
    sub->add_option("id", o->job, "its number, as the list has it")->required()->check(CLI::Range(1LL, (1LL << 62)));
  }
}

}  // namespace millrace::cli
