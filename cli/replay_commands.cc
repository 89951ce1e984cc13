// replay JOB, workflow verify, workflow step: past executions done again, checked, and walked event by event.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/job_wait.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct ReplayOptions {
  ReplayOptions() = default;
  std::int64_t job_id = 0;
  std::string mode, to, step, reason;
  std::vector<std::string> streams, files;
  bool wait = false;
  std::string id, run, type, since;
  std::int64_t event = 0;
};
using OptionsPtr = std::shared_ptr<ReplayOptions>;

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}

constexpr const char* kDivergenceHint =
    "Bring back the old order of steps, put the change behind patched(), or reset the execution to a point before it.";

// ---- replay JOB ----

int print_verified(Context& context, const std::string& what, const Json& report) {
  const Json divergence = report.value("divergence", Json());
  if (!for_people(context)) {
    print_object(report, what, context.globals.output);
  } else if (divergence.is_null()) {
    std::cout << what << ": " << plain(report, "eventsChecked") << " events checked, the code of today decides the same"
              << (report.value("openEnd", false) ? " (it is open: as far as its history goes)\n" : "\n");
  }
  if (divergence.is_null()) return kOk;
  print_error(what + ": today's code decides differently than the history at event " + plain(divergence, "eventId"),
              "history: " + plain(divergence, "expected") + "\n  code:    " + plain(divergence, "got") +
                  "\n  after:   " + plain(divergence, "position"),
              kDivergenceHint, "");
  return kFailed;
}

asio::awaitable<int> replay(Context& context, OptionsPtr o) {
  Json body = Json::object({{"mode", o->mode}});
  if (o->mode == "reset" && o->to.empty() == o->step.empty())
    throw CommandError(kUsage, "where to is not said", "a reset needs one of --to and --step", "", "cli.usage");
  if (!o->step.empty()) body["step"] = o->step == "last-failed-step" ? "lastFailedStep" : o->step;
  if (o->to == "last-failed-step") {
    body["step"] = "lastFailedStep";
  } else if (!o->to.empty()) {
    if (o->to.find_first_not_of("0123456789") != std::string::npos || o->to.size() > 15)
      throw CommandError(kUsage, "--to is neither an event id nor last-failed-step", o->to, "", "cli.usage");
    body["eventId"] = std::stoll(o->to);
  }
  for (const std::string& stream : o->streams) {
    Json one = Json::object();
    const auto dot = stream.find('.');
    if (dot != std::string::npos) one["namespace"] = stream.substr(0, dot);
    one["name"] = dot == std::string::npos ? stream : stream.substr(dot + 1);
    body["streams"].push_back(std::move(one));
  }
  if (!o->reason.empty()) body["reason"] = o->reason;
  Json answer = co_await context.client().post("/v1/jobs/" + std::to_string(o->job_id) + "/replay", body.dump());
  if (o->mode == "verify") co_return print_verified(context, "job " + std::to_string(o->job_id), answer);
  co_return co_await show_started_job(context, std::move(answer), o->wait);
}

// ---- workflow verify ----

// A time as it is, or how long ago: 90s, 30m, 12h, 7d.
std::string since_text(Context& context, const std::string& text) {
  const auto end = text.find_first_not_of("0123456789");
  if (end == 0 || end == std::string::npos || end + 1 != text.size() || text.size() > 10) return text;
  const long long n = std::stoll(text);
  Duration ago = std::chrono::seconds(n);
  switch (text.back()) {
    case 's':
      break;
    case 'm':
      ago *= 60;
      break;
    case 'h':
      ago *= 3'600;
      break;
    case 'd':
      ago *= 86'400;
      break;
    default:
      return text;
  }
  return format_time(context.runtime.now() - ago);
}

int print_all_verified(Context& context, const Json& report) {
  const bool agrees = plain(report, "diverged") == "0";
  if (!for_people(context)) {
    print_object(report, agrees ? "agrees" : "diverges", context.globals.output);
    return agrees ? kOk : kFailed;
  }
  std::cout << plain(report, "runs") << " executions (" << plain(report, "openRuns") << " open), "
            << plain(report, "eventsChecked") << " events checked: "
            << (agrees ? "the code of today decides the same\n" : plain(report, "diverged") + " differ\n");
  for (const Json& run : report.at("divergences")) {
    const Json& d = run.at("divergence");
    std::cout << fmt::format("\n{} (run {}, {}) at event {}\n  history: {}\n  code:    {}\n  after:   {}\n",
                             plain(run, "workflowId"), plain(run, "runId"), plain(run, "type"), plain(d, "eventId"),
                             plain(d, "expected"), plain(d, "got"), plain(d, "position"));
  }
  if (!agrees) print_error("today's code does not agree with every history", "", kDivergenceHint, "");
  return agrees ? kOk : kFailed;
}

