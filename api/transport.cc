#include "api/transport.h"

#include <sys/socket.h>

#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "common/errors.h"

namespace millrace::api {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

class TcpTransport : public Transport {
 public:
  explicit TcpTransport(tcp::socket s) : socket_(std::move(s)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (const auto e = socket_.remote_endpoint(ignored); !ignored) remote_ = e.address().to_string();
    if (const auto e = socket_.local_endpoint(ignored); !ignored) local_ = e.address().to_string();
  }

  asio::awaitable<void> handshake() override { co_return; }
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
    error_code error;
    const std::size_t n = co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
    if (error && error != asio::error::eof) throw boost::system::system_error(error);
    co_return error ? 0 : n;
  }
  asio::awaitable<void> write(asio::const_buffer a, asio::const_buffer b) override {
    const std::array<asio::const_buffer, 2> both = {a, b};
    co_await asio::async_write(socket_, both, asio::use_awaitable);
  }
  asio::awaitable<void> shut_down_write() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  void close() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }
  asio::any_io_executor executor() override { return socket_.get_executor(); }
  bool peer_has_closed() override { return peek(socket_); }
  bool is_tls() const override { return false; }
  std::string remote_address() const override { return remote_; }
  std::string local_address() const override { return local_; }

  static bool peek(tcp::socket& s) {
    if (!s.is_open()) return true;
    char byte = 0;
    const auto n = ::recv(s.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }

 private:
  tcp::socket socket_;
  std::string remote_, local_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket s, asio::ssl::context& context) : stream_(std::move(s), context) {
    error_code ignored;
    auto& socket = stream_.next_layer();
    socket.set_option(tcp::no_delay(true), ignored);
    if (const auto e = socket.remote_endpoint(ignored); !ignored) remote_ = e.address().to_string();
    if (const auto e = socket.local_endpoint(ignored); !ignored) local_ = e.address().to_string();
  }

  asio::awaitable<void> handshake() override {
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  }
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer into) override {
    error_code error;
    const std::size_t n = co_await stream_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
    const bool ended = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
    if (error && !ended) throw boost::system::system_error(error);
    co_return ended ? 0 : n;
  }
  asio::awaitable<void> write(asio::const_buffer a, asio::const_buffer b) override {
    // One record instead of two.
    std::string both(static_cast<const char*>(a.data()), a.size());
    both.append(static_cast<const char*>(b.data()), b.size());
    co_await asio::async_write(stream_, asio::buffer(both), asio::use_awaitable);
  }
  asio::awaitable<void> shut_down_write() override {
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }
  void cancel() override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }
  void close() override {
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.next_layer().close(ignored);
  }
  asio::any_io_executor executor() override { return stream_.get_executor(); }
  bool peer_has_closed() override { return TcpTransport::peek(stream_.next_layer()); }
  bool is_tls() const override { return true; }
  std::string remote_address() const override { return remote_; }
  std::string local_address() const override { return local_; }

 private:
  asio::ssl::stream<tcp::socket> stream_;
  std::string remote_, local_;
};

}  // namespace

std::shared_ptr<Transport> make_transport(tcp::socket socket, asio::ssl::context* tls) {
  if (tls != nullptr) return std::make_shared<TlsTransport>(std::move(socket), *tls);
  return std::make_shared<TcpTransport>(std::move(socket));
}

std::shared_ptr<asio::ssl::context> make_tls_context(const std::string& cert_file, const std::string& key_file) {
  std::string cause;
  try {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                         asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    context->use_certificate_chain_file(cert_file);
    context->use_private_key_file(key_file, asio::ssl::context::pem);
    return context;
  } catch (const boost::system::system_error& e) {
    cause = e.code().message();
  }
  throw Error("server.tls_unusable", "certificate " + cert_file + ", key " + key_file + ": " + cause);
}

}  // namespace millrace::api
