#include "api/http_server.h"

#include <mutex>
#include <set>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/connection.h"
#include "api/transport.h"
#include "common/errors.h"
#include "common/event.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/task_group.h"

namespace millrace::api {

using asio::ip::tcp;
using boost::system::error_code;

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Runtime runtime, std::shared_ptr<RequestHandler> handler, HttpLimits limits)
      : runtime_(runtime),
        context_(std::make_shared<ConnectionContext>(runtime, std::move(handler), limits)),
        acceptor_(runtime.make_strand()),
        open_metric_(metric_gauge("millrace_http_connections", "Open HTTP connections")),
        group_(runtime) {}

  std::uint16_t start(const ListenOptions& options) {
    if (!options.tls_cert_file.empty()) tls_ = make_tls_context(options.tls_cert_file, options.tls_key_file);
    error_code error;
    const auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
    if (error) throw Error("server.listen_failed", "'" + options.address + "' is not an IP address");
    const tcp::endpoint endpoint(address, options.port);
    const std::string where = options.address + ":" + std::to_string(options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::address_in_use) throw Error("server.address_in_use", where + ": " + error.message());
    if (error) throw Error("server.listen_failed", where + ": " + error.message());
    const std::uint16_t port = acceptor_.local_endpoint().port();
    group_.spawn_on(acceptor_.get_executor(), "http accept", accept_loop(shared_from_this()));
    group_.spawn("http watch", watch_loop(shared_from_this()));
    return port;
  }

  static asio::awaitable<void> stop(std::shared_ptr<Impl> self, Duration grace) {
    self->context_->stopping = true;
    asio::post(self->acceptor_.get_executor(), [self] {
      error_code ignored;
      self->acceptor_.close(ignored);
    });
    for (const auto& c : self->all()) {
      asio::post(c->state.transport->executor(), [c] {
        if (c->state.idle) c->state.transport->cancel();
      });
    }
    const MonoTime until = self->runtime_.mono() + grace;
    while (self->size() != 0 && self->runtime_.mono() < until)
      co_await self->runtime_.sleep_for(std::chrono::milliseconds(5));
    for (const auto& c : self->all()) abandon(c);
    co_await self->group_.stop();
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  struct Entry {
    explicit Entry(std::shared_ptr<Transport> t) : state(std::move(t)) {}
    ConnectionState state;
    asio::cancellation_signal signal;
  };
  using EntryPtr = std::shared_ptr<Entry>;

  static void abandon(const EntryPtr& c) {
    asio::post(c->state.transport->executor(), [c] {
      c->signal.emit(asio::cancellation_type::terminal);
      c->state.transport->cancel();
    });
  }

  std::vector<EntryPtr> all() const {
    std::lock_guard lock(mutex_);
    return {connections_.begin(), connections_.end()};
  }

  static asio::awaitable<void> accept_loop(std::shared_ptr<Impl> self) {
    while (!self->context_->stopping) {
      error_code error;
      tcp::socket socket = co_await self->acceptor_.async_accept(self->runtime_.make_strand(),
                                                                 asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) co_return;
      if (error) {  // out of descriptors, or the client went: both pass
        log_warn("accept failed", {{"error", error.message()}});
        co_await self->runtime_.sleep_for(std::chrono::milliseconds(100));
        continue;
      }
      if (self->size() >= self->context_->limits.connections) {
        static constexpr std::string_view kFull =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        socket.non_blocking(true, error);
        socket.write_some(asio::buffer(kFull), error);
        continue;
      }
      auto entry = std::make_shared<Entry>(make_transport(std::move(socket), self->tls_.get()));
      {
        std::lock_guard lock(self->mutex_);
        self->connections_.insert(entry);
      }
      self->open_metric_.add(1);
      self->some_.set();
      self->group_.spawn_on(entry->state.transport->executor(), "http connection", run(self, entry));
    }
  }

  static asio::awaitable<void> run(std::shared_ptr<Impl> self, EntryPtr entry) {
    // A cancellation of its own, so that one client's going ends one handler.
    std::shared_ptr<ConnectionState> state(entry, &entry->state);
    std::exception_ptr error;
    try {
      co_await asio::co_spawn(entry->state.transport->executor(), serve_connection(self->context_, std::move(state)),
                              asio::bind_cancellation_slot(entry->signal.slot(), asio::use_awaitable));
    } catch (...) {
      error = std::current_exception();
    }
    entry->state.transport->close();
    self->open_metric_.add(-1);
    std::lock_guard lock(self->mutex_);
    self->connections_.erase(entry);
  }

  static asio::awaitable<void> watch_loop(std::shared_ptr<Impl> self) {
    const HttpLimits& l = self->context_->limits;
    const Duration least = std::min({l.header_time, l.body_progress, l.write_progress, l.idle_time, l.linger_time});
    const Duration pace = std::clamp<Duration>(least / 4, std::chrono::milliseconds(5), std::chrono::seconds(1));
    for (;;) {
      self->some_.reset();
      if (self->size() == 0) co_await self->some_.wait();
      co_await self->runtime_.sleep_for(pace);
      const std::int64_t now = self->runtime_.mono().time_since_epoch().count();
      for (const auto& c : self->all()) {
        if (c->state.deadline_us < now) {
          asio::post(c->state.transport->executor(), [c, now] {
            if (c->state.deadline_us >= now) return;
            c->state.timed_out = true;
            c->state.transport->cancel();
          });
        } else if (c->state.handling) {
          asio::post(c->state.transport->executor(), [c] {
            if (c->state.handling && c->state.transport->peer_has_closed()) {
              c->signal.emit(asio::cancellation_type::terminal);
            }
          });
        }
      }
    }
  }

  Runtime runtime_;
  std::shared_ptr<ConnectionContext> context_;
  tcp::acceptor acceptor_;
  std::shared_ptr<asio::ssl::context> tls_;
  mutable std::mutex mutex_;
  std::set<EntryPtr> connections_;
  Event some_;
  Gauge open_metric_;
  TaskGroup group_;
};

HttpServer::HttpServer(Runtime runtime, std::shared_ptr<RequestHandler> handler, HttpLimits limits)
    : impl_(std::make_shared<Impl>(std::move(runtime), std::move(handler), limits)) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::start(ListenOptions options) { return impl_->start(options); }
asio::awaitable<void> HttpServer::stop(Duration grace) { return Impl::stop(impl_, grace); }
std::size_t HttpServer::connections() const { return impl_->size(); }

bool is_loopback_address(const std::string& address) {
  error_code error;
  const auto parsed = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  return !error && parsed.is_loopback();
}

ListenOptions parse_listen(const std::string& text) {
  ListenOptions options;
  const auto colon = text.rfind(':');
  std::string host = colon == std::string::npos ? text : text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "8000" : text.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  asio::ip::make_address(host, error);
  const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (error || !digits || std::stoul(port) > 65535) {
    throw Error("server.listen_failed", "'" + text + "' is not an address and a port, such as 127.0.0.1:8000");
  }
  options.address = host;
  options.port = static_cast<std::uint16_t>(std::stoul(port));
  return options;
}

}  // namespace millrace::api
