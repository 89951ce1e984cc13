#include "cli/context.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <boost/system/system_error.hpp>

#include "common/errors.h"

namespace millrace::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool colour_on(int fd) { return ::isatty(fd) != 0 && environment("NO_COLOR").empty() && environment("TERM") != "dumb"; }

int exit_code_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return kNotAllowed;
    case 404:
      return kNotFound;
    case 409:
      return kConflict;
    case 408:
    case 504:
      return kTimedOut;
    default:
      return kFailed;
  }
}

}  // namespace

std::string default_data_dir() {
  const std::string state_home = environment("XDG_STATE_HOME");
  if (!state_home.empty()) return state_home + "/millrace";
  const std::string home = environment("HOME");
  return home.empty() ? "/var/lib/millrace" : home + "/.local/state/millrace";
}

std::string read_first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

api::client::Client& Context::client() {
  if (client_) return *client_;
  api::client::Options options;
  // The data directory of a server on this host: the one named, else the user's own, else the system service's.
  std::string address, token;
  std::vector<std::string> places;
  if (!globals.data_dir.empty()) {
    places = {globals.data_dir};
  } else {
    places = {default_data_dir(), "/var/lib/millrace"};
  }
  for (const std::string& place : places) {
    address = read_first_line(place + "/address");
    token = read_first_line(place + "/token");
    if (!address.empty() || !token.empty()) break;
  }
  if (!globals.server.empty()) {
    options.server = globals.server;
  } else if (!address.empty()) {
    options.server = address;
  }
  // A token found on this host goes to a server on this host only.
  const bool local =
      globals.server.empty() || options.server == address || options.server.find("://127.") != std::string::npos ||
      options.server.find("://localhost") != std::string::npos || options.server.find("://[::1]") != std::string::npos;
  if (!globals.token.empty()) {
    options.token = globals.token;
  } else if (local) {
    options.token = token;
  }
  options.ca_file = globals.ca_file;
  options.insecure = globals.insecure;
  if (globals.timeout_seconds > 0) options.timeout = Duration(static_cast<std::int64_t>(globals.timeout_seconds * 1e6));
  client_ = std::make_unique<api::client::Client>(runtime, std::move(options));
  return *client_;
}

void Context::need_consent(const std::string& what) const {
  if (globals.yes) return;
  std::cerr << what << '\n';
  if (::isatty(STDIN_FILENO) == 0) {
    throw CommandError(kUsage, "consent is missing", "nothing was done", "Pass --yes if this is what you want.",
                       "cli.consent_missing");
  }
  std::cerr << "Type 'yes' to go on: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") throw CommandError(kUsage, "not confirmed", "nothing was done", "", "cli.consent_missing");
}

void print_error(const std::string& title, const std::string& detail, const std::string& hint,
                 const std::string& code) {
  const bool colour = colour_on(STDERR_FILENO);
  std::string out = colour ? "\033[1;31mError:\033[0m " : "Error: ";
  out += title;
  out += '\n';
  if (!detail.empty()) out += "  " + detail + '\n';
  if (!hint.empty()) out += (colour ? "\033[1mHint:\033[0m " : "Hint: ") + hint + '\n';
  if (!code.empty()) out += "Code: " + code + '\n';
  std::cerr << out << std::flush;
}

int report(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const CommandError& e) {
    print_error(e.title, e.detail, e.hint, e.code);
    return e.exit_code;
  } catch (const api::client::Problem& e) {
    std::string detail = e.detail;
    for (const auto& [pointer, what] : e.faults) detail += "\n  " + (pointer.empty() ? "" : pointer + ": ") + what;
    print_error(e.title, detail, e.remedy, e.code);
    return exit_code_of_status(e.status);
  } catch (const Error& e) {
    print_error(e.title(), e.detail(), std::string(e.remedy()), std::string(e.code()));
    if (e.code() == "http.timed_out") return kTimedOut;
    if (e.code() == "http.unreachable" || e.code() == "http.tls_failed") return kFailed;
    return exit_code_of_status(e.http_status());
  } catch (const std::exception& e) {
    print_error("internal error", e.what(), "Report it with what you did.", "internal");
    return kFailed;
  }
}

}  // namespace millrace::cli
