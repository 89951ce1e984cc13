// The OpenAPI 3.1 document, made from the route table, and the page that shows it.
#pragma once

#include <string>

#include "api/router.h"

namespace millrace::api {

std::string openapi_json(const Router& router);
// A readable page without anything from elsewhere.
std::string docs_page(const Router& router);
// The page of one error code; empty: no such code.
std::string error_code_page(const std::string& code);
// All codes in a table.
std::string error_list_page();

}  // namespace millrace::api
