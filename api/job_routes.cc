// /v1/jobs: what was asked for, and how it went. Replay: replay_routes.cc.
#include <nlohmann/json.hpp>

#include "api/follow.h"
#include "api/handlers.h"
#include "api/job_request.h"
#include "api/job_summary.h"
#include "api/json_body.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

Route job_route(std::string method, std::string path, std::string summary) {
  Route route(std::move(method), std::move(path), std::move(summary));
  route.tag = "Jobs";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

}  // namespace

void add_job_routes(Router& router, const Services& services) {
  Route start = job_route("POST", "/v1/jobs", "Start a job of a connection");
  start.query.emplace_back("onConflict", "string",
                           "fail (default): 409 while another job of the connection runs; attach: 200 with that job");
  start.body_schema = "JobCreate";
  start.response_schema = "Job";
  start.handler = [services](Request& request) -> asio::awaitable<Response> {
    workflows::JobRequest job = read_job_request(request);
    const std::string on_conflict = request.query_value("onConflict").value_or("fail");
    if (on_conflict != "fail" && on_conflict != "attach")
      throw Error("request.invalid_parameter", "onConflict must be fail or attach");
    job.attach = on_conflict == "attach";
    const std::int64_t id = co_await services.jobs->start(std::move(job));
    std::string json = co_await services.jobs->job_json(id);
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(start));

  Route list = job_route("GET", "/v1/jobs", "List jobs, newest first");
  list.query.emplace_back("connectionId", "string", "only jobs of this connection");
  list.query.emplace_back("status", "string", "only this status");
  list.query.emplace_back("jobType", "string", "only this type");
  list.query.emplace_back("limit", "integer", "items at most: 100 by default, 10,000 at most");
  list.query.emplace_back("offset", "integer", "items to skip");
  list.query.emplace_back("next", "string", "`next` of the former answer");
  list.query.emplace_back("workspaceIds", "string", "accepted and ignored: one workspace exists");
  list.query.emplace_back("view", "string", "full (default), or summary: without steps, streams and revisions");
  list.response_schema = "JobList";
  list.handler = [services](Request& request) -> asio::awaitable<Response> {
    workflows::JobFilter filter;
    filter.connection_id = request.query_value("connectionId").value_or("");
    filter.status = request.query_value("status").value_or("");
    filter.job_type = request.query_value("jobType").value_or("");
    filter.limit = limit_of(request);
    filter.offset = number_of(request, request.query_value("next") ? "next" : "offset", 0);
    const std::string view = request.query_value("view").value_or("full");
    if (view != "full" && view != "summary") throw Error("request.invalid_parameter", "view must be full or summary");
    std::string json = co_await services.jobs->list_json(std::move(filter));
    if (view == "summary") json = job_list_summary(json);
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(list));

  Route get = job_route("GET", "/v1/jobs/{id:int}", "One job: status, steps with their attempts, streams, failure");
  get.response_schema = "Job";
  get.handler = [services](Request& request) -> asio::awaitable<Response> {
    std::string json = co_await services.jobs->job_json(job_id_of(request));
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(get));

  Route cancel = job_route("DELETE", "/v1/jobs/{id:int}", "Cancel a job");
  cancel.response_schema = "Job";
  cancel.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::int64_t id = job_id_of(request);
    co_await services.jobs->cancel(id, "cancelled by " + request.caller.name);
    std::string json = co_await services.jobs->job_json(id);
    co_return json_response(200, std::move(json));
  };
  router.add(std::move(cancel));

  Route logs = job_route("GET", "/v1/jobs/{id:int}/logs", "Lines of a job's log");
  logs.query.emplace_back("after", "integer", "id of the last line that is known");
  logs.query.emplace_back("limit", "integer", "lines at most: 100 by default, 10,000 at most");
  logs.query.emplace_back("follow", "boolean", "true: server-sent events until the job has ended");
  logs.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::int64_t id = job_id_of(request);
    const std::uint64_t after = number_of(request, "after", 0);
    if (!flag_of(request, "follow", false)) {
      std::string json = co_await services.jobs->logs_json(id, after, limit_of(request));
      co_return json_response(200, std::move(json));
    }
    const auto execution = co_await services.jobs->execution_of(id);
    Response response;
    response.content_type = "text/event-stream";
    response.stream = [services, execution, after](EventSink& sink) {
      return follow_log(services, execution.first, execution.second, after, sink);
    };
    co_return response;
  };
  router.add(std::move(logs));
}

}  // namespace millrace::api
