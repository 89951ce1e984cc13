// workflow signal|query|update: messages to executions.
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct MessageOptions {
  MessageOptions() = default;
  std::string id, run, name, input, request_id, wait;
};
using OptionsPtr = std::shared_ptr<MessageOptions>;

bool for_people(const Context& context) {
  return context.globals.output.empty() || context.globals.output == "table" || context.globals.output == "wide";
}

std::string path_of(const MessageOptions& o, const std::string& verb) {
  std::string path = "/v1/workflows/" + url_encode(o.id) + "/" + verb;
  if (!o.run.empty()) path += "?runId=" + url_encode(o.run);
  return path;
}

Json body_of(const MessageOptions& o) {
  Json body = Json::object();
  body["name"] = o.name;
  if (!o.input.empty()) {
    body["input"] = Json::parse(o.input, nullptr, false);
    if (body["input"].is_discarded())
      throw CommandError(kUsage, "--input is not JSON", o.input.substr(0, 200), "", "cli.usage");
  }
  return body;
}

asio::awaitable<int> signal(Context& context, OptionsPtr o) {
  Json body = body_of(*o);
  if (!o->request_id.empty()) body["requestId"] = o->request_id;
  const Json answer = co_await context.client().post(path_of(*o, "signal"), body.dump());
  if (for_people(context)) {
    std::cout << o->id << " has the signal " << o->name << '\n';
  } else {
    print_object(answer, o->id, context.globals.output);
  }
  co_return kOk;
}

void print_result(Context& context, const Json& answer) {
  if (for_people(context)) {
    std::cout << answer.value("result", Json()).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print_object(answer, plain(answer, "updateId"), context.globals.output);
  }
}

asio::awaitable<int> query(Context& context, OptionsPtr o) {
  print_result(context, co_await context.client().post(path_of(*o, "query"), body_of(*o).dump()));
  co_return kOk;
}

asio::awaitable<int> update(Context& context, OptionsPtr o) {
  Json body = body_of(*o);
  if (!o->request_id.empty()) body["updateId"] = o->request_id;
  if (!o->wait.empty()) body["wait"] = o->wait;
  const Json answer = co_await context.client().post(path_of(*o, "update"), body.dump());
  if (for_people(context) && o->wait == "accepted") {
    std::cout << o->id << " has accepted the update " << plain(answer, "updateId") << '\n';
    co_return kOk;
  }
  print_result(context, answer);
  co_return kOk;
}

using Function = asio::awaitable<int> (*)(Context&, OptionsPtr);

}  // namespace

void add_message_commands(Tree& tree) {
  CLI::App* workflow = tree.root.get_subcommand("workflow");
  const auto add = [&tree, workflow](const char* verb, const char* description, const char* what, Function function) {
    auto o = std::make_shared<MessageOptions>();
    CLI::App* sub = workflow->add_subcommand(verb, description);
    sub->add_option("workflow", o->id, "its workflow id")->required();
    sub->add_option("name", o->name, what)->required();
    add_flag_value(sub, "--run", o->run, "a run of it; the current one by default");
    add_flag_value(sub, "--input", o->input, "what it carries, as JSON");
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };
  {
    auto [sub, o] = add("signal", "Send an execution a signal", "name of the signal", &signal);
    add_flag_value(sub, "--request-id", o->request_id, "the same one is taken once");
  }
  add("query", "Ask an execution's code; changes nothing", "name of the query", &query);
  {
    auto [sub, o] = add("update", "Send an execution a request and show its answer", "name of the update", &update);
    add_flag_value(sub, "--update-id", o->request_id, "the same one is done once and answered again");
    add_flag_value(sub, "--wait", o->wait, "accepted | completed (default): when to answer")
        ->check(CLI::IsMember({"accepted", "completed"}));
  }
}

}  // namespace millrace::cli
