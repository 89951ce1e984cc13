#include "cli/server_command.h"

#include <yaml-cpp/yaml.h>

#include "cli/copy/copy.h"
#include "cli/serve/serve.h"

namespace millrace::cli {
namespace {

using serve::ServeOptions;

struct ServerFlags {
  ServerFlags() = default;
  ServeOptions options;
  std::string config_file;
};

// One setting of the configuration file: its name there, its flag, and how it is taken.
struct Setting {
  Setting(const char* n, const char* f, std::function<void(ServeOptions&, const YAML::Node&)> t)
      : name(n), flag(f), take(std::move(t)) {}
  const char* name;
  const char* flag;
  std::function<void(ServeOptions&, const YAML::Node&)> take;
};

// {sync: {concurrency: 8, ratePerSecond: 2}, default: 100} as flags write it.
std::vector<std::string> limits_of(const YAML::Node& node) {
  std::vector<std::string> out;
  if (!node.IsMap()) throw YAML::Exception(node.Mark(), "must be a map of names and their limits");
  for (const auto& entry : node) {
    std::string text;
    if (entry.second.IsMap()) {
      for (const auto& limit : entry.second)
        text += (text.empty() ? "" : ",") + limit.first.as<std::string>() + ":" + limit.second.as<std::string>();
    } else {
      text = entry.second.as<std::string>();
    }
    out.push_back(entry.first.as<std::string>() + "=" + text);
  }
  return out;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      Setting("dataDir", "--data-dir", [](ServeOptions& o, const YAML::Node& n) { o.data_dir = n.as<std::string>(); }),
      Setting("listen", "--listen", [](ServeOptions& o, const YAML::Node& n) { o.listen = n.as<std::string>(); }),
      Setting("noAuth", "--no-auth", [](ServeOptions& o, const YAML::Node& n) { o.no_auth = n.as<bool>(); }),
      Setting("tlsCert", "--tls-cert", [](ServeOptions& o, const YAML::Node& n) { o.tls_cert = n.as<std::string>(); }),
      Setting("tlsKey", "--tls-key", [](ServeOptions& o, const YAML::Node& n) { o.tls_key = n.as<std::string>(); }),
      Setting("secretKeyFile", "--secret-key-file",
              [](ServeOptions& o, const YAML::Node& n) { o.secret_key_file = n.as<std::string>(); }),
      Setting("logLevel", "--log-level",
              [](ServeOptions& o, const YAML::Node& n) { o.log_level = n.as<std::string>(); }),
      Setting("logFormat", "--log-format",
              [](ServeOptions& o, const YAML::Node& n) { o.log_format = n.as<std::string>(); }),
      Setting("grace", "--grace", [](ServeOptions& o, const YAML::Node& n) { o.grace_seconds = n.as<double>(); }),
      Setting("allowHosts", "--allow-host",
              [](ServeOptions& o, const YAML::Node& n) { o.allow_hosts = n.as<std::vector<std::string>>(); }),
      Setting("queues", "--queue", [](ServeOptions& o, const YAML::Node& n) { o.queues = limits_of(n); }),
      Setting("limits", "--limit", [](ServeOptions& o, const YAML::Node& n) { o.limits = limits_of(n); }),
      Setting("idleMemory", "--idle-memory",
              [](ServeOptions& o, const YAML::Node& n) { o.idle_memory = n.as<std::string>(); }),
      Setting("minFreeDisk", "--min-free-disk",
              [](ServeOptions& o, const YAML::Node& n) { o.min_free_disk = n.as<std::string>(); }),
  };
  return all;
}

// Flags and environment beat the file. `given` says which flags were.
ServeOptions with_file(ServeOptions options, const std::string& file, const std::function<bool(const char*)>& given) {
  if (file.empty()) return options;
  std::string fault;
  YAML::Mark where = YAML::Mark::null_mark();
  try {
    const YAML::Node root = YAML::LoadFile(file);
    if (!root.IsMap() && !root.IsNull()) fault = "must be a map of settings";
    for (const auto& entry : root) {
      const std::string name = entry.first.as<std::string>();
      const Setting* setting = nullptr;
      for (const Setting& s : settings()) {
        if (name == s.name) setting = &s;
      }
      where = entry.first.Mark();
      if (setting == nullptr) {
        fault = "'" + name + "' is no setting";
        break;
      }
      if (!given(setting->flag)) setting->take(options, entry.second);
    }
  } catch (const YAML::BadFile&) {
    fault = "the file cannot be read";
  } catch (const YAML::Exception& e) {
    where = e.mark;
    fault = e.msg;
  }
  if (fault.empty()) return options;
  const std::string place =
      where.is_null() ? file : file + ":" + std::to_string(where.line + 1) + ":" + std::to_string(where.column + 1);
  std::string names;
  for (const Setting& s : settings()) names += (names.empty() ? "" : ", ") + std::string(s.name);
  throw CommandError(kUsage, "the configuration file has a fault", place + ": " + fault,
                     "The settings are " + names + ".", "cli.config_invalid");
}

}  // namespace

