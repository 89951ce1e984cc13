#include "cli/serve/serve.h"

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/app.h"
#include "cli/context.h"
#include "cli/serve/queue_options.h"
#include "cli/serve/rooms.h"
#include "cli/serve/sizes.h"
#include "common/errors.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/task_group.h"
#include "engine/doctor_patrol.h"
#include "workflows/continuous.h"
#include "workflows/slots.h"

namespace millrace::serve {
namespace {

LogOptions log_options(const ServeOptions& options) {
  LogOptions log;
  log.level = parse_log_level(options.log_level);
  log.json = options.log_format.empty() ? ::isatty(STDERR_FILENO) == 0 : options.log_format == "json";
  return log;
}

// The address that a client on this host uses.
std::string url_of(const api::ListenOptions& listen, std::uint16_t port) {
  std::string host = listen.address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (listen.tls_cert_file.empty() ? "http://" : "https://") + host + ":" + std::to_string(port);
}

void write_address_file(const std::string& data_dir, const std::string& url) {
  std::ofstream out(data_dir + "/address.new", std::ios::trunc);
  out << url << '\n';
  out.close();
  if (!out || ::rename((data_dir + "/address.new").c_str(), (data_dir + "/address").c_str()) != 0) {
    throw Error("store.unavailable", data_dir + "/address cannot be written");
  }
}

void print_banner(const ServeOptions& options, const std::string& url, const std::string& code) {
  std::cout << "Millrace " MILLRACE_VERSION "\n"
            << "  URL      " << url << "\n"
            << "  Log in   " << url << "/" << (options.no_auth ? std::string() : "login#code=" + code) << "\n"
            << "  Docs     " << url << "/docs\n"
            << "  Metrics  " << url << "/metrics\n"
            << "  Token    " << (options.no_auth ? "none needed (--no-auth)" : options.data_dir + "/token") << "\n"
            << "  Data     " << options.data_dir << std::endl;
}

// A second SIGTERM or SIGINT ends the process at once; SIGHUP reads configuration, token and host names again.
asio::awaitable<void> watch_signals(const ServeOptions& options, std::shared_ptr<api::App> app,
                                    std::shared_ptr<api::Tokens> tokens, std::shared_ptr<engine::Engine> engine,
                                    Event& stop) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGTERM, SIGINT, SIGHUP);
  for (;;) {
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    if (signal == SIGHUP) {
      try {
        const ServeOptions now = options.reload ? options.reload() : options;
        set_up_logging(log_options(now));
        app->set_allow_hosts(now.allow_hosts);
        engine->configure_queues(queue_settings(now.queues, now.limits));
        if (!now.no_auth) tokens->load_file(now.data_dir + "/token");
        log_info("configuration was read again");
      } catch (const std::exception& e) {
        log_error("configuration was not read again: the former one holds", {{"error", e.what()}});
      }
      continue;
    }
    if (stop.is_set()) {
      log_warn("second signal: ending at once");
      std::_Exit(cli::kFailed);
    }
    log_info("stopping",
             {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}, {"grace_seconds", options.grace_seconds}});
    stop.set();
  }
}

asio::awaitable<void> sweep_daily(Runtime runtime, std::shared_ptr<api::App> app) {
  for (;;) {
    co_await app->idempotency().sweep();
    co_await runtime.sleep_for(std::chrono::hours(24));
  }
}

