// Reading our own JSON back: whatever is wrong with it becomes one error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/errors.h"

namespace millrace::connectors {

// Parses `text` and runs `read` on the value; what nlohmann throws becomes connector.bad_document that names `what`.
template <class F>
auto read_document(const std::string& text, const char* what, F read) {
  try {
    return read(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    throw Error("connector.bad_document", std::string(what) + ": " + e.what());
  }
}

}  // namespace millrace::connectors
