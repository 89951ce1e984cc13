// Which Host and Origin headers are taken.
//
// A page of a foreign site can make a browser ask a server on loopback (DNS rebinding, cross-site requests); the names
// it then sends are not ours. Ours are: loopback names, the address that the request came in on, and --allow-host.
#pragma once

#include <string>
#include <vector>

#include "api/message.h"

namespace millrace::api {

struct AccessRules {
  AccessRules() = default;
  std::vector<std::string> allow_hosts;  // names, lower case, without port
};

// Throws request.malformed (no Host), request.foreign_host, request.foreign_origin.
void check_access(const AccessRules& rules, const Request& request);

}  // namespace millrace::api
