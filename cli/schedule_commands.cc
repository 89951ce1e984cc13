// schedule list|get|preview|trigger|toggle|backfill.
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct ScheduleOptions {
  ScheduleOptions() = default;
  std::string id, note, from, to, overlap, cron, zone, after;
  std::size_t count = 10;
};
using OptionsPtr = std::shared_ptr<ScheduleOptions>;

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}

// A schedule by its id, or by the name of the connection that it belongs to.
asio::awaitable<Json> find(Context& context, std::string id) {
  std::optional<Json> found;
  std::string connection;
  std::exception_ptr missing;
  try {
    found = co_await context.client().get("/v1/schedules/" + url_encode(id));
  } catch (const api::client::Problem& e) {
    if (e.status != 404) throw;
    missing = std::current_exception();
  }
  if (found) co_return std::move(*found);
  try {
    const Json one = co_await context.client().find("connections", id);
    connection = plain(one, "connectionId");
  } catch (const api::client::Problem& e) {
    if (e.status != 404) throw;
  }
  if (connection.empty()) std::rethrow_exception(missing);
  co_return co_await context.client().get("/v1/schedules/" + url_encode("connection-" + connection));
}

asio::awaitable<std::string> path_of(Context& context, std::string id, std::string verb) {
  const Json one = co_await find(context, std::move(id));
  co_return "/v1/schedules/" + url_encode(plain(one, "scheduleId")) + verb;
}

std::string first_time(const Json& item, const char* list, const char* name) {
  const auto it = item.find(list);
  return it == item.end() || it->empty() ? std::string() : plain(it->front(), name);
}