void add_server_command(Tree& tree, const Globals& globals, const serve::Hooks& hooks, std::function<int()>& direct) {
  auto flags = std::make_shared<ServerFlags>();
  CLI::App* root = &tree.root;
  CLI::App* sub = root->add_subcommand("server", "Run the service");
  ServeOptions& o = flags->options;
  add_flag_value(sub, "--listen", o.listen, "address and port; port 0: a free one (127.0.0.1:8000)");
  add_switch(sub, "--no-auth", o.no_auth, "need no token; on loopback only");
  add_flag_value(sub, "--tls-cert", o.tls_cert, "certificate chain, PEM");
  add_flag_value(sub, "--tls-key", o.tls_key, "its key, PEM");
  add_flag_value(sub, "--secret-key-file", o.secret_key_file,
                 "key of the stored secrets (secret.key in the data directory)");
  add_flag_value(sub, "--log-level", o.log_level, "debug | info (default) | warn | error | off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}));
  add_flag_value(sub, "--log-format", o.log_format, "text | json (text on a terminal, else json)")
      ->check(CLI::IsMember({"text", "json"}));
  add_flag_value(sub, "--grace", o.grace_seconds, "seconds that SIGTERM lets running steps reach a checkpoint (30)")
      ->check(CLI::Range(0.0, 86'400.0));
  add_flag_value(sub, "--allow-host", o.allow_hosts,
                 "a further name that Host and Origin may hold (may be given several times)");
  add_flag_value(sub, "--min-free-disk", o.min_free_disk,
                 "below so much free disk the server takes no work, such as 200MiB");
  add_flag_value(sub, "--queue", o.queues,
                 "limits of a task queue, such as sync=8 or sync=concurrency:8,ratePerSecond:2; *: those not named");
  add_flag_value(sub, "--limit", o.limits,
                 "limits of a key, such as source:db.internal=4 or destination:*=8 (each host 8)");
  add_flag_value(
      sub, "--idle-memory", o.idle_memory,
      "executions that only wait leave memory above this, the longest idle first, such as 64MiB (the default)");
  add_flag_value(sub, "--config", flags->config_file,
                 "a YAML file of settings; flags and environment beat it; read again on SIGHUP");
  if (hooks.add_options) hooks.add_options(*sub);
  sub->callback([flags, sub, root, &globals, &hooks, &direct] {
    direct = [flags, sub, root, &globals, &hooks] {
      const auto given = [sub, root](const char* flag) {
        return (std::string_view(flag) == "--data-dir" ? root->get_option(flag) : sub->get_option(flag))->count() > 0;
      };
      const auto load = [flags, given, &globals] {
        ServeOptions options = flags->options;
        options.data_dir = globals.data_dir;
        options = with_file(std::move(options), flags->config_file, given);
        if (options.data_dir.empty()) options.data_dir = default_data_dir();
        return options;
      };
      ServeOptions options = load();
      options.reload = load;
      return serve::serve(options, hooks);
    };
  });
}

void add_copy_command(Tree& tree, const Globals& globals, std::function<int()>& direct) {
  auto o = std::make_shared<copy::CopyOptions>();
  CLI::App* sub = tree.root.add_subcommand(
      "copy", "Copy from one system to another, without a server; run again after a crash it goes on");
  sub->add_option("source", o->source, "URL, such as postgres://user@host/database")->required();
  sub->add_option("destination", o->destination, "URL")->required();
  add_flag_value(sub, "--stream", o->streams,
                 "a stream or pattern, such as public.* (may be given several times); all by default");
  add_flag_value(sub, "--mode", o->mode, "sync mode (full_refresh_overwrite)")
      ->check(CLI::IsMember({"full_refresh_overwrite", "full_refresh_append", "full_refresh_overwrite_deduped",
                             "incremental_append", "incremental_deduped_history"}));
  add_flag_value(sub, "--streams-parallel", o->streams_parallel, "how many streams at once")->check(CLI::Range(1, 64));
  add_switch(sub, "--adopt", o->adopt,
             "take over tables that are not Millrace's; the old ones are kept as <name>__before");
  add_flag_value(sub, "--state-dir", o->state_dir, "where it keeps its progress");
  sub->callback([o, &globals, &direct] {
    direct = [o, &globals] {
      o->output = globals.output;
      return copy::copy(*o);
    };
  });
}

}  // namespace millrace::cli
