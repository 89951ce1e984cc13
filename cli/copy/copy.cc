#include "cli/copy/copy.h"

#include <malloc.h>

#include <csignal>
#include <iostream>

#include <sodium.h>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/documents.h"
#include "cli/job_view.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/serve/rooms.h"
#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"
#include "common/task_group.h"

namespace millrace::copy {
namespace {

using cli::Json;

constexpr Duration kStopGrace = std::chrono::seconds(5);  // after Ctrl-C: for steps to reach a checkpoint

// The same line, the same place. The line is hashed as written, so that no password is needed to find it again.
std::string state_dir_of(const CopyOptions& options) {
  if (!options.state_dir.empty()) return options.state_dir;
  std::string line = options.source + '\0' + options.destination + '\0' + options.mode;
  for (const std::string& stream : options.streams) line += '\0' + stream;
  unsigned char digest[16];
  crypto_generichash(digest, sizeof digest, reinterpret_cast<const unsigned char*>(line.data()), line.size(), nullptr,
                     0);
  char hex[sizeof digest * 2 + 1];
  sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
  return cli::default_data_dir() + "/copy/" + hex;
}

const connectors::Connector& connector_for(const connectors::Registry& registry, const std::string& url,
                                           bool as_source) {
  const connectors::Connector* c = registry.by_url(url);
  const std::string scheme = url.substr(0, url.find(':'));
  if (c == nullptr || !c->configuration_from_url) {
    throw cli::CommandError(cli::kUsage, "no connector takes '" + scheme + ":' URLs", "",
                            "Write it as postgres://user@host/database.", "cli.usage");
  }
  if ((as_source ? c->source_spec : c->destination_spec).empty()) {
    throw cli::CommandError(cli::kUsage, c->title + " can't be a " + (as_source ? "source" : "destination"), "", "",
                            "cli.usage");
  }
  return *c;
}

// Makes the resource, or brings it to what the line says now.
asio::awaitable<std::string> put_resource(std::shared_ptr<resources::Resources> resources, resources::Kind kind,
                                          std::string body) {
  std::string id;
  try {
    const resources::Resource there = co_await resources->get_by_name(kind, "copy");
    id = there.id;
  } catch (const Error& e) {
    if (e.code() != "resource.not_found") throw;
  }
  if (id.empty()) {
    const resources::Resource made = co_await resources->create(kind, body, resources::Principal("copy"), "");
    co_return made.id;
  }
  co_await resources->update(kind, id, body, resources::UpdateMode::put, resources::Principal("copy"));
  co_return id;
}

asio::awaitable<std::string> put_end(const serve::Rooms& rooms, const std::string& written, bool as_source) {
  const std::string url = cli::expand_references(written);
  const connectors::Connector& connector = connector_for(*rooms.connectors, url, as_source);
  Json body = Json::object();
  body["name"] = "copy";
  body["definitionId"] = connector.definition_id_of(as_source);
  body["configuration"] = Json::parse(connector.configuration_from_url(url, as_source));
  const resources::Kind kind = as_source ? resources::Kind::source : resources::Kind::destination;
  co_return co_await put_resource(rooms.resources, kind, body.dump());
}

asio::awaitable<std::string> put_connection(const serve::Rooms& rooms, const CopyOptions& options, std::string source,
                                            std::string destination) {
  Json body = Json::object();
  body["name"] = "copy";
  body["sourceId"] = source;
  body["destinationId"] = destination;
  body["namespaceDefinition"] = "source";
  body["nonBreakingSchemaUpdatesBehavior"] = "propagate_fully";  // each run takes what the line fits now
  Json streams = Json::array();
  std::vector<std::string> patterns = options.streams;
  if (patterns.empty()) patterns.emplace_back("*");
  for (const std::string& pattern : patterns) {
    Json one = Json::object();
    one["name"] = pattern;
    one["syncMode"] = options.mode;
    streams.push_back(std::move(one));
  }
  body["configurations"]["streams"] = std::move(streams);
  co_return co_await put_resource(rooms.resources, resources::Kind::connection, body.dump());
}

bool has_ended(const Json& job) {
  const std::string status = cli::plain(job, "status");
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

asio::awaitable<void> watch_interrupt(Event& interrupted) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  co_await signals.async_wait(asio::use_awaitable);
  interrupted.set();
}

// Follows the job to its end, or until a signal. The last look at it.
asio::awaitable<Json> follow(Runtime runtime, const serve::Rooms& rooms, std::int64_t id, bool quiet,
                             Event& interrupted) {
  cli::Progress progress(runtime, quiet);
  for (;;) {
    Json job = Json::parse(co_await rooms.jobs->job_json(id));
    if (has_ended(job) || interrupted.is_set()) {
      progress.clear();
      co_return job;
    }
    progress.show(job);
    co_await rooms.jobs->wait(id, std::chrono::milliseconds(300));
  }
}

asio::awaitable<Json> do_copy(Runtime runtime, const serve::Rooms& rooms, const CopyOptions& options,
                              Event& interrupted) {
  const std::string source = co_await put_end(rooms, options.source, true);
  const std::string destination = co_await put_end(rooms, options.destination, false);
  const std::string connection = co_await put_connection(rooms, options, source, destination);
  workflows::JobRequest request;
  request.connection_id = connection;
  request.options.adopt = options.adopt;
  request.options.streams_parallel = static_cast<std::size_t>(options.streams_parallel);
  request.attach = true;  // what a crash has left open goes on
  request.principal = resources::Principal("copy");
  const std::int64_t id = co_await rooms.jobs->start(std::move(request));
  co_return co_await follow(runtime, rooms, id, options.output == "json", interrupted);
}

asio::awaitable<void> run(Runtime runtime, const CopyOptions& options, int& exit_code) {
  serve::RoomsOptions rooms_options;
  rooms_options.directory = state_dir_of(options);
  const serve::Hooks no_hooks;
  serve::Rooms rooms = co_await serve::open_rooms(runtime, rooms_options, no_hooks);
  std::exception_ptr error;
  {
    Event interrupted;
    TaskGroup background(runtime);
    background.spawn("signals", watch_interrupt(interrupted));
    try {
      co_await rooms.engine->start();
      const Json job = co_await do_copy(runtime, rooms, options, interrupted);
      if (options.output == "json") {
        cli::print_object(job, "", "json");
      } else {
        cli::print_job(job);
      }
      cli::print_job_failure(job);
      if (!has_ended(job)) {
        cli::print_error("interrupted", "what is committed stays", "Run the same line again to go on.", "");
        exit_code = cli::kInterrupted;
      } else {
        exit_code = cli::plain(job, "status") == "succeeded" ? cli::kOk : cli::kFailed;
      }
    } catch (...) {
      error = std::current_exception();
    }
    co_await rooms.engine->stop(kStopGrace);
    co_await background.stop();
  }
  co_await serve::close_rooms(runtime, std::move(rooms));
  if (error) std::rethrow_exception(error);
}

}  // namespace

int copy(const CopyOptions& options) {
  ::mallopt(M_ARENA_MAX, 2);
  std::signal(SIGPIPE, SIG_IGN);
  if (sodium_init() < 0) throw Error("internal", "libsodium does not start");
  int exit_code = cli::kFailed;
  RealRuntime real;
  real.run_until_done(run(real.runtime(), options, exit_code));
  return exit_code;
}

}  // namespace millrace::copy