asio::awaitable<int> verify_all(Context& context, OptionsPtr o) {
  std::string path = "/v1/workflows/verify?follow=true";
  if (!o->type.empty()) path += "&type=" + url_encode(o->type);
  if (!o->since.empty()) path += "&since=" + url_encode(since_text(context, o->since));
  const bool shows = for_people(context) && isatty(STDERR_FILENO) == 1;
  Json report;
  const auto take = [&report, shows](const std::string& event, const std::string& data) {
    Json now = Json::parse(data);
    if (shows && event == "progress")
      std::cerr << "\r" << plain(now, "runs") << " executions, " << plain(now, "eventsChecked") << " events, "
                << plain(now, "diverged") << " differ " << std::flush;
    if (event == "end") {
      report = std::move(now);
      if (shows) std::cerr << "\r\033[K";
    }
  };
  co_await context.client().follow(path, take);
  if (report.is_null())
    throw CommandError(kFailed, "the server ended before all histories were checked", "",
                       "Run it again; nothing was changed.", "");
  co_return print_all_verified(context, report);
}

asio::awaitable<int> verify(Context& context, OptionsPtr o) {
  const int named =
      (o->id.empty() ? 0 : 1) + (o->files.empty() ? 0 : 1) + (o->type.empty() && o->since.empty() ? 0 : 1);
  if (named != 1)
    throw CommandError(kUsage, "what to verify is not said", "give a workflow id, or --file, or --type and --since", "",
                       "cli.usage");
  if (o->id.empty() && o->files.empty()) co_return co_await verify_all(context, o);
  if (o->files.empty()) {
    std::string path = "/v1/workflows/" + url_encode(o->id) + "/verify";
    if (!o->run.empty()) path += "?runId=" + url_encode(o->run);
    const Json report = co_await context.client().get(path);
    co_return print_verified(context, o->id, report);
  }
  int code = kOk;
  for (const std::string& file : o->files) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) throw CommandError(kUsage, "the file can't be read", file, "", "cli.file_invalid");
    const Json report = co_await context.client().post("/v1/workflows/verify", text.str());
    if (print_verified(context, file, report) != kOk) code = kFailed;
  }
  co_return code;
}

// ---- workflow step ----

void print_events(const char* title, const Json& events) {
  if (events.empty()) return;
  std::cout << title << '\n';
  for (const Json& event : events) {
    std::string attributes =
        event.value("attributes", Json::object()).dump(-1, ' ', false, Json::error_handler_t::replace);
    if (attributes.size() > 110) attributes = attributes.substr(0, 107) + "…";
    std::cout << fmt::format("  {:>5}  {:<34} {}\n", plain(event, "id"), plain(event, "type"), attributes);
  }
}

void print_view(const Json& view) {
  std::cout << fmt::format("{}, run {}: {} of {} events consumed\n", plain(view, "workflowId"), plain(view, "runId"),
                           plain(view, "upTo"), plain(view, "historyLength"));
  std::cout << "code is behind: " << plain(view, "position") << '\n';
  print_events("wakes the code:", view.at("news"));
  const std::uint64_t up_to = view.at("upTo").get<std::uint64_t>();
  if (!view.at("commands").empty()) {
    std::cout << "the code then asks for:\n";
    for (const Json& command : view.at("commands")) {
      const Json id = command.value("recordedEventId", Json());
      const char* mark = "+";  // the history holds nothing there
      if (!id.is_null()) mark = !command.value("agrees", false) ? "≠" : id.get<std::uint64_t>() <= up_to ? "✓" : "=";
      std::cout << fmt::format("  {:>5} {} {}\n", id.is_null() ? std::string() : plain(id), mark,
                               plain(command, "text"));
    }
  } else if (view.value("ended", false)) {
    std::cout << "the code has come to its end\n";
  } else {
    std::cout << "the code asks for nothing more now\n";
  }
  print_events("the history goes on with:", view.at("recorded"));
  if (!view.at("waits").empty()) {
    std::cout << "it then waits for:";
    for (const Json& wait : view.at("waits")) std::cout << "  " << plain(wait, "kind") << " " << plain(wait, "name");
    std::cout << '\n';
  }
  if (const Json d = view.value("divergence", Json()); !d.is_null())
    std::cout << fmt::format("DIFFERS at event {}:\n  history: {}\n  code:    {}\n", plain(d, "eventId"),
                             plain(d, "expected"), plain(d, "got"));
}

