// `millrace server`: wires the rooms together and runs until a signal says stop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/serve/hooks.h"

namespace millrace::serve {

struct ServeOptions {
  ServeOptions() = default;
  std::string data_dir;
  std::string listen = "127.0.0.1:8000";
  bool no_auth = false;
  std::string tls_cert, tls_key;
  std::string secret_key_file;  // empty: secret.key in the data directory
  std::string log_level = "info";
  std::string log_format;  // text | json; empty: text on a terminal, else json
  double grace_seconds = 30;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> queues, limits;  // see queue_options.h
  std::string idle_memory;                  // of executions that only wait; empty: the engine's own bound
  std::string min_free_disk;                // bytes, or with KiB, MiB, GiB; empty: the store's own floor
  // Reads the configuration file again after a SIGHUP and returns the options that then hold. Throws for a bad file.
  std::function<ServeOptions()> reload;
};

// Blocks until the server has stopped; the exit code. Throws what keeps it from starting.
int serve(const ServeOptions& options, const Hooks& hooks);

}  // namespace millrace::serve
