// The schemas of the OpenAPI document: a JSON object of name -> schema.
#pragma once

#include <string_view>

namespace millrace::api {

std::string_view openapi_schemas();

}  // namespace millrace::api
