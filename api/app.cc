#include "api/app.h"

#include <algorithm>

#include "api/handlers.h"
#include "api/problem.h"
#include "common/errors.h"

namespace millrace::api {
namespace {

// Bearer, or Basic with any user; empty: none given.
std::string presented_token(const Request& request) {
  const std::string* header = request.header("authorization");
  if (header == nullptr) return {};
  const auto space = header->find(' ');
  std::string scheme = header->substr(0, space);
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const std::string value =
      space == std::string::npos ? std::string() : header->substr(header->find_first_not_of(' ', space));
  if (scheme == "bearer") return value;
  if (scheme != "basic") return {};
  const std::string pair = base64_decode(value);
  const auto colon = pair.find(':');
  return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
}

// The session of the web UI; empty: none. One that would change something must come with a header that no page of
// another origin can send (it would first have to ask, and is never answered).
std::string session_token(const Request& request, const std::string& cookie) {
  const std::string* header = request.header("cookie");
  if (header == nullptr) return {};
  if (request.method != "GET" && request.method != "HEAD" && request.header("x-millrace-ui") == nullptr) return {};
  std::size_t at = 0;
  while (at < header->size()) {
    const std::size_t end = std::min(header->find(';', at), header->size());
    std::string_view pair = std::string_view(*header).substr(at, end - at);
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.size() > cookie.size() && pair.starts_with(cookie) && pair[cookie.size()] == '=')
      return std::string(pair.substr(cookie.size() + 1));
    at = end + 1;
  }
  return {};
}

bool allows(Scope have, Scope need) {
  if (have == Scope::admin || have == need) return true;
  return have == Scope::read && need == Scope::metrics;
}

}  // namespace

App::App(Services services, AppOptions options)
    : services_(std::move(services)), options_(std::move(options)), idempotency_(services_.runtime, services_.store) {
  access_ = std::make_shared<const AccessRules>(options_.access);
  add_system_routes(router_, services_, [this](const Request& request) { return readiness(request); });
  if (!services_.login_codes) services_.login_codes = std::make_shared<LoginCodes>(services_.runtime);
  add_session_routes(router_, services_, options_.no_auth);
  add_token_routes(router_, services_);
  add_connector_routes(router_, services_);
  add_resource_routes(router_, services_);
  add_config_routes(router_, services_);
  add_slot_routes(router_, services_);
  add_state_routes(router_, services_);
  add_upkeep_routes(router_, services_);
  add_job_routes(router_, services_);
  add_workflow_routes(router_, services_);
  add_message_routes(router_, services_);
  add_operation_routes(router_, services_);
  add_operator_routes(router_, services_);
  add_replay_routes(router_, services_);
  add_queue_routes(router_, services_);
  add_worker_routes(router_, services_);
  if (services_.schedules) add_schedule_routes(router_, services_);
  add_airbyte_routes(router_, services_);
  add_live_routes(router_, services_);
  add_document_routes(router_);
  add_ui_routes(router_);
}
App::~App() = default;

void App::set_allow_hosts(std::vector<std::string> names) {
  AccessRules rules;
  rules.allow_hosts = std::move(names);
  access_ = std::make_shared<const AccessRules>(std::move(rules));
}

Response App::refuse(std::string_view code, std::string detail) {
  Problem problem;
  problem.code = code;
  problem.detail = std::move(detail);
  Response response = problem_response(problem);
  response.close = true;
  return response;
}

std::optional<Response> App::admit(Request& request) {
  try {
    check_access(*access_.load(), request);
    parse_target(request);
    Router::Match match = router_.find(request.method, request.segments);
    if (match.route == nullptr) {
      Problem problem;
      problem.instance = request.path;
      problem.code = match.allow.empty() ? "request.not_found" : "request.method_not_allowed";
      problem.detail = request.method.substr(0, 20) + " " + request.path.substr(0, 500);
      Response response = problem_response(problem);
      if (!match.allow.empty()) response.headers.emplace_back("Allow", match.allow);
      return response;
    }
    request.route = match.route;
    request.path_values = std::move(match.path_values);
    check_caller(request);
    if (!request.route->open && phase_ == ServerPhase::starting)
      throw Error("server.not_ready", "stored executions are being recovered");
    if (!request.route->open && phase_ == ServerPhase::stopping && request.method != "GET")
      throw Error("server.stopping");
    check_parameters(request);
    return std::nullopt;
  } catch (...) {
    return problem_response(std::current_exception(),
                            request.path.empty() ? request.target.substr(0, 500) : request.path);
  }
}

