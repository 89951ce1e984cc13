// Building the command tree: CLI11 with our habits - an environment variable for each flag, one action a command.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/context.h"

namespace millrace::cli {

struct Tree {
  explicit Tree(CLI::App& r) : root(r) {}
  CLI::App& root;
  Action action;                    // of the command that was named
  bool detailed_exit_code = false;  // plan --detailed-exitcode: usage errors are 1
};

// "--min-free-disk" -> "MILLRACE_MIN_FREE_DISK"
std::string environment_name(const std::string& flags);

template <class T>
CLI::Option* add_flag_value(CLI::App* app, const std::string& flags, T& value, const std::string& description) {
  return app->add_option(flags, value, description)->envname(environment_name(flags));
}
inline CLI::Option* add_switch(CLI::App* app, const std::string& flags, bool& value, const std::string& description) {
  return app->add_flag(flags, value, description)->envname(environment_name(flags));
}

void add_resource_commands(Tree& tree);
void add_config_commands(Tree& tree);
void add_job_commands(Tree& tree);
void add_workflow_commands(Tree& tree);
void add_operator_commands(Tree& tree);  // after add_workflow_commands()
void add_replay_commands(Tree& tree);    // after add_workflow_commands()
void add_message_commands(Tree& tree);   // after add_workflow_commands()
void add_slot_commands(Tree& tree);
void add_state_commands(Tree& tree);
void add_upkeep_commands(Tree& tree);  // refresh, clear, backfill, undo, quarantine
void add_queue_commands(Tree& tree);
void add_schedule_commands(Tree& tree);
void add_admin_commands(Tree& tree);

}  // namespace millrace::cli