// Reads what to do next; 0: to end. `at` is where it is.
asio::awaitable<std::int64_t> ask_where(Context& context, std::int64_t at, std::int64_t last) {
  for (;;) {
    std::cout << fmt::format("\n[{} of {}] n: next, p: previous, NUMBER, q: quit > ", at, last) << std::flush;
    std::string line;
    auto read = [&line] { return static_cast<bool>(std::getline(std::cin, line)); };
    const bool there = co_await context.runtime.blocking(read);
    if (!there || line == "q") co_return 0;
    if (line.empty() || line == "n") {
      if (at < last) co_return at + 1;
      std::cout << "the history ends here\n";
    } else if (line == "p") {
      if (at > 1) co_return at - 1;
    } else if (line.find_first_not_of("0123456789") == std::string::npos && line.size() < 16) {
      const std::int64_t to = std::stoll(line);
      if (to >= 1 && to <= last) co_return to;
    }
  }
}

asio::awaitable<int> step(Context& context, OptionsPtr o) {
  const bool asks = for_people(context) && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  std::int64_t at = o->event != 0 ? o->event : asks ? 1 : 0;
  for (;;) {
    std::string path = "/v1/workflows/" + url_encode(o->id) + "/replay?";
    if (!o->run.empty()) path += "runId=" + url_encode(o->run) + "&";
    if (at != 0) path += "upTo=" + std::to_string(at);
    const Json view = co_await context.client().get(path);
    if (!for_people(context))
      print_object(view, o->id, context.globals.output);
    else
      print_view(view);
    if (!asks) co_return view.value("divergence", Json()).is_null() ? kOk : kFailed;
    o->run = plain(view, "runId");  // it stays with this one
    at = co_await ask_where(context, view.at("upTo").get<std::int64_t>(), view.at("historyLength").get<std::int64_t>());
    if (at == 0) co_return kOk;
    std::cout << '\n';
  }
}

}  // namespace

void add_replay_commands(Tree& tree) {
  {
    auto o = std::make_shared<ReplayOptions>();
    CLI::App* sub =
        tree.root.add_subcommand("replay", "Replay a past job: check it, do it again, or go on from a point");
    sub->add_option("job", o->job_id, "its number")->required();
    add_flag_value(
        sub, "--mode", o->mode,
        "verify: run today's code against its history, without effect; rerun: do it again with the "
        "configuration and starting state of then; reset: go on from a point of its history; redeliver: send "
        "its very rows again")
        ->required()
        ->check(CLI::IsMember({"verify", "rerun", "reset", "redeliver"}));
    add_flag_value(sub, "--to", o->to, "reset: the last event that is kept, or last-failed-step");
    add_flag_value(sub, "--step", o->step, "reset: a step that is done again, such as sync or normalize");
    add_flag_value(sub, "--stream", o->streams, "rerun: only this stream (may be given several times)");
    add_flag_value(sub, "--reason", o->reason, "kept in the history of the new job");
    add_switch(sub, "--wait", o->wait, "follow the new job to its end; exit code 1 if it failed");
    sub->callback([&tree, o] { tree.action = [o](Context& c) { return replay(c, o); }; });
  }
  CLI::App* workflow = tree.root.get_subcommand("workflow");
  {
    auto o = std::make_shared<ReplayOptions>();
    CLI::App* sub = workflow->add_subcommand(
        "verify", "Run today's code against past histories, without any effect; exit code 1 if one differs");
    sub->add_option("workflow", o->id, "one execution, by its workflow id");
    add_flag_value(sub, "--run", o->run, "a run of it; the current one by default");
    add_flag_value(sub, "--type", o->type, "all executions of this type");
    add_flag_value(sub, "--since", o->since,
                   "only those that began then or later: a time, or how long ago, such as 7d");
    add_flag_value(sub, "--file", o->files,
                   "an exported history (workflow show ID -o jsonl); may be given several times");
    sub->callback([&tree, o] { tree.action = [o](Context& c) { return verify(c, o); }; });
  }
  {
    auto o = std::make_shared<ReplayOptions>();
    CLI::App* sub = workflow->add_subcommand(
        "step", "Walk an execution event by event and see what its code does next; on a terminal with n and p");
    sub->add_option("workflow", o->id, "its workflow id")->required();
    add_flag_value(sub, "--run", o->run, "a run of it; the current one by default");
    add_flag_value(sub, "--to", o->event, "id of the last event that is consumed")->check(CLI::PositiveNumber);
    sub->callback([&tree, o] { tree.action = [o](Context& c) { return step(c, o); }; });
  }
}

}  // namespace millrace::cli