asio::awaitable<int> list(Context& context, OptionsPtr) {
  const auto items = co_await context.client().all("/v1/schedules");
  const std::vector<Column> columns = {
      field("SCHEDULE", "scheduleId"),
      Column("STATE", [](const Json& item) { return item.value("paused", false) ? "paused" : "active"; }),
      Column("NEXT", [](const Json& item) { return first_time(item, "nextRuns", "nominalTime"); }),
      Column("LAST", [](const Json& item) { return first_time(item, "recentRuns", "nominalTime"); }),
      Column("STATUS", [](const Json& item) { return first_time(item, "recentRuns", "status"); }),
      field("NOTE", "note", true)};
  print_list(items, columns, [](const Json& item) { return plain(item, "scheduleId"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> get(Context& context, OptionsPtr o) {
  const Json one = co_await find(context, o->id);
  print_object(one, plain(one, "scheduleId"), context.globals.output);
  co_return kOk;
}

asio::awaitable<int> preview(Context& context, OptionsPtr o) {
  Json answer;
  if (!o->cron.empty()) {
    Json body = {{"spec", {{"crons", {o->cron}}}}, {"count", o->count}};
    if (!o->zone.empty()) body["spec"]["timeZone"] = o->zone;
    if (!o->after.empty()) body["after"] = o->after;
    answer = co_await context.client().post("/v1/schedules/preview", body.dump());
  } else if (o->id.empty()) {
    throw CommandError(kUsage, "nothing to preview", "neither a schedule nor --cron is given",
                       "Name a schedule, or give --cron '0 3 * * *'.", "cli.usage");
  } else {
    std::string path = co_await path_of(context, o->id, "/preview?count=" + std::to_string(o->count));
    if (!o->after.empty()) path += "&after=" + url_encode(o->after);
    answer = co_await context.client().get(path);
  }
  std::vector<Json> items;
  for (const Json& one : answer.at("data")) items.push_back(one);
  print_list(
      items,
      {field("UTC", "nominalTime"), field("LOCAL", "localTime"), field("CLOCK", "localNote"),
       field("WITH JITTER", "time", true)},
      [](const Json& item) { return plain(item, "nominalTime"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> trigger(Context& context, OptionsPtr o) {
  Json body = Json::object();
  if (!o->overlap.empty()) body["overlapPolicy"] = o->overlap;
  const std::string path = co_await path_of(context, o->id, "/trigger");
  const Json answer = co_await context.client().post(path, body.dump());
  const std::string outcome = plain(answer, "outcome");
  if (!for_people(context)) {
    print_object(answer, plain(answer, "workflowId"), context.globals.output);
  } else if (outcome == "started") {
    std::cout << o->id << " has started " << plain(answer, "workflowId") << '\n';
  } else if (outcome == "waiting") {
    std::cout << o->id << " will start it when the run that is open has ended\n";
  } else {
    std::cout << o->id << " has started nothing: " << plain(answer, "detail") << '\n';
  }
  co_return outcome == "skipped" ? kConflict : kOk;
}

asio::awaitable<int> toggle(Context& context, OptionsPtr o) {
  const Json one = co_await find(context, o->id);
  const bool paused = one.value("paused", false);
  Json body = Json::object();
  if (!o->note.empty()) body["note"] = o->note;
  const Json answer = co_await context.client().post(
      "/v1/schedules/" + url_encode(plain(one, "scheduleId")) + (paused ? "/unpause" : "/pause"), body.dump());
  if (!for_people(context)) {
    print_object(answer, plain(answer, "scheduleId"), context.globals.output);
    co_return kOk;
  }
  if (paused)
    std::cout << o->id << " is active; next: " << first_time(answer, "nextRuns", "nominalTime") << '\n';
  else
    std::cout << o->id << " is paused\n";
  co_return kOk;
}

asio::awaitable<int> backfill(Context& context, OptionsPtr o) {
  Json body = {{"from", o->from}, {"to", o->to}};
  if (!o->overlap.empty()) body["overlapPolicy"] = o->overlap;
  const std::string path = co_await path_of(context, o->id, "/backfill");
  const Json answer = co_await context.client().post(path, body.dump());
  if (for_people(context))
    std::cout << o->id << " starts its times from " << o->from << " to " << o->to << '\n';
  else
    print_object(answer, plain(answer, "scheduleId"), context.globals.output);
  co_return kOk;
}

using Function = asio::awaitable<int> (*)(Context&, OptionsPtr);

}  // namespace

void add_schedule_commands(Tree& tree) {
  CLI::App* schedule = tree.root.add_subcommand("schedule", "Look at schedules, and act on them");
  schedule->require_subcommand(1);
  const auto add = [&tree, schedule](const char* verb, const char* description, Function function) {
    auto o = std::make_shared<ScheduleOptions>();
    CLI::App* sub = schedule->add_subcommand(verb, description);
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };
  const char* what = "its id, or the name of its connection";
  const auto overlaps =
      CLI::IsMember({"skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"});
  add("list", "List schedules with their next and last time", &list);
  {
    auto [sub, o] = add("get", "One schedule: next times, last runs, what was missed and why", &get);
    sub->add_option("schedule", o->id, what)->required();
  }
  {
    auto [sub, o] = add("preview", "The next times of a schedule, or of a cron line", &preview);
    sub->add_option("schedule", o->id, what);
    add_flag_value(sub, "--cron", o->cron, "a cron line instead of a schedule");
    add_flag_value(sub, "--time-zone", o->zone, "IANA name, with --cron (UTC)");
    add_flag_value(sub, "--after", o->after, "from this time on (now)");
    add_flag_value(sub, "--count", o->count, "how many (10)")->check(CLI::Range(1, 1'000));
  }
  {
    auto [sub, o] = add("trigger", "Start one run now", &trigger);
    sub->add_option("schedule", o->id, what)->required();
    add_flag_value(sub, "--overlap", o->overlap, "instead of the schedule's own overlap policy")->check(overlaps);
  }
  {
    auto [sub, o] = add("toggle", "Pause a schedule, or let it go on", &toggle);
    sub->add_option("schedule", o->id, what)->required();
    add_flag_value(sub, "--note", o->note, "why");
  }
  {
    auto [sub, o] = add("backfill", "Start the times of a past range, both ends included", &backfill);
    sub->add_option("schedule", o->id, what)->required();
    add_flag_value(sub, "--from", o->from, "first time, such as 2026-11-01T00:00:00Z")->required();
    add_flag_value(sub, "--to", o->to, "last time")->required();
    add_flag_value(sub, "--overlap", o->overlap, "buffer_all (one after the other) by default")->check(overlaps);
  }
}

}  // namespace millrace::cli
