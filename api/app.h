// The API as a whole: the rules that hold for every request (host, token, readiness, parameters, idempotency, metrics)
// and the routes behind them. Translates and decides nothing: what a request does is the business of the rooms below.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/access.h"
#include "api/http_server.h"
#include "api/idempotency.h"
#include "api/router.h"
#include "api/services.h"
#include "common/metrics.h"

namespace millrace::api {

struct AppOptions {
  AppOptions() = default;
  AccessRules access;
  bool no_auth = false;
  bool open_metrics = true;  // /metrics without a token: on loopback
};

enum class ServerPhase : std::uint8_t { starting, ready, stopping };

class App final : public RequestHandler {
 public:
  App(Services services, AppOptions options);
  ~App() override;

  void set_phase(ServerPhase phase) { phase_ = phase; }
  // Replaces the names of --allow-host. Thread-safe.
  void set_allow_hosts(std::vector<std::string> names);
  Idempotency& idempotency() { return idempotency_; }
  const Router& router() const { return router_; }

  std::optional<Response> admit(Request& request) override;
  asio::awaitable<Response> handle(Request& request) override;
  Response refuse(std::string_view code, std::string detail) override;
  void answered(const Request& request, int status, Duration took) override;

 private:
  void check_caller(Request& request) const;
  void check_parameters(const Request& request) const;
  Response readiness(const Request& request) const;

  Services services_;
  AppOptions options_;
  std::atomic<std::shared_ptr<const AccessRules>> access_;
  std::atomic<ServerPhase> phase_{ServerPhase::starting};
  Idempotency idempotency_;
  Router router_;

  struct RouteMetrics {
    explicit RouteMetrics(Histogram h) : seconds(h) {}
    Histogram seconds;
    std::map<int, Counter> by_code;
  };
  std::mutex metrics_mutex_;
  std::map<std::pair<const Route*, std::string>, RouteMetrics> metrics_;
};

}  // namespace millrace::api