void App::check_caller(Request& request) const {
  const Route& route = *request.route;
  std::string token = presented_token(request);
  const bool by_cookie = token.empty();
  if (by_cookie) token = session_token(request, services_.tokens->session_cookie());
  if (!token.empty()) {
    if (const auto caller = services_.tokens->find(token)) request.caller = *caller;
    request.caller.by_cookie = by_cookie && request.caller.authenticated;
  }
  if (options_.no_auth) {
    if (!request.caller.authenticated) request.caller.name = "admin";
    return;
  }
  if (route.open || (route.metrics && options_.open_metrics)) return;
  if (!request.caller.authenticated) {
    if (token.empty()) throw Error("auth.required", request.method + " " + request.path + " needs a token");
    throw Error("auth.token_invalid", "no token of this server is what was sent");
  }
  if (!allows(request.caller.scope, route.scope)) {
    throw Error("auth.forbidden", "the scope '" + std::string(to_string(request.caller.scope)) + "' of the token '" +
                                      request.caller.name + "' does not allow " + request.method + " " + request.path);
  }
}

void App::check_parameters(const Request& request) const {
  const Route& route = *request.route;
  if (const std::string* key = request.header("idempotency-key"); key != nullptr && key->size() > kMaxIdempotencyKey) {
    throw Error("request.invalid_parameter", "Idempotency-Key is longer than 255 bytes");
  }
  if (route.ignores_unknown) return;
  for (const auto& [name, value] : request.query) {
    const auto known =
        std::any_of(route.query.begin(), route.query.end(), [&n = name](const Parameter& p) { return p.name == n; });
    if (!known) throw Error("request.invalid_parameter", "unknown parameter '" + name.substr(0, 100) + "'");
  }
}

asio::awaitable<Response> App::handle(Request& request) {
  std::exception_ptr error;
  const Route& route = *request.route;
  try {
    const std::string* key =
        request.method == "POST" && !route.own_idempotency ? request.header("idempotency-key") : nullptr;
    if (key != nullptr && !key->empty()) {
      co_return co_await idempotency_.run(*key, request, route.handler);
    }
    co_return co_await route.handler(request);
  } catch (...) {
    error = std::current_exception();
  }
  if (is_cancelled(error)) std::rethrow_exception(error);
  co_return problem_response(error, request.path);
}

void App::answered(const Request& request, int status, Duration took) {
  static const std::vector<std::string> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
  const bool known = std::find(kMethods.begin(), kMethods.end(), request.method) != kMethods.end();
  const std::string method = known ? request.method : "other";
  const std::string route = request.route == nullptr ? "none" : request.route->pattern;
  std::lock_guard lock(metrics_mutex_);
  auto it = metrics_.find({request.route, method});
  if (it == metrics_.end()) {
    const MetricLabels labels = {{"route", route}, {"method", method}};
    it = metrics_
             .emplace(std::pair(request.route, method),
                      RouteMetrics(metric_histogram("millrace_http_request_duration_seconds",
                                                    "Time from the first byte of a request to the last of its answer",
                                                    latency_buckets(), labels)))
             .first;
  }
  it->second.seconds.observe(to_seconds(took));
  auto code = it->second.by_code.find(status);
  if (code == it->second.by_code.end()) {
    const MetricLabels labels = {{"route", route}, {"method", method}, {"code", std::to_string(status)}};
    code =
        it->second.by_code.emplace(status, metric_counter("millrace_http_requests_total", "Requests answered", labels))
            .first;
  }
  code->second.add();
}

Response App::readiness(const Request& request) const {
  const state::StoreStatus store = services_.store->status();
  const ServerPhase phase = phase_;
  const bool ready = phase == ServerPhase::ready && store.accepts_work;
  Response response(ready ? 200 : 503);
  response.content_type = "text/plain; charset=utf-8";
  if (flag_of(request, "verbose", false)) {
    const char* engine = "ok";
    if (phase == ServerPhase::starting) engine = "recovering";
    if (phase == ServerPhase::stopping) engine = "stopping";
    response.body += std::string(phase == ServerPhase::ready ? "[+]" : "[-]") + "engine " + engine +
                     ", open executions " + std::to_string(services_.engine->open_executions()) + "\n";
    response.body += std::string(store.accepts_work ? "[+]" : "[-]") + "store " +
                     (store.accepts_work ? "ok" : "below the free-disk floor") + ", size " +
                     std::to_string(store.size_bytes) + " bytes, disk free " + std::to_string(store.disk_free_bytes) +
                     " bytes\n";
    response.body += ready ? "readyz check passed\n" : "readyz check failed\n";
  } else if (ready) {
    response.body = "ok\n";
  } else {
    response.body = phase == ServerPhase::starting   ? "starting: stored executions are being recovered\n"
                    : phase == ServerPhase::stopping ? "stopping\n"
                                                     : "not ready: too little free disk space\n";
  }
  return response;
}

}  // namespace millrace::api
