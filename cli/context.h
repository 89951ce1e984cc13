// What every command shares: the global flags, the client, and the way a command is run.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/client/client.h"
#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace::cli {

// The contract's exit codes.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,  // or consent missing
  kNotAllowed = 3,
  kNotFound = 4,
  kConflict = 5,
  kTimedOut = 6,
  kInterrupted = 130,
};

// Ends a command with a code and a message of three parts.
class CommandError : public std::exception {
 public:
  CommandError(int e, std::string t, std::string d = {}, std::string h = {}, std::string c = {})
      : exit_code(e), title(std::move(t)), detail(std::move(d)), hint(std::move(h)), code(std::move(c)) {}
  const char* what() const noexcept override { return title.c_str(); }
  int exit_code;
  std::string title, detail, hint, code;
};

struct Globals {
  Globals() = default;
  std::string output;  // table | wide | json | jsonl | yaml | name; empty: the command's own default
  std::string server, token, data_dir, ca_file;
  bool insecure = false;
  bool no_color = false;
  bool yes = false;
  double timeout_seconds = 0;  // 0: the command's own
};

class Context {
 public:
  explicit Context(Runtime r) : runtime(std::move(r)) {}
  Runtime runtime;
  Globals globals;

  // Made on first use: --server and --token, else what the data directory says, else 127.0.0.1:8000.
  api::client::Client& client();
  // True if the user consents to `what`: --yes, or a typed "yes" on a terminal. Without a terminal: exit 2.
  void need_consent(const std::string& what) const;

 private:
  std::unique_ptr<api::client::Client> client_;
};

using Action = std::function<asio::awaitable<int>(Context&)>;

// $XDG_STATE_HOME/millrace, /var/lib/millrace for the system's service.
std::string default_data_dir();
std::string read_first_line(const std::string& path);  // "" if it can't be read

// Prints an exception in three parts and returns its exit code.
int report(const std::exception_ptr& error);
void print_error(const std::string& title, const std::string& detail, const std::string& hint, const std::string& code);

}  // namespace millrace::cli
