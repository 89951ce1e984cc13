#include "api/access.h"

#include <algorithm>

#include "api/http_server.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

// "name:port", "[v6]:port" without the port, in lower case.
std::string host_name(std::string_view authority) {
  std::string name;
  if (authority.starts_with('[')) {
    name = authority.substr(1, authority.find(']') - 1);
  } else {
    name = authority.substr(0, authority.find(':'));
  }
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

bool is_ours(const AccessRules& rules, const Request& request, const std::string& name) {
  return name == "localhost" || is_loopback_address(name) || name == request.local_address ||
         std::find(rules.allow_hosts.begin(), rules.allow_hosts.end(), name) != rules.allow_hosts.end();
}

}  // namespace

void check_access(const AccessRules& rules, const Request& request) {
  const std::string* host = request.header("host");
  if (host == nullptr || host->empty()) throw Error("request.malformed", "the Host header is missing");
  if (!is_ours(rules, request, host_name(*host))) throw Error("request.foreign_host", "Host: " + host->substr(0, 200));
  const std::string* origin = request.header("origin");
  if (origin == nullptr) return;
  const auto scheme_end = origin->find("://");
  if (scheme_end == std::string::npos ||
      !is_ours(rules, request, host_name(std::string_view(*origin).substr(scheme_end + 3)))) {
    throw Error("request.foreign_origin", "Origin: " + origin->substr(0, 200));
  }
}

}  // namespace millrace::api
