// state get|set|history: where the next job of a stream starts from.
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct StateOptions {
  StateOptions() = default;
  std::string connection, stream, state;
  bool none = false;
};
using OptionsPtr = std::shared_ptr<StateOptions>;

Json stream_name(const std::string& text) {
  Json out = Json::object();
  const auto dot = text.find('.');
  if (dot != std::string::npos) out["namespace"] = text.substr(0, dot);
  out["name"] = dot == std::string::npos ? text : text.substr(dot + 1);
  return out;
}

asio::awaitable<std::string> path_of(Context& context, OptionsPtr o) {
  const Json connection = co_await context.client().find("connections", o->connection);
  co_return "/v1/connections/" + plain(connection, "connectionId") + "/state";
}

std::string stream_of(const Json& s) {
  const std::string ns = plain(s, "namespace");
  return ns.empty() ? plain(s, "name") : ns + "." + plain(s, "name");
}

void print_states(Context& context, const Json& list) {
  std::vector<Json> states;
  for (const auto& s : list) states.push_back(s);
  print_list(states,
             {Column("STREAM", stream_of), field("REVISION", "revision"), field("JOB", "jobId"),
              field("AUTHOR", "author"), field("UPDATED", "updatedAt"),
              Column("STATE", [](const Json& s) { return s.contains("state") ? s["state"].dump() : std::string(); })},
             stream_of, context.globals.output);
}

asio::awaitable<int> get(Context& context, OptionsPtr o) {
  const std::string path = co_await path_of(context, o);
  const Json answer = co_await context.client().get(path);
  Json states = Json::array();
  const Json wanted = o->stream.empty() ? Json() : stream_name(o->stream);
  for (const auto& s : answer.at("streams"))
    if (wanted.is_null() || (plain(s, "name") == plain(wanted, "name") &&
                             (!wanted.contains("namespace") || plain(s, "namespace") == plain(wanted, "namespace"))))
      states.push_back(s);
  print_states(context, states);
  co_return kOk;
}

asio::awaitable<int> set(Context& context, OptionsPtr o) {
  if (o->none == !o->state.empty())
    throw CommandError(kUsage, "give either --state or --none", "", "--none makes the next job read everything.",
                       "cli.usage");
  Json one = stream_name(o->stream);
  one["state"] = o->none ? Json() : Json::parse(o->state, nullptr, false);
  if (one["state"].is_discarded())
    throw CommandError(kUsage, "--state is not JSON", o->state.substr(0, 200), "", "cli.usage");
  Json body = Json::object();
  body["streams"] = Json::array({one});
  const std::string path = co_await path_of(context, o);
  const Json answer = co_await context.client().put(path, body.dump());
  print_states(context, answer.at("streams"));
  co_return kOk;
}

asio::awaitable<int> history(Context& context, OptionsPtr o) {
  const Json name = stream_name(o->stream);
  std::string path = co_await path_of(context, o);
  path += "/history?namespace=" + url_encode(plain(name, "namespace")) + "&name=" + url_encode(plain(name, "name"));
  const Json answer = co_await context.client().get(path);
  print_states(context, answer.at("data"));
  co_return kOk;
}

}  // namespace

void add_state_commands(Tree& tree) {
  CLI::App* state = tree.root.add_subcommand("state", "Where the next job of each stream starts from");
  state->require_subcommand(1);
  const auto add = [&](const char* verb, const char* description, bool stream_needed,
                       asio::awaitable<int> (*function)(Context&, OptionsPtr)) {
    auto o = std::make_shared<StateOptions>();
    CLI::App* sub = state->add_subcommand(verb, description);
    sub->add_option("connection", o->connection, "its name or id")->required();
    auto* stream = add_flag_value(sub, "--stream", o->stream, "a stream, as namespace.name");
    if (stream_needed) stream->required();
    sub->callback([&tree, o, function] { tree.action = [o, function](Context& c) { return function(c, o); }; });
    return std::pair(sub, o);
  };
  add("get", "Show the state of each stream", false, &get);
  {
    auto [sub, o] = add("set", "Put another state in a stream's place, as a new revision", true, &set);
    add_flag_value(sub, "--state", o->state, "the state, as JSON");
    add_switch(sub, "--none", o->none, "no state: the next job reads everything");
  }
  add("history", "Show the revisions of a stream's state, newest first", true, &history);
}

}  // namespace millrace::cli
