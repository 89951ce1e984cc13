// workflow reset|pause|unpause and workflow activity VERB: what a person does to an execution.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct OperatorOptions {
  OperatorOptions() = default;
  std::string id, run, reason, request_id;
  std::string to, step, point, children, reapply;
  int occurrence = 0;
  std::string activity, verb, result, failure, options;
  bool reset_heartbeat = false;
};
using OptionsPtr = std::shared_ptr<OperatorOptions>;

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}

std::string path_of(const OperatorOptions& o, const std::string& rest) {
  std::string path = "/v1/workflows/" + url_encode(o.id) + rest;
  if (!o.run.empty()) path += "?runId=" + url_encode(o.run);
  return path;
}

Json json_option(const std::string& text, const char* flag) {
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded())
    throw CommandError(kUsage, std::string(flag) + " is not JSON", text.substr(0, 200), "", "cli.usage");
  return value;
}

asio::awaitable<int> reset(Context& context, OptionsPtr o) {
  if (o->to.empty() == o->step.empty())
    throw CommandError(kUsage, "where to is not said", "give one of --to and --step", "", "cli.usage");
  Json body = Json::object();
  if (!o->step.empty()) {
    body["step"] = o->step;
  } else if (o->to.find_first_not_of("0123456789") == std::string::npos && o->to.size() < 16) {
    body["eventId"] = std::stoll(o->to);
  } else if (o->to == "first-turn" || o->to == "last-turn" || o->to == "last-failed-step") {
    body["to"] = o->to == "first-turn" ? "firstTurn" : o->to == "last-turn" ? "lastTurn" : "lastFailedStep";
  } else {
    body["time"] = o->to;
  }
  if (o->occurrence > 0) body["occurrence"] = o->occurrence;
  for (const auto& [name, value] :
       {std::pair("point", &o->point), std::pair("children", &o->children), std::pair("reapply", &o->reapply),
        std::pair("reason", &o->reason), std::pair("requestId", &o->request_id)})
    if (!value->empty()) body[name] = *value;
  const Json answer = co_await context.client().post(path_of(*o, "/reset"), body.dump());
  if (for_people(context))
    std::cout << fmt::format("{} goes on behind event {} (run {})\n", o->id, plain(answer, "keptEventId"),
                             plain(answer, "runId"));
  else
    print_object(answer, plain(answer, "runId"), context.globals.output);
  co_return kOk;
}

asio::awaitable<int> pause(Context& context, OptionsPtr o, bool paused) {
  Json body = Json::object();
  if (!o->reason.empty()) body["reason"] = o->reason;
  const Json answer = co_await context.client().post(path_of(*o, paused ? "/pause" : "/unpause"), body.dump());
  if (for_people(context))
    std::cout << o->id << (paused ? " is paused\n" : " goes on\n");
  else
    print_object(answer, o->id, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> activity(Context& context, OptionsPtr o) {
  Json body = Json::object();
  if (o->verb == "complete") {
    if (!o->result.empty()) body["result"] = json_option(o->result, "--result");
  } else if (o->verb == "fail") {
    if (!o->failure.empty())
      body["failure"] = json_option(o->failure, "--failure");
    else
      body["failure"] = Json::object({{"type", "FailedByHand"}, {"message", o->reason}});
  } else if (o->verb == "options") {
    if (o->options.empty()) throw CommandError(kUsage, "--options is missing", "", "", "cli.usage");
    body = json_option(o->options, "--options");
  } else {
    if (!o->reason.empty()) body["reason"] = o->reason;
    if (o->verb == "reset" && o->reset_heartbeat) body["resetHeartbeat"] = true;
  }
  const Json answer = co_await context.client().post(
      path_of(*o, "/activities/" + url_encode(o->activity) + "/" + o->verb), body.dump());
  if (for_people(context)) {
    std::string status;
    for (const Json& step : answer.value("steps", Json::array()))
      if (plain(step, "activityId") == o->activity)
        status = plain(step, "status") + (step.value("paused", false) ? ", paused" : "");
    std::cout << o->activity << ": " << (status.empty() ? "done" : status) << '\n';
  } else {
    print_object(answer, o->id, context.globals.output);
  }
  co_return kOk;
}

}  // namespace

void add_operator_commands(Tree& tree) {
  CLI::App* workflow = tree.root.get_subcommand("workflow");
  const auto add = [&tree, workflow](const char* name, const char* description, auto function) {
    auto o = std::make_shared<OperatorOptions>();
    CLI::App* sub = workflow->add_subcommand(name, description);
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };
  const auto add_workflow = [](CLI::App* sub, const OptionsPtr& o) {
    sub->add_option("workflow", o->id, "its workflow id")->required();
    add_flag_value(sub, "--run", o->run, "a run of it; the current one by default");
    add_flag_value(sub, "--reason", o->reason, "kept in its history");
  };
  {
    auto [sub, o] = add("reset", "Begin a new run with the history up to an event or step", &reset);
    add_workflow(sub, o);
    add_flag_value(sub, "--to", o->to, "an event id, first-turn, last-turn, last-failed-step, or a time");
    add_flag_value(sub, "--step", o->step, "a step, by its id or its type");
    add_flag_value(sub, "--occurrence", o->occurrence, "which of that type (1)");
    add_flag_value(sub, "--point", o->point, "before or after: whether the step or event is kept")
        ->check(CLI::IsMember({"before", "after"}));
    add_flag_value(sub, "--children", o->children, "adopt (default), terminate or abandon")
        ->check(CLI::IsMember({"adopt", "terminate", "abandon"}));
    add_flag_value(sub, "--reapply", o->reapply, "what came later: all (default), none, signals or updates")
        ->check(CLI::IsMember({"all", "none", "signals", "updates"}));
    add_flag_value(sub, "--request-id", o->request_id, "the same one resets nothing twice");
  }
  {
    auto [sub, o] = add("pause", "Let no turn run and no attempt start until unpause",
                        [](Context& c, OptionsPtr p) { return pause(c, p, true); });
    add_workflow(sub, o);
  }
  {
    auto [sub, o] =
        add("unpause", "Let a paused execution go on", [](Context& c, OptionsPtr p) { return pause(c, p, false); });
    add_workflow(sub, o);
  }
  {
    auto [sub, o] =
        add("activity", "Lend a pending step a hand: retry, pause, unpause, reset, complete, fail, options", &activity);
    sub->add_option("verb", o->verb, "retry, pause, unpause, reset, complete, fail or options")
        ->required()
        ->check(CLI::IsMember({"retry", "pause", "unpause", "reset", "complete", "fail", "options"}));
    add_workflow(sub, o);
    sub->add_option("activity", o->activity, "its activity id, such as work-3")->required();
    add_flag_value(sub, "--result", o->result, "complete: its result, as JSON");
    add_flag_value(sub, "--failure", o->failure, "fail: {type, message, details}, as JSON");
    add_flag_value(sub, "--options", o->options, "options: {timeouts, retryPolicy}, as JSON");
    add_switch(sub, "--reset-heartbeat", o->reset_heartbeat, "reset: forget the heartbeat's details too");
  }
}

}  // namespace millrace::cli
