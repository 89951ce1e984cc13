// /v1/workflows: executions, whatever they do.
#include <nlohmann/json.hpp>

#include "api/execution_json.h"
#include "api/follow.h"
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/workflow_query.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

constexpr std::uint64_t kMaxWaitSeconds = 3'600;

Route workflow_route(std::string method, std::string path, std::string summary) {
  Route route(std::move(method), std::move(path), std::move(summary));
  route.tag = "Workflows";
  route.scope = route.method == "GET" ? Scope::read : Scope::admin;
  return route;
}

engine::StartRequest read_start(const Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  engine::StartRequest start;
  start.type = fields.text("type", true);
  start.workflow_id = fields.text("workflowId");
  if (const auto* input = fields.value("input"))
    start.input = input->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (const auto* memo = fields.value("memo")) {
    if (!memo->is_object()) fields.fault("memo", "must be an object");
    start.memo = memo->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  start.request_id = fields.text("requestId");
  if (const auto timeout = fields.integer("runTimeoutSeconds", 1, 10LL * 365 * 86'400))
    start.run_timeout = std::chrono::seconds(*timeout);
  if (start.workflow_id.size() > 1'000) fields.fault("workflowId", "must have at most 1000 bytes");
  if (start.request_id.size() > 255) fields.fault("requestId", "must have at most 255 bytes");
  const std::string key = idempotency_key_of(request);
  if (!key.empty() && !start.request_id.empty() && key != start.request_id) {
    fields.fault("requestId", "differs from the Idempotency-Key header, which is the same thing");
  }
  fields.finish();
  if (start.request_id.empty()) start.request_id = key;
  return start;
}

asio::awaitable<Response> start_workflow(const Services services, Request& request) {
  const bool wait = flag_of(request, "wait", false);
  const std::uint64_t seconds = std::min(number_of(request, "timeoutSeconds", 60), kMaxWaitSeconds);
  const engine::StartResult started = co_await services.engine->start_workflow(read_start(request));
  const int status = started.started ? 201 : 200;
  Response response(status);
  if (wait) {
    const engine::Execution e =
        co_await services.engine->wait_closed(started.workflow_id, started.run_id, std::chrono::seconds(seconds));
    if (engine::is_open(e.status)) response.status = 202;
    response.body = execution_outcome_json(e);
  } else {
    response.body = JsonObject().text("workflowId", started.workflow_id).text("runId", started.run_id).take();
  }
  response.headers.emplace_back("Location", "/v1/workflows/" + percent_encode(started.workflow_id));
  co_return response;
}

asio::awaitable<Response> history(const Services services, Request& request) {
  const std::string id = request.path_values.at("id");
  const std::string run = request.query_value("runId").value_or("");
  const std::uint64_t after = number_of(request, "after", 0);
  if (flag_of(request, "follow", false)) {
    co_await services.engine->describe(id, run);  // 404 now, not in the stream
    Response response;
    response.content_type = "text/event-stream";
    response.stream = [services, id, run, after](EventSink& sink) {
      return follow_history(services, id, run, after, sink);
    };
    co_return response;
  }
  const std::size_t limit = limit_of(request);
  const auto events = co_await services.engine->history(id, run, after, limit);
  std::vector<std::string> items;
  items.reserve(events.size());
  for (const auto& event : events) items.push_back(event_json(event));
  co_return json_response(200,
                          list_json(items, events.size() == limit ? std::to_string(events.back().id) : std::string()));
}

asio::awaitable<Response> count(const Services services, Request& request) {
  engine::ListFilter filter = parse_workflow_query(request.query_value("query").value_or(""));
  filter.limit = 1'000;
  std::int64_t n = 0;
  for (;;) {
    const engine::ListPage page = co_await services.engine->list(filter);
    n += std::int64_t(page.executions.size());
    if (page.next.empty()) break;
    filter.page = page.next;
  }
  co_return json_response(200, JsonObject().number("count", n).take());
}

asio::awaitable<Response> end_workflow(const Services services, const bool cancel, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  const std::string reason = fields.text("reason");
  const std::string request_id = read_request_id(request, fields, "requestId");
  fields.finish();
  const std::string id = request.path_values.at("id");
  const std::string run = request.query_value("runId").value_or("");
  if (cancel) {
    co_await services.engine->request_cancel(id, run, reason, request_id);
  } else {
    co_await services.engine->terminate(id, run, reason, request_id, request.caller.name);
  }
  const engine::ExecutionDetail detail = co_await services.engine->describe(id, run);
  co_return json_response(202, execution_outcome_json(detail.execution));
}

}  // namespace

void add_workflow_routes(Router& router, const Services& services) {
  Route start = workflow_route("POST", "/v1/workflows", "Start a workflow of any registered type");
  start.query.emplace_back("wait", "boolean", "true: answer when it closed, with status and result or failure");
  start.query.emplace_back("timeoutSeconds", "integer",
                           "how long to wait: 60 by default, then 202 with status Running");
  start.body_schema = "WorkflowStart";
  start.success = 201;
  start.own_idempotency = true;
  start.handler = [services](Request& request) { return start_workflow(services, request); };
  router.add(std::move(start));

  Route list = workflow_route("GET", "/v1/workflows", "List executions, newest first");
  list.query.emplace_back("query", "string", "Status = 'Running' AND WorkflowType = 'sync' AND WorkflowId = 'x'");
  list.query.emplace_back("limit", "integer", "items at most: 100 by default, 10,000 at most");
  list.query.emplace_back("next", "string", "`next` of the former answer");
  list.handler = [services](Request& request) -> asio::awaitable<Response> {
    engine::ListFilter filter = parse_workflow_query(request.query_value("query").value_or(""));
    filter.limit = limit_of(request);
    filter.page = base64_url_decode(request.query_value("next").value_or(""));
    const engine::ListPage page = co_await services.engine->list(std::move(filter));
    std::vector<std::string> items;
    for (const auto& e : page.executions) items.push_back(execution_summary_json(e));
    co_return json_response(200, list_json(items, base64_url_encode(page.next)));
  };
  router.add(std::move(list));

  Route number = workflow_route("GET", "/v1/workflows/count", "How many executions the query finds");
  number.query.emplace_back("query", "string", "as of the list");
  number.handler = [services](Request& request) { return count(services, request); };
  router.add(std::move(number));

  Route get = workflow_route("GET", "/v1/workflows/{id}",
                             "One execution: status, result or failure, steps with all attempts, timers");
  get.query.emplace_back("runId", "string", "a run; the current one by default");
  get.handler = [services](Request& request) -> asio::awaitable<Response> {
    const std::string run = request.query_value("runId").value_or("");
    const engine::ExecutionDetail detail = co_await services.engine->describe(request.path_values.at("id"), run);
    co_return json_response(200, execution_detail_json(detail));
  };
  router.add(std::move(get));

  Route events = workflow_route("GET", "/v1/workflows/{id}/history", "The events as stored, ids dense");
  events.query.emplace_back("runId", "string", "a run; the current one by default");
  events.query.emplace_back("after", "integer", "id of the last event that is known");
  events.query.emplace_back("limit", "integer", "events at most: 100 by default, 10,000 at most");
  events.query.emplace_back("follow", "boolean", "true: server-sent events until the run is closed");
  events.handler = [services](Request& request) { return history(services, request); };
  router.add(std::move(events));

  for (const bool cancel : {true, false}) {
    Route route = workflow_route("POST", cancel ? "/v1/workflows/{id}/cancel" : "/v1/workflows/{id}/terminate",
                                 cancel ? "Ask the execution to end; it may clean up"
                                        : "End the execution at once; no code of it runs any more");
    route.query.emplace_back("runId", "string", "a run; the current one by default");
    route.body_schema = cancel ? "WorkflowCancel" : "WorkflowTerminate";
    route.success = 202;
    route.handler = [services, cancel](Request& request) { return end_workflow(services, cancel, request); };
    router.add(std::move(route));
  }
}

}  // namespace millrace::api
