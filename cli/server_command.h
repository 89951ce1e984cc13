// `server` and `copy`: flags, environment and configuration file; the work is in cli/serve and cli/copy.
#pragma once

#include <functional>

#include "cli/command.h"
#include "cli/serve/hooks.h"

namespace millrace::cli {

// These run by themselves, not on the client's runtime: `direct` is set when one of them was named.
void add_server_command(Tree& tree, const Globals& globals, const serve::Hooks& hooks, std::function<int()>& direct);
void add_copy_command(Tree& tree, const Globals& globals, std::function<int()>& direct);

}  // namespace millrace::cli
