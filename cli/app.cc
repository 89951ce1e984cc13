#include "cli/app.h"

#include <unistd.h>

#include <csignal>
#include <iostream>

#include "cli/command.h"
#include "cli/operation_commands.h"
#include "cli/server_command.h"

namespace millrace::cli {
namespace {

void add_globals(CLI::App& root, Globals& g) {
  CLI::App* app = &root;
  add_flag_value(app, "-o,--output", g.output, "table | wide | json | jsonl | yaml | name")
      ->check(CLI::IsMember({"table", "wide", "json", "jsonl", "yaml", "name"}));
  add_flag_value(app, "--server", g.server,
                 "URL of the server (found in the data directory, else http://127.0.0.1:8000)");
  add_flag_value(app, "--token", g.token, "token (found in the data directory)");
  add_flag_value(app, "--data-dir", g.data_dir, "data directory of the server ($XDG_STATE_HOME/millrace)");
  add_flag_value(app, "--ca-file", g.ca_file, "CA certificates to trust, PEM");
  add_switch(app, "--insecure", g.insecure, "don't check the server's certificate");
  add_flag_value(app, "--timeout", g.timeout_seconds, "seconds; exit code 6 when they have passed")
      ->check(CLI::Range(0.0, 1e9));
  add_switch(app, "-y,--yes", g.yes, "consent to what removes things");
}

// Also what is interrupted says so by its exit code; the server and copy have handlers of their own.
void end_on_interrupt(int) { ::_exit(kInterrupted); }

asio::awaitable<void> run_action(Context& context, const Action& action, int& code) { code = co_await action(context); }

int run_client(const Globals& globals, const Action& action) {
  std::signal(SIGINT, end_on_interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  RuntimeOptions options;
  options.pool_threads = 1;
  RealRuntime real(options);
  int code = kFailed;
  Context context(real.runtime());
  context.globals = globals;
  real.run_until_done(run_action(context, action, code));
  return code;
}

}  // namespace

std::string environment_name(const std::string& flags) {
  std::string name = "MILLRACE_";
  const auto at = flags.find("--");
  for (const char c : flags.substr(at + 2)) {
    if (c == ',') break;
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

int run(int argc, char** argv, const serve::Hooks& hooks) {
  CLI::App root("Millrace moves data between systems, and never loses its place.", "millrace");
  root.fallthrough();
  root.require_subcommand(1);
  root.get_formatter()->column_width(40);
  Globals globals;
  Tree tree(root);
  std::function<int()> direct;
  add_globals(root, globals);
  add_server_command(tree, globals, hooks, direct);
  add_copy_command(tree, globals, direct);
  add_config_commands(tree);
  add_resource_commands(tree);
  add_job_commands(tree);
  add_workflow_commands(tree);
  add_message_commands(tree);
  add_operator_commands(tree);
  add_replay_commands(tree);
  add_slot_commands(tree);
  add_state_commands(tree);
  add_upkeep_commands(tree);
  add_queue_commands(tree);
  add_schedule_commands(tree);
  add_admin_commands(tree);
  add_operation_commands(tree, globals, direct);
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return root.exit(e);  // --help
  } catch (const CLI::ParseError& e) {
    print_error(e.what(), "", "See millrace --help, or millrace COMMAND --help.", "cli.usage");
    return kUsage;
  }
  std::exception_ptr error;
  try {
    return direct ? direct() : run_client(globals, tree.action);
  } catch (...) {
    error = std::current_exception();
  }
  const int code = report(error);
  return tree.detailed_exit_code ? kFailed : code;
}

}  // namespace millrace::cli
