// Configuration as code: a list of documents held against what is stored.
//
// All documents are validated before anything is done. Then sources, destinations and connections are made or changed
// in this order, and what is to go goes in the reverse one. Each document is one atomic change; the list as a whole is
// not.
#pragma once

#include <string>

#include "common/awaitable.h"
#include "resources/repository.h"

namespace millrace::resources {

// JSON {changes: [{action, kind, name, diff}], destructive}. Throws ValidationError with pointers into the list.
asio::awaitable<std::string> plan_documents(std::shared_ptr<Repository> repository, std::string documents, bool prune);
// The same, done. If it stops in the middle: resource.apply_incomplete, with what was done and what was not.
asio::awaitable<std::string> apply_documents(std::shared_ptr<Repository> repository, std::string documents, bool prune,
                                             Principal principal);
asio::awaitable<std::string> export_documents(std::shared_ptr<Repository> repository);

}  // namespace millrace::resources
