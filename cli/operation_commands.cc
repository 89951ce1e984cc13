// doctor, backup, restore, workflow resume: the care of a server and its store.
#include "cli/operation_commands.h"

#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/serve/offline.h"

namespace millrace::cli {
namespace {

using api::client::url_encode;

bool for_people(const Globals& globals) {
  return globals.output.empty() || globals.output == "table" || globals.output == "wide";
}

std::string fault_line(const Json& fault) {
  std::string who = plain(fault, "workflowId");
  if (const std::string run = plain(fault, "runId"); !run.empty()) who += (who.empty() ? "run " : " run ") + run;
  return "      " + plain(fault, "check") + ": " + (who.empty() ? "" : who + ": ") + plain(fault, "detail");
}

// What can be seen from outside: does it answer, is it ready, is the token good, is anything stuck.
asio::awaitable<int> doctor(Context& context) {
  bool well = true;
  const auto line = [&well](bool ok, const std::string& text) {
    std::cout << (ok ? "ok    " : "FAULT ") << text << '\n';
    well = well && ok;
  };
  const Json about = co_await context.client().get("/version");
  line(true, "server " + context.client().server() + " answers, version " + plain(about, "version"));
  if (plain(about, "version") != MILLRACE_VERSION) line(false, "this command line is version " MILLRACE_VERSION);
  std::string readiness;
  bool ready = true;
  try {
    readiness = co_await context.client().get_text("/readyz?verbose");
  } catch (const api::client::Problem& problem) {
    ready = false;
    readiness = "not ready";
  }
  while (!readiness.empty() && readiness.back() == '\n') readiness.pop_back();
  for (auto at = readiness.find('\n'); at != std::string::npos; at = readiness.find('\n', at))
    readiness.replace(at, 1, "; ");
  line(ready, readiness);
  const std::vector<Json> sources = co_await context.client().all("/v1/sources");
  const std::vector<Json> destinations = co_await context.client().all("/v1/destinations");
  const std::vector<Json> connections = co_await context.client().all("/v1/connections");
  line(true, "the token is good; " + std::to_string(sources.size()) + " sources, " +
                 std::to_string(destinations.size()) + " destinations, " + std::to_string(connections.size()) +
                 " connections");
  const std::vector<Json> running =
      co_await context.client().all("/v1/workflows?query=" + api::client::url_encode("Status = 'Running'"));
  int blocked = 0;
  for (const Json& e : running) blocked += e.value("blocked", false) ? 1 : 0;
  line(blocked == 0,
       std::to_string(running.size()) + " executions run, " + std::to_string(blocked) + " of them blocked");
  const Json store = co_await context.client().get("/v1/doctor");
  line(store.value("faultCount", 0) == 0, plain(store, "summary"));
  for (const Json& fault : store.value("faults", Json::array())) std::cout << fault_line(fault) << '\n';
  co_return well ? kOk : kFailed;
}

// The store of a server that is stopped.
int doctor_offline(const Globals& globals) {
  const Json report =
      Json::parse(serve::examine_store(globals.data_dir.empty() ? default_data_dir() : globals.data_dir));
  if (for_people(globals)) {
    std::cout << (report.value("faultCount", 0) == 0 ? "ok    " : "FAULT ") << plain(report, "summary") << '\n';
    for (const Json& fault : report.value("faults", Json::array())) std::cout << fault_line(fault) << '\n';
  } else {
    print_object(report, plain(report, "faultCount"), globals.output);
  }
  return report.value("faultCount", 0) == 0 ? kOk : kFailed;
}

struct BackupOptions {
  BackupOptions() = default;
  std::string directory;
  bool include_secret_key = false;
  std::uint32_t id = 0;
};

asio::awaitable<int> backup(Context& context, std::shared_ptr<BackupOptions> o) {
  Json body = Json::object();
  // The server's directory, which is this host's too in the usual case.
  body["directory"] = std::filesystem::absolute(o->directory).lexically_normal().string();
  if (o->include_secret_key) body["includeSecretKey"] = true;
  const Json made = co_await context.client().post("/v1/backups", body.dump());
  if (for_people(context.globals)) {
    std::cout << fmt::format("backup {} in {}: {} bytes in {} files, {} the key of the stored secrets\n",
                             plain(made, "backupId"), plain(made, "directory"), plain(made, "bytes"),
                             plain(made, "files"), made.value("secretKey", false) ? "with" : "without");
  } else {
    print_object(made, plain(made, "backupId"), context.globals.output);
  }
  co_return kOk;
}

int restore(const Globals& globals, const BackupOptions& o) {
  const std::string data_dir = globals.data_dir.empty() ? default_data_dir() : globals.data_dir;
  if (!globals.yes && serve::holds_data(data_dir)) {
    throw CommandError(kUsage, "consent is missing",
                       data_dir + " is not empty: what its store holds would be replaced; nothing was done",
                       "Name an empty directory, or pass --yes if this is what you want.", "cli.consent_missing");
  }
  const serve::Restored restored = serve::restore(o.directory, o.id, data_dir);
  Json out = Json::object();
  out["backupId"] = restored.id;
  out["dataDir"] = data_dir;
  out["bytes"] = restored.bytes;
  out["secretKey"] = restored.has_secret_key;
  if (!for_people(globals)) {
    print_object(out, std::to_string(restored.id), globals.output);
  } else {
    std::cout << fmt::format("restored backup {} to {}: {} bytes\n", restored.id, data_dir, restored.bytes);
    if (!restored.has_secret_key)
      std::cout << "The key of the stored secrets is not in the backup: put secret.key into " << data_dir
                << " before the server starts, or its sources and destinations can't be opened.\n";
  }
  return kOk;
}

struct ResumeOptions {
  ResumeOptions() = default;
  std::string id, run;
};

asio::awaitable<int> resume(Context& context, std::shared_ptr<ResumeOptions> o) {
  std::string path = "/v1/workflows/" + url_encode(o->id) + "/resume";
  if (!o->run.empty()) path += "?runId=" + url_encode(o->run);
  const Json answer = co_await context.client().post(path, "{}");
  if (for_people(context.globals)) {
    std::cout << o->id << " is no longer set aside\n";
  } else {
    print_object(answer, o->id, context.globals.output);
  }
  co_return kOk;
}

}  // namespace

void add_operation_commands(Tree& tree, const Globals& globals, std::function<int()>& direct) {
  auto offline = std::make_shared<bool>(false);
  CLI::App* sub = tree.root.add_subcommand("doctor", "Look whether the server is well and its store holds together");
  add_switch(sub, "--offline", *offline, "look at the store of a server that is stopped (--data-dir)");
  sub->callback([&tree, &globals, &direct, offline] {
    if (*offline)
      direct = [&globals] { return doctor_offline(globals); };
    else
      tree.action = [](Context& c) { return doctor(c); };
  });

  auto options = std::make_shared<BackupOptions>();
  sub = tree.root.add_subcommand("backup",
                                 "Back up the server's store to a directory; again, only what is new is copied");
  sub->add_option("directory", options->directory, "on the server's host; made if it is missing")->required();
  add_switch(sub, "--include-secret-key", options->include_secret_key, "put the key of the stored secrets beside it");
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return backup(c, options); }; });

  options = std::make_shared<BackupOptions>();
  sub = tree.root.add_subcommand("restore",
                                 "Make a data directory (--data-dir) what a backup holds; the server is stopped");
  sub->add_option("directory", options->directory, "that `millrace backup` has written")->required();
  add_flag_value(sub, "--id", options->id, "which backup of it; the latest by default");
  sub->callback([&globals, &direct, options] { direct = [&globals, options] { return restore(globals, *options); }; });

  auto aside = std::make_shared<ResumeOptions>();
  sub = tree.root.get_subcommand("workflow")
            ->add_subcommand("resume", "Go on with an execution that was set aside after crashes of the server");
  sub->add_option("workflow", aside->id, "its workflow id")->required();
  add_flag_value(sub, "--run", aside->run, "a run of it; the current one by default");
  sub->callback([&tree, aside] { tree.action = [aside](Context& c) { return resume(c, aside); }; });
}

}  // namespace millrace::cli
