#include "workflows/stream_failure.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"

namespace millrace::workflows {

using nlohmann::json;

engine::Failure failure_of_code(std::string_view code, std::string detail) {
  return engine::failure_from_exception(std::make_exception_ptr(Error(code, std::move(detail))));
}

json failure_json(const engine::Failure& failure) {
  json out = {{"code", failure.type}, {"message", failure.message}, {"retryable", failure.retryable}};
  const json details = failure.details.empty() ? json() : json::parse(failure.details, nullptr, false);
  if (details.is_object())
    for (const char* field : {"title", "detail", "remedy"})
      if (details.contains(field)) out[field] = details[field];
  if (!out.contains("remedy") && is_known_error(failure.type))
    out["remedy"] = std::string(error_info(failure.type).remedy);
  return out;
}

engine::Failure failure_from_view(const json& view) {
  engine::Failure failure;
  failure.type = view.value("code", "internal");
  failure.message = view.value("message", "");
  failure.retryable = view.value("retryable", true);
  json details = json::object();
  for (const char* field : {"title", "detail", "remedy"})
    if (view.contains(field)) details[field] = view[field];
  failure.details = details.dump(-1, ' ', false, json::error_handler_t::replace);
  return failure;
}

}  // namespace millrace::workflows
