// /v1/workflows/{id}/signal, /query and /update: messages to executions.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/json_body.h"

namespace millrace::api {
namespace {

struct Message {
  Message() = default;
  std::string workflow_id, run_id;
  std::string name;
  engine::Payload input;
};

// The fields that all three have. `fields` is finished by the caller.
Message read_message(const Request& request, FieldReader& fields) {
  Message message;
  message.workflow_id = request.path_values.at("id");
  message.run_id = request.query_value("runId").value_or("");
  message.name = fields.text("name", true);
  if (const auto* input = fields.value("input"))
    message.input = input->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return message;
}

asio::awaitable<Response> signal(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  Message message = read_message(request, fields);
  std::string request_id = read_request_id(request, fields, "requestId");
  fields.finish();
  const std::string run = co_await services.engine->signal(message.workflow_id, message.run_id, std::move(message.name),
                                                           std::move(message.input), std::move(request_id));
  co_return json_response(202, JsonObject().text("workflowId", message.workflow_id).text("runId", run).take());
}

asio::awaitable<Response> query(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  Message message = read_message(request, fields);
  fields.finish();
  const engine::Payload result = co_await services.engine->query(message.workflow_id, message.run_id,
                                                                 std::move(message.name), std::move(message.input));
  co_return json_response(200, JsonObject().raw("result", result).take());
}

asio::awaitable<Response> update(const Services services, Request& request) {
  const nlohmann::json body = parse_json_body(request.body);
  FieldReader fields(body, "", true);
  Message message = read_message(request, fields);
  engine::UpdateRequest asked;
  asked.workflow_id = std::move(message.workflow_id);
  asked.run_id = std::move(message.run_id);
  asked.name = std::move(message.name);
  asked.input = std::move(message.input);
  asked.update_id = read_request_id(request, fields, "updateId");
  asked.wait_completed = fields.choice("wait", {"completed", "accepted"}) == "completed";
  fields.finish();
  const engine::UpdateResult result = co_await services.engine->update(std::move(asked));
  co_return json_response(200, JsonObject()
                                   .raw("result", result.value)
                                   .text("updateId", result.update_id)
                                   .text("runId", result.run_id)
                                   .text("status", result.completed ? "completed" : "accepted")
                                   .take());
}

}  // namespace

void add_message_routes(Router& router, const Services& services) {
  const auto add = [&](const char* verb, const char* summary, const char* schema, int success, auto handler) {
    Route route("POST", std::string("/v1/workflows/{id}/") + verb, summary);
    route.tag = "Workflows";
    route.scope = Scope::admin;
    route.query.emplace_back("runId", "string", "a run; the current one by default");
    route.body_schema = schema;
    route.success = success;
    route.own_idempotency = true;
    route.handler = [services, handler](Request& request) { return handler(services, request); };
    return route;
  };
  router.add(add("signal", "Send the execution a signal", "WorkflowSignal", 202, &signal));
  Route ask = add("query", "Ask the execution's code; changes nothing", "WorkflowQuery", 200, &query);
  ask.scope = Scope::read;
  ask.own_idempotency = false;  // the engine keeps nothing of a query: the answer is kept beside it
  ask.response_schema = "WorkflowQueryResult";
  router.add(std::move(ask));
  Route change = add("update", "Send the execution a request and get its answer", "WorkflowUpdate", 200, &update);
  change.response_schema = "WorkflowUpdateResult";
  router.add(std::move(change));
}

}  // namespace millrace::api