asio::awaitable<void> run(Runtime runtime, const ServeOptions& options, const Hooks& hooks) {
  api::ListenOptions listen = api::parse_listen(options.listen);
  listen.tls_cert_file = options.tls_cert;
  listen.tls_key_file = options.tls_key;
  const bool loopback = api::is_loopback_address(listen.address);
  if (options.no_auth && !loopback) {
    throw cli::CommandError(cli::kUsage, "--no-auth is accepted on loopback only",
                            "the server would listen on " + options.listen + " without a token",
                            "Leave --no-auth out, or listen on 127.0.0.1.", "cli.usage");
  }
  if (listen.tls_cert_file.empty() != listen.tls_key_file.empty()) {
    throw cli::CommandError(cli::kUsage, "--tls-cert and --tls-key belong together", "only one of them is given",
                            "Give both.", "cli.usage");
  }
  RoomsOptions rooms_options;
  rooms_options.directory = options.data_dir;
  rooms_options.secret_key_file = options.secret_key_file;
  if (!options.min_free_disk.empty()) rooms_options.min_free_bytes = parse_size(options.min_free_disk);
  if (!options.idle_memory.empty()) rooms_options.engine.idle_bytes = parse_size(options.idle_memory);
  rooms_options.engine.queues = queue_settings(options.queues, options.limits);
  Rooms rooms = co_await open_rooms(runtime, std::move(rooms_options), hooks);

  std::exception_ptr error;
  {
    auto tokens = std::make_shared<api::Tokens>(runtime, rooms.store);
    Event stop;
    TaskGroup background(runtime);
    std::unique_ptr<api::HttpServer> server;
    workflows::SlotWatch slots(runtime, rooms.resources);
    workflows::ContinuousKeeper keeper(runtime, rooms.resources, rooms.jobs);
    bool engine_started = false;
    try {
      co_await tokens->load();
      tokens->load_file(options.data_dir + "/token");
      api::Services services(runtime);
      services.store = rooms.store;
      services.engine = rooms.engine;
      services.resources = rooms.resources;
      services.jobs = rooms.jobs;
      services.tokens = tokens;
      services.login_codes = std::make_shared<api::LoginCodes>(runtime);
      const auto login_codes = services.login_codes;
      services.secret_key_file =
          options.secret_key_file.empty() ? options.data_dir + "/secret.key" : options.secret_key_file;
      services.schedules = rooms.schedules;
      services.connection_schedules = rooms.connection_schedules;
      api::AppOptions app_options;
      app_options.access.allow_hosts = options.allow_hosts;
      app_options.no_auth = options.no_auth;
      app_options.open_metrics = loopback;
      auto app = std::make_shared<api::App>(std::move(services), std::move(app_options));
      background.spawn("signals", watch_signals(options, app, tokens, rooms.engine, stop));
      server = std::make_unique<api::HttpServer>(runtime, app, api::HttpLimits());
      const std::uint16_t port = server->start(listen);
      const std::string url = url_of(listen, port);
      write_address_file(options.data_dir, url);
      if (!loopback && listen.tls_cert_file.empty())
        log_warn("listening beyond loopback without TLS: tokens travel in clear", {{"listen", options.listen}});
      co_await rooms.jobs->restore_metrics();
      co_await rooms.engine->start();
      engine_started = true;
      co_await rooms.connection_schedules->start();
      co_await rooms.schedules->start();
      background.spawn("idempotency sweep", sweep_daily(runtime, app));
      background.spawn("doctor", engine::patrol(runtime, rooms.store, engine::PatrolOptions()));
      slots.start();
      keeper.start();
      app->set_phase(api::ServerPhase::ready);
      print_banner(options, url, login_codes->make(api::Tokens::first_id()));
      log_info("ready",
               {{"url", url}, {"data_dir", options.data_dir}, {"open_executions", rooms.engine->open_executions()}});
      co_await stop.wait();
      app->set_phase(api::ServerPhase::stopping);
    } catch (...) {
      error = std::current_exception();
    }
    co_await keeper.stop();
    co_await slots.stop();
    // Steps first, while the answers of GET still come; then the connections.
    co_await rooms.connection_schedules->stop();
    co_await rooms.schedules->stop();
    if (engine_started) co_await rooms.engine->stop(Duration(static_cast<std::int64_t>(options.grace_seconds * 1e6)));
    if (server) co_await server->stop(std::chrono::seconds(1));
    server.reset();
    co_await background.stop();
    ::unlink((options.data_dir + "/address").c_str());
  }
  co_await close_rooms(runtime, std::move(rooms));
  if (error) std::rethrow_exception(error);
  log_info("stopped");
}

}  // namespace

int serve(const ServeOptions& options, const Hooks& hooks) {
  // Arenas for each thread would cost tens of megabytes at rest; big free blocks go back to the system.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  std::signal(SIGPIPE, SIG_IGN);
  set_up_logging(log_options(options));
  metric_gauge("millrace_build_info", "Version of this server", {{"version", MILLRACE_VERSION}}).set(1);
  RealRuntime real;
  Runtime runtime = real.runtime();
  if (hooks.wrap_runtime) runtime = hooks.wrap_runtime(std::move(runtime));
  real.run_until_done(run(runtime, options, hooks));
  return cli::kOk;
}

}  // namespace millrace::serve
