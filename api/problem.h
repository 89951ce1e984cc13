// Errors as RFC 9457 problems: the one way in which a failure leaves the API.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "api/message.h"

namespace millrace::api {

// One fault of a body; `pointer` is a JSON pointer (RFC 6901), "" for the whole.
struct BodyFault {
  std::string pointer;
  std::string detail;
};

// Everything a problem may hold. `data` is a JSON object in text form; empty: none.
struct Problem {
  Problem() = default;
  std::string code;
  std::string title;  // empty: the catalogue's
  std::string detail;
  std::string data;
  std::vector<BodyFault> errors;
  std::string instance;
};

// The address of a code's page on this server.
std::string error_page(std::string_view code);

// Status, title and remedy come from the catalogue.
Response problem_response(const Problem& problem);
// Any exception: an Error as itself, anything else as `internal` (its text goes to the log, not to the client).
// Not for cancellations.
Response problem_response(const std::exception_ptr& error, const std::string& instance);

}  // namespace millrace::api
