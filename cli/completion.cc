#include "cli/completion.h"

#include <CLI/CLI.hpp>

namespace millrace::cli {
namespace {

std::string flags_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out += " --" + name;
  }
  return out;
}

// "case" arms: the words after millrace -> what may follow.
void arms(const CLI::App& app, const std::string& path, const std::string& global, std::string& out) {
  std::string words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    words += " " + sub->get_name();
    arms(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), global, out);
  }
  out += "    \"" + path + "\") words=\"" + words + flags_of(app) + (path.empty() ? "" : global) + "\" ;;\n";
}

void fish_lines(const CLI::App& app, const std::string& parent, std::string& out) {
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string condition = parent.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + parent;
    out += "complete -c millrace -f -n '" + condition + "' -a " + sub->get_name() + "\n";
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += "complete -c millrace -n '__fish_seen_subcommand_from " + sub->get_name() + "' -l " + name + "\n";
      }
    }
    fish_lines(*sub, sub->get_name(), out);
  }
}

}  // namespace

std::string completion_script(const CLI::App& root, const std::string& shell) {
  std::string out;
  if (shell == "fish") {
    fish_lines(root, "", out);
    return out;
  }
  std::string cases;
  arms(root, "", flags_of(root), cases);
  if (shell == "zsh") out += "#compdef millrace\nautoload -U +X bashcompinit && bashcompinit\n";
  return out +
         "_millrace() {\n  local path=\"\" word words=\"\"\n  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n  done\n"
         "  while :; do\n    case \"$path\" in\n" +
         cases +
         "    *) path=\"${path% *}\"; continue ;;\n    esac\n    break\n  done\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _millrace "
         "millrace\n";
}

}  // namespace millrace::cli
