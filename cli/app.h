// The command line as a whole.
#pragma once

#include "cli/serve/hooks.h"

namespace millrace::cli {

// Parses, runs, reports; the exit code.
int run(int argc, char** argv, const serve::Hooks& hooks);

}  // namespace millrace::cli
