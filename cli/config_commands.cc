// validate, plan, apply, export: configuration as code.
#include <iostream>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/documents.h"
#include "cli/output.h"
#include "cli/serve/validate.h"

namespace millrace::cli {
namespace {

struct ConfigOptions {
  ConfigOptions() = default;
  std::vector<std::string> files;
  bool prune = false;
  bool dry_run = false;
  bool detailed_exit_code = false;
};

// The schemas that the documents' whole-value references need, asked of the server once each.
asio::awaitable<void> type_references(Context& context, Documents& documents) {
  if (documents.references.empty()) co_return;
  const std::vector<Json> connectors = co_await context.client().all("/v1/connectors");
  std::map<std::string, Json> specs;
  for (const Json& c : connectors) {
    Json spec = co_await context.client().get("/v1/connectors/" + api::client::url_encode(plain(c, "name")) + "/spec");
    specs[plain(c, "definitionId")] = spec;
    specs[plain(c, "name")] = std::move(spec);
  }
  apply_types(documents, [&specs](const std::string& kind, const std::string& connector) {
    const auto it = specs.find(connector);
    if (it == specs.end()) return Json();
    const auto schema = it->second.find(kind == "Source" ? "sourceSpec" : "destinationSpec");
    return schema == it->second.end() ? Json() : *schema;
  });
}

asio::awaitable<Json> send_documents(Context& context, const Documents& documents, std::string path, bool prune) {
  Json body = Json::object();
  body["documents"] = documents.list;
  body["prune"] = prune;
  try {
    co_return co_await context.client().post(path, body.dump(-1, ' ', false, Json::error_handler_t::replace));
  } catch (const api::client::Problem& problem) {
    if (problem.faults.empty()) throw;
    std::vector<std::pair<std::string, std::string>> faults;
    for (const auto& [pointer, what] : problem.faults) {
      // The server may point into the body or into the list.
      faults.emplace_back(pointer.starts_with("/documents/") ? pointer.substr(10) : pointer, what);
    }
    throw located_faults(documents, faults);
  }
}

std::string value_text(const Json& value) {
  std::string text = value.is_null() ? "(none)" : plain(value);
  if (text.size() > 200) text = text.substr(0, 200) + "…";
  return text;
}

// + shop (Source)
//     configuration.port: 5432 → 5433
void print_changes(const Json& plan) {
  const bool colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  int counts[3] = {0, 0, 0};
  for (const Json& change : plan.at("changes")) {
    const std::string action = plain(change, "action");
    if (action == "none") continue;
    const int which = action == "create" ? 0 : action == "update" ? 1 : 2;
    ++counts[which];
    static constexpr const char* kSigns[] = {"+", "~", "-"};
    static constexpr const char* kColours[] = {"\033[32m", "\033[33m", "\033[31m"};
    std::string line =
        std::string(kSigns[which]) + " " + action + " " + plain(change, "kind") + " " + plain(change, "name");
    std::cout << (colour ? kColours[which] + line + "\033[0m" : line) << '\n';
    if (which == 2) continue;
    for (const Json& d : change.value("diff", Json::array())) {
      std::cout << "    " << plain(d, "path") << ": ";
      if (which == 1) std::cout << value_text(d.value("before", Json())) << " → ";
      std::cout << value_text(d.value("after", Json())) << '\n';
    }
  }
  if (counts[0] + counts[1] + counts[2] == 0) {
    std::cout << "Nothing to change.\n";
  } else {
    std::cout << counts[0] << " to create, " << counts[1] << " to change, " << counts[2] << " to delete\n";
  }
  std::cout << std::flush;
}

bool has_changes(const Json& plan) {
  for (const Json& change : plan.at("changes")) {
    if (plain(change, "action") != "none") return true;
  }
  return false;
}

asio::awaitable<int> plan(Context& context, std::shared_ptr<ConfigOptions> options) {
  Documents documents = load_documents(options->files, false);
  co_await type_references(context, documents);
  const Json answer = co_await send_documents(context, documents, "/v1/plan", options->prune);
  if (context.globals.output.empty() || context.globals.output == "table") {
    print_changes(answer);
  } else {
    print_object(answer, "plan", context.globals.output);
  }
  co_return options->detailed_exit_code&& has_changes(answer) ? 2 : kOk;
}

asio::awaitable<int> apply(Context& context, std::shared_ptr<ConfigOptions> options) {
  Documents documents = load_documents(options->files, false);
  co_await type_references(context, documents);
  const Json planned = co_await send_documents(context, documents, "/v1/plan", options->prune);
  const bool for_people = context.globals.output.empty() || context.globals.output == "table";
  if (for_people) print_changes(planned);
  if (options->dry_run) {
    if (!for_people) print_object(planned, "plan", context.globals.output);
    co_return kOk;
  }
  if (planned.value("destructive", false)) {
    std::string gone;
    for (const Json& change : planned.at("changes")) {
      if (plain(change, "action") == "delete") gone += "\n  " + plain(change, "kind") + " " + plain(change, "name");
    }
    context.need_consent("This apply removes:" + gone);
  }
  if (!has_changes(planned)) {
    if (!for_people) print_object(planned, "plan", context.globals.output);
    co_return kOk;
  }
  const Json done = co_await send_documents(context, documents, "/v1/apply", options->prune);
  if (for_people) {
    std::cout << "Applied.\n";
  } else {
    print_object(done, "apply", context.globals.output);
  }
  co_return kOk;
}

asio::awaitable<int> export_all(Context& context) {
  const Json documents = co_await context.client().get("/v1/export");
  const std::string form = context.globals.output;
  if (form == "json") {
    print_object(documents, "", form);
    co_return kOk;
  }
  for (const Json& document : documents) {
    if (form == "jsonl") {
      std::cout << document.dump() << '\n';
    } else if (form == "name") {
      std::cout << plain(document.at("metadata"), "name") << '\n';
    } else {
      std::cout << "---\n" << to_yaml(document);
    }
  }
  co_return kOk;
}

asio::awaitable<int> validate(Context& context, std::shared_ptr<ConfigOptions> options) {
  Documents documents = load_documents(options->files, true);
  apply_types(documents, serve::local_spec_of());
  for (const std::string& name : documents.missing)
    std::cerr << "note: " << name << " has no value here; a placeholder was checked\n";
  const auto faults = co_await serve::validate_locally(
      context.runtime, documents.list.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!faults.empty()) throw located_faults(documents, faults);
  std::cout << documents.list.size() << (documents.list.size() == 1 ? " document is" : " documents are") << " valid\n";
  co_return kOk;
}

void add_files(CLI::App* sub, const std::shared_ptr<ConfigOptions>& options) {
  add_flag_value(sub, "-f,--file", options->files, "a file, a directory or - (may be given several times)")
      ->required()
      ->delimiter('\0');
}

}  // namespace

void add_config_commands(Tree& tree) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* sub = tree.root.add_subcommand("validate", "Check resource files; needs no server");
  add_files(sub, options);
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return validate(c, options); }; });

  options = std::make_shared<ConfigOptions>();
  sub = tree.root.add_subcommand("plan", "Show what apply would change");
  add_files(sub, options);
  add_switch(sub, "--prune", options->prune, "also show what would be deleted because no file names it");
  add_switch(sub, "--detailed-exitcode", options->detailed_exit_code, "0: no changes, 1: any error, 2: changes");
  sub->callback([&tree, options] {
    tree.detailed_exit_code = options->detailed_exit_code;
    tree.action = [options](Context& c) { return plan(c, options); };
  });

  options = std::make_shared<ConfigOptions>();
  sub = tree.root.add_subcommand("apply", "Make the server's resources equal to the files; shows the changes first");
  add_files(sub, options);
  add_switch(sub, "--prune", options->prune, "delete what no file names; asks first");
  add_switch(sub, "--dry-run", options->dry_run, "show only");
  sub->callback([&tree, options] { tree.action = [options](Context& c) { return apply(c, options); }; });

  sub = tree.root.add_subcommand("export", "Write all resources as files in long form; secrets are masked");
  sub->callback([&tree] { tree.action = [](Context& c) { return export_all(c); }; });
}

}  // namespace millrace::cli
