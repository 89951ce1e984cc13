// Validation without a server: the server's own rules over an empty store in memory.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/documents.h"
#include "common/awaitable.h"
#include "common/runtime.h"

namespace millrace::serve {

// All faults, as (JSON pointer into the list, what). A source or destination that no document makes is no fault: it may
// be on the server.
asio::awaitable<std::vector<std::pair<std::string, std::string>>> validate_locally(Runtime runtime,
                                                                                   std::string documents);
// Schemas of this build's connectors.
cli::SpecOf local_spec_of();

}  // namespace millrace::serve
