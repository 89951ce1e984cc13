// doctor, backup, restore, workflow resume. After add_workflow_commands().
#pragma once

#include <functional>

#include "cli/command.h"

namespace millrace::cli {

// `direct` is set by those that work without a server.
void add_operation_commands(Tree& tree, const Globals& globals, std::function<int()>& direct);

}  // namespace millrace::cli
