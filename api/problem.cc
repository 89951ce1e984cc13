#include "api/problem.h"

#include <nlohmann/json.hpp>

#include "api/json_body.h"
#include "common/errors.h"
#include "common/log.h"
#include "engine/engine.h"
#include "resources/validation_error.h"
#include "workflows/jobs.h"

namespace millrace::api {
namespace {

using Json = nlohmann::ordered_json;

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string error_page(std::string_view code) { return "/docs/errors/" + std::string(code); }

Response problem_response(const Problem& problem) {
  const ErrorInfo& info = error_info(problem.code);
  Json body;
  body["type"] = error_page(problem.code);
  body["title"] = problem.title.empty() ? std::string(info.title) : problem.title;
  body["status"] = info.http_status;
  body["detail"] = problem.detail;
  body["instance"] = problem.instance;
  body["code"] = problem.code;
  body["remedy"] = info.remedy;
  body["documentationUrl"] = error_page(problem.code);
  body["data"] = problem.data.empty() ? Json(nullptr) : Json::parse(problem.data);
  body["errors"] = Json::array();
  for (const BodyFault& fault : problem.errors) {
    Json item;
    item["pointer"] = fault.pointer;
    item["detail"] = fault.detail;
    body["errors"].push_back(std::move(item));
  }
  Response response(info.http_status);
  response.content_type = "application/problem+json";
  response.body = to_text(body);
  if (info.http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"millrace\"");
  if (info.http_status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response problem_response(const std::exception_ptr& error, const std::string& instance) {
  Problem problem;
  problem.instance = instance;
  std::string location;
  try {
    std::rethrow_exception(error);
  } catch (const BodyError& e) {
    problem.code = e.code();
    problem.detail = e.detail();
    problem.errors = e.faults();
  } catch (const resources::ValidationError& e) {
    problem.code = e.code();
    problem.title = e.title();
    problem.detail = e.detail();
    for (const auto& fault : e.faults()) problem.errors.push_back({fault.pointer, fault.detail});
  } catch (const workflows::JobConflict& e) {
    problem.code = e.code();
    problem.detail = e.detail();
    Json data;
    data["jobId"] = e.job_id;
    problem.data = to_text(data);
    location = "/v1/jobs/" + std::to_string(e.job_id);
  } catch (const engine::FailureError& e) {
    // What the workflow's own code answered.
    const bool failed = dynamic_cast<const engine::UpdateFailed*>(&e) != nullptr;
    problem.code = failed ? "workflow.update_failed" : "workflow.refused";
    problem.detail = e.failure().message;
    problem.data = "{\"failure\":" + engine::to_json(e.failure()) + "}";
  } catch (const Error& e) {
    problem.code = e.code();
    problem.title = e.title();
    problem.detail = e.detail();
  } catch (const std::exception& e) {
    log_error("request failed", {{"path", instance}, {"error", e.what()}});
    problem.code = "internal";
    problem.detail = "the cause is in the server's log";
  }
  Response response = problem_response(problem);
  if (!location.empty()) response.headers.emplace_back("Location", location);
  return response;
}

}  // namespace millrace::api
