// queue list|show|set: task queues.
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

struct QueueOptions {
  QueueOptions() = default;
  std::string name, concurrency, rate;
};
using OptionsPtr = std::shared_ptr<QueueOptions>;

std::string bound(const Json& q, const char* field) {
  const std::string text = plain(q, field);
  return text.empty() ? "-" : text;
}

asio::awaitable<int> list(Context& context) {
  const std::vector<Json> queues = co_await context.client().all("/v1/queues");
  print_list(
      queues,
      {field("QUEUE", "name"), field("RUNNING", "running"),
       Column("AT ONCE", [](const Json& q) { return bound(q, "concurrency"); }),
       Column("A SECOND", [](const Json& q) { return bound(q, "ratePerSecond"); }), field("WAITING", "waiting"),
       field("FOR WORKERS", "waitingForWorkers"), field("POLLERS", "pollers"),
       field("WAITING SINCE", "waitingSince", true)},
      [](const Json& q) { return plain(q, "name"); }, context.globals.output);
  co_return kOk;
}

asio::awaitable<int> show(Context& context, OptionsPtr o) {
  const Json one = co_await context.client().get("/v1/queues/" + url_encode(o->name));
  print_object(one, o->name, context.globals.output);
  co_return kOk;
}

// "none" or nothing: no bound.
Json number_of(const std::string& text, const char* flag) {
  if (text == "none") return nullptr;
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_number())
    throw CommandError(kUsage, std::string(flag) + " is no number", "'" + text + "'", "Write a number, or none.",
                       "cli.usage");
  return value;
}

asio::awaitable<int> set(Context& context, OptionsPtr o) {
  const std::string path = "/v1/queues/" + url_encode(o->name);
  Json body = Json::object();
  bool known = true;
  try {
    const Json now = co_await context.client().get(path);
    for (const char* field : {"concurrency", "ratePerSecond"})
      if (now.contains(field)) body[field] = now[field];
  } catch (const api::client::Problem& problem) {
    known = false;
    if (problem.status != 404) throw;
  }
  if (!o->concurrency.empty()) body["concurrency"] = number_of(o->concurrency, "--concurrency");
  if (!o->rate.empty()) body["ratePerSecond"] = number_of(o->rate, "--rate");
  const Json after = co_await context.client().put(path, body.dump());
  if (!known) std::cerr << "no step has used this queue so far\n";
  print_object(after, o->name, context.globals.output);
  co_return kOk;
}

}  // namespace

void add_queue_commands(Tree& tree) {
  CLI::App* queue = tree.root.add_subcommand("queue", "Task queues: what runs and waits, and their limits");
  queue->require_subcommand(1);
  CLI::App* sub = queue->add_subcommand("list", "List the queues that are configured or in use");
  sub->callback([&tree] { tree.action = [](Context& c) { return list(c); }; });
  auto o = std::make_shared<QueueOptions>();
  sub = queue->add_subcommand("show", "Show a queue: the lines of its fairness keys and the limit keys in use");
  sub->add_option("queue", o->name, "its name")->required();
  sub->callback([&tree, o] { tree.action = [o](Context& c) { return show(c, o); }; });
  o = std::make_shared<QueueOptions>();
  sub = queue->add_subcommand("set", "Set the limits of a queue until the server is started again");
  sub->add_option("queue", o->name, "its name")->required();
  add_flag_value(sub, "--concurrency", o->concurrency, "steps that run at once; 0: none is taken; none: no bound");
  add_flag_value(sub, "--rate", o->rate, "steps that start in a second; none: no bound");
  sub->callback([&tree, o] { tree.action = [o](Context& c) { return set(c, o); }; });
}

}  // namespace millrace::cli
