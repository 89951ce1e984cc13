// workflow list|count|describe|show|start|result|cancel|terminate: executions, in Temporal's verbs.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct WorkflowOptions {
  WorkflowOptions() = default;
  std::string id, run, query, type, input, request_id, reason;
  bool follow = false, wait = false;
  int limit = 50;
};
using OptionsPtr = std::shared_ptr<WorkflowOptions>;

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}
std::string path_of(const WorkflowOptions& o, const std::string& rest = {}) {
  std::string path = "/v1/workflows/" + url_encode(o.id) + rest;
  if (!o.run.empty()) path += "?runId=" + url_encode(o.run);
  return path;
}
std::string with(std::string path, const std::string& parameter) {
  return path + (path.find('?') == std::string::npos ? "?" : "&") + parameter;
}

asio::awaitable<int> list(Context& context, OptionsPtr o) {
  std::string path = "/v1/workflows?limit=" + std::to_string(o->limit);
  if (!o->query.empty()) path += "&query=" + url_encode(o->query);
  Json page = co_await context.client().get(path);
  std::vector<Json> items;
  for (Json& item : page.at("data")) items.push_back(std::move(item));
  const std::vector<Column> columns = {
      Column("STATUS",
             [](const Json& e) { return plain(e, "status") + (e.value("blocked", false) ? " (blocked)" : ""); }),
      field("WORKFLOW", "workflowId"),
      field("TYPE", "type"),
      Column("STARTED", [](const Json& e) { return plain(e, "startTime").substr(0, 19); }),
      field("RUN", "runId", true),
      field("EVENTS", "historyLength", true)};
  print_list(items, columns, [](const Json& e) { return plain(e, "workflowId"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> count(Context& context, OptionsPtr o) {
  const Json answer = co_await context.client().get("/v1/workflows/count?query=" + url_encode(o->query));
  if (for_people(context)) {
    std::cout << plain(answer, "count") << '\n';
  } else {
    print_object(answer, plain(answer, "count"), context.globals.output);
  }
  co_return kOk;
}

asio::awaitable<int> describe(Context& context, OptionsPtr o) {
  const Json one = co_await context.client().get(path_of(*o));
  print_object(one, o->id, context.globals.output);
  co_return kOk;
}

void print_event(const Json& event, bool raw) {
  if (raw) {
    std::cout << event.dump() << '\n';
    return;
  }
  std::string attributes =
      event.value("attributes", Json::object()).dump(-1, ' ', false, Json::error_handler_t::replace);
  if (attributes.size() > 160) attributes = attributes.substr(0, 157) + "…";
  std::cout << fmt::format("{:>5}  {}  {:<34} {}\n", plain(event, "id"), plain(event, "time").substr(0, 23),
                           plain(event, "type"), attributes);
}

asio::awaitable<int> show(Context& context, OptionsPtr o) {
  const std::string form = context.globals.output;
  const bool raw = !for_people(context);
  if (o->follow) {
    const auto line = [raw](const std::string& event, const std::string& data) {
      if (event == "event") print_event(Json::parse(data), raw);
      std::cout << std::flush;
    };
    co_await context.client().follow(with(path_of(*o, "/history"), "follow=true"), line);
    co_return kOk;
  }
  std::vector<Json> events;
  std::string after = "0";
  for (;;) {
    Json page = co_await context.client().get(with(path_of(*o, "/history"), "limit=1000&after=" + after));
    for (Json& event : page.at("data")) events.push_back(std::move(event));
    if (page["data"].size() < 1'000) break;
    after = plain(events.back(), "id");
  }
  if (form == "json" || form == "yaml" || form == "name") {
    print_list(events, {}, [](const Json& e) { return plain(e, "type"); }, form);
  } else {
    if (form == "jsonl") {
      // Whose history it is, so that the file can be verified and taken in elsewhere.
      const Json one = co_await context.client().get(path_of(*o));
      Json header = Json::object({{"format", "millrace.history/1"}});
      for (const char* name : {"workflowId", "runId", "type", "status", "startTime", "closeTime"})
        if (one.contains(name) && !one[name].is_null()) header[name] = one[name];
      std::cout << header.dump() << '\n';
    }
    for (const Json& event : events) print_event(event, raw);
  }
  co_return kOk;
}

int outcome(Context& context, const Json& execution) {
  const std::string status = plain(execution, "status");
  if (for_people(context)) {
    std::cout << plain(execution, "workflowId") << " " << status << '\n';
    if (const std::string result = plain(execution, "result"); !result.empty()) std::cout << result << '\n';
  } else {
    print_object(execution, plain(execution, "workflowId"), context.globals.output);
  }
  if (status == "Completed") return kOk;
  if (status == "Running") return kTimedOut;
  const Json failure = execution.value("failure", Json());
  print_error("the workflow ended as " + status, failure.is_object() ? plain(failure, "message") : "", "",
              failure.is_object() ? plain(failure, "type") : "");
  return kFailed;
}

asio::awaitable<int> start(Context& context, OptionsPtr o) {
  Json body = Json::object();
  body["type"] = o->type;
  if (!o->id.empty()) body["workflowId"] = o->id;
  if (!o->request_id.empty()) body["requestId"] = o->request_id;
  if (!o->input.empty()) {
    body["input"] = Json::parse(o->input, nullptr, false);
    if (body["input"].is_discarded())
      throw CommandError(kUsage, "--input is not JSON", o->input.substr(0, 200), "", "cli.usage");
  }
  const Json answer =
      co_await context.client().post(o->wait ? "/v1/workflows?wait=true" : "/v1/workflows", body.dump());
  if (o->wait) co_return outcome(context, answer);
  if (for_people(context)) {
    std::cout << "started " << plain(answer, "workflowId") << " (run " << plain(answer, "runId") << ")\n";
  } else {
    print_object(answer, plain(answer, "workflowId"), context.globals.output);
  }
  co_return kOk;
}

asio::awaitable<int> result(Context& context, OptionsPtr o) {
  const MonoTime begun = context.runtime.mono();
  for (;;) {
    const Json execution = co_await context.client().get(path_of(*o));
    if (plain(execution, "status") != "Running") co_return outcome(context, execution);
    if (context.globals.timeout_seconds > 0 &&
        to_seconds(context.runtime.mono() - begun) > context.globals.timeout_seconds) {
      co_return outcome(context, execution);
    }
    co_await context.runtime.sleep_for(std::chrono::milliseconds(200));
  }
}

asio::awaitable<int> end(Context& context, OptionsPtr o, bool terminate) {
  if (terminate)
    context.need_consent("This ends the execution '" + o->id +
                         "' at once; no code of it runs any more and nothing is cleaned up.");
  const Json body = Json::object({{"reason", o->reason}});
  const Json answer = co_await context.client().post(path_of(*o, terminate ? "/terminate" : "/cancel"), body.dump());
  if (for_people(context)) {
    std::cout << o->id << (terminate ? " is terminated" : " is asked to end") << '\n';
  } else {
    print_object(answer, o->id, context.globals.output);
  }
  co_return kOk;
}

using Function = asio::awaitable<int> (*)(Context&, OptionsPtr);

}  // namespace

void add_workflow_commands(Tree& tree) {
  CLI::App* workflow = tree.root.add_subcommand(
      "workflow", "Executions: list, describe, show, start, result, signal, query, update, cancel, terminate");
  workflow->require_subcommand(1);
  const auto add = [&tree, workflow](const char* name, const char* description, bool needs_id, Function function) {
    auto o = std::make_shared<WorkflowOptions>();
    CLI::App* sub = workflow->add_subcommand(name, description);
    if (needs_id) {
      sub->add_option("workflow", o->id, "its workflow id")->required();
      add_flag_value(sub, "--run", o->run, "a run of it; the current one by default");
    }
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };

  for (const bool counted : {false, true}) {
    auto [sub, o] = counted ? add("count", "Count executions", false, &count)
                            : add("list", "List executions, newest first", false, &list);
    add_flag_value(sub, "--query", o->query, "such as: Status = 'Running' AND WorkflowType = 'sync'");
    if (!counted) add_flag_value(sub, "--limit", o->limit, "at most so many (50)")->check(CLI::Range(1, 10'000));
  }
  add("describe", "Show the status of an execution, its steps and attempts", true, &describe);
  {
    auto [sub, o] = add("show", "Show the history of an execution", true, &show);
    add_switch(sub, "-f,--follow", o->follow, "go on until it is closed");
  }
  {
    auto [sub, o] = add("start", "Start a workflow of any registered type", false, &start);
    sub->add_option("type", o->type, "its type")->required();
    add_flag_value(sub, "--id", o->id, "workflow id; a new one by default");
    add_flag_value(sub, "--input", o->input, "its input, as JSON");
    add_flag_value(sub, "--request-id", o->request_id, "the same one starts nothing twice");
    add_switch(sub, "--wait", o->wait, "wait for its end");
  }
  add("result", "Wait for the end of an execution and show its result", true, &result);
  {
    auto [sub, o] =
        add("cancel", "Ask an execution to end", true, [](Context& c, OptionsPtr p) { return end(c, p, false); });
    add_flag_value(sub, "--reason", o->reason, "kept in its history");
  }
  {
    auto [sub, o] = add("terminate", "End an execution at once; asks first", true,
                        [](Context& c, OptionsPtr p) { return end(c, p, true); });
    add_flag_value(sub, "--reason", o->reason, "kept in its history");
  }
}

}  // namespace millrace::cli
