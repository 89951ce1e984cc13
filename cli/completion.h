// Completion scripts for shells, made from the command tree.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace millrace::cli {

// `shell`: bash, zsh or fish.
std::string completion_script(const CLI::App& root, const std::string& shell);

}  // namespace millrace::cli
